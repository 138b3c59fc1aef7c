"""A model that replies with a sentence of the passages in its prompt.

It keeps to what a prompt tells it: passages between <passage> tags, the question between <question> tags, and, in the
system prompt, a word to "reply with exactly" when the passages do not answer.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import unescape

from manuel_release.rehearsal.ai import ranking

ENOUGH = 0.3  # of the question's words, by weight
NOTHING = "I cannot tell."


def converse(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a Converse request.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    """
    system = " ".join(block.get("text", "") for block in request.get("system") or [])
    message = "".join(block.get("text", "") for block in request["messages"][-1]["content"])
    text = reply(system, message)
    read, wrote = len(f"{system} {message}".split()), len(text.split())
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": read, "outputTokens": wrote, "totalTokens": read + wrote},
        "metrics": {"latencyMs": 1},
    }


def reply(system: str, message: str) -> str:
    """The sentence that fits the question best, or what the prompt says to reply where none does."""
    passages = re.findall(r"<passage[^>]*>(.*?)</passage>", message, re.DOTALL)
    asked = re.search(r"<question>(.*?)</question>", message, re.DOTALL)
    question = unescape(asked[1]) if asked else message
    sentences = [sentence for passage in passages for sentence in ranking.sentences(unescape(passage))]
    scores = ranking.scores(question, sentences)
    if scores and max(scores) >= ENOUGH:
        return sentences[scores.index(max(scores))]
    refusal = re.search(r"reply with exactly (\S+)", system)
    return refusal[1] if refusal else NOTHING
