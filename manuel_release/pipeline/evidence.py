"""What people decide on, collected from the files of a build: JUnit reports and JSON documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUMMARY_CHARACTERS = 400
"""CodePipeline takes 1,000 for an approval's CustomData, which has other words around the summary."""

_TELLING = {"quality": "summary", "change-set": "not_computed", "observation": "message"}
"""A part of a package -> its member that is a sentence for people."""
_CASES = {
    "tests": re.compile(r"<testcase\b"),
    "failed": re.compile(r"<(?:failure|error)\b"),
    "skipped": re.compile(r"<skipped\b"),
}


def labelled(given: str) -> tuple[str, Path]:
    """`NAME=FOLDER` or `FOLDER` -> name (may be empty) and folder."""
    name, equals, path = given.rpartition("=")
    return (name, Path(path)) if equals else ("", Path(given))


def tests(folders: Sequence[tuple[str, Path]]) -> Mapping[str, Mapping[str, int]]:
    """JUnit reports below the folders: name of folder and file -> how many tests, failed and skipped ones."""
    found: dict[str, Mapping[str, int]] = {}
    for name, folder in folders:
        for path in sorted(folder.rglob("*.xml")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if "<testsuite" in text:
                key = f"{name}/{path.stem}" if name else path.stem
                found[key] = {what: len(pattern.findall(text)) for what, pattern in _CASES.items()}
    return found


def part(given: str, folder: Path) -> tuple[str, Any]:
    """`NAME=FILE` -> the name and the JSON document in the file; raises UsageError."""
    name, _, path = given.partition("=")
    try:
        return name, json.loads((folder / path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--part {given} cannot be read: {error}") from error


def summary(counted: Mapping[str, Mapping[str, int]], parts: Mapping[str, Any]) -> str:
    """A few sentences for the notification: tests, quality gates, and what was observed; at most SUMMARY_CHARACTERS."""
    tests_, failed = (sum(one[key] for one in counted.values()) for key in ("tests", "failed"))
    said = [f"{tests_} tests, {failed} failed"]
    for name, member in _TELLING.items():
        part_ = parts.get(name)
        if isinstance(part_, dict) and part_.get(member):
            said.append(" ".join(str(part_[member]).split()).rstrip("."))
    text = f"{'. '.join(said)}."
    return text if len(text) <= SUMMARY_CHARACTERS else f"{text[: SUMMARY_CHARACTERS - 3]}..."
