"""What people decide on, collected from the files of a build: JUnit reports, JSON documents, the artifact's record."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RECORD = "artifact.json"
_CASES = {
    "tests": re.compile(r"<testcase\b"),
    "failed": re.compile(r"<(?:failure|error)\b"),
    "skipped": re.compile(r"<skipped\b"),
}


def record(artifact: Path) -> Mapping[str, str]:
    """The artifact's own record: `commit`, `author` (may be missing) and `code_digest`; raises UsageError."""
    try:
        data = json.loads((artifact / RECORD).read_text(encoding="utf-8"))
        return {"commit": str(data["commit"]), "author": "", **data, "code_digest": str(data["code_digest"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{artifact} is not a packaged artifact: {error}", hint="`make package` makes one.") from error


def tests(folders: Sequence[Path]) -> Mapping[str, Mapping[str, int]]:
    """JUnit reports below the folders: file name -> how many tests, failed and skipped ones."""
    found: dict[str, Mapping[str, int]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.xml")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if "<testsuite" in text:
                found[path.stem] = {name: len(pattern.findall(text)) for name, pattern in _CASES.items()}
    return found


def part(given: str, folder: Path) -> tuple[str, Any]:
    """`NAME=FILE` -> the name and the JSON document in the file; raises UsageError."""
    name, _, path = given.partition("=")
    try:
        return name, json.loads((folder / path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--part {given} cannot be read: {error}") from error


def summary(counted: Mapping[str, Mapping[str, int]], parts: Mapping[str, Any]) -> str:
    """One sentence for the notification: tests, and what else there is to see."""
    tests_, failed = (sum(one[key] for one in counted.values()) for key in ("tests", "failed"))
    more = f" With {', '.join(sorted(parts))}." if parts else ""
    return f"{tests_} tests, {failed} failed.{more}"
