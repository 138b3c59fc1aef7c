"""Finding passages by the words that they share with a question, rarer words counting more."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEM_LETTERS = 6  # descale, descaling and descaled are one word
PASSAGE_WORDS = 50
ORDINARY = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from have how i in is it its my of often on or should that the this "
        "to was what when where which who why will with you your",
    )
)


def words(text: str) -> list[str]:
    """The words of a text that say what it is about, shortened to their stems."""
    return [word[:STEM_LETTERS] for word in re.findall(r"\w+", text.lower()) if word not in ORDINARY]


def passages(text: str) -> list[str]:
    """A text in pieces: its paragraphs, a short one together with what follows it."""
    found: list[str] = []
    pending = ""
    for paragraph in re.split(r"\n\s*\n", text):
        pending = f"{pending}\n{paragraph.strip()}".strip()
        if len(pending.split()) >= PASSAGE_WORDS:
            found.append(pending)
            pending = ""
    return [*found, pending] if pending else found


def sentences(text: str) -> list[str]:
    """A text's sentences, headings left out."""
    lines = " ".join(line for line in text.splitlines() if not line.startswith("#"))
    return [sentence.strip() for sentence in re.split(r"(?<=[.!?])\s+", lines) if sentence.strip()]


def scores(question: str, texts: Sequence[str]) -> list[float]:
    """For each text how well it fits, 0 (shares no word) to 1 (has every word of the question)."""
    known = [set(words(text)) for text in texts]
    spread = Counter(word for one in known for word in one)
    weights = {word: math.log(1 + len(texts) / (1 + spread[word])) for word in set(words(question))}
    total = sum(weights.values())
    return [sum(weights[word] for word in weights if word in one) / total if total else 0.0 for one in known]
