"""What a rehearsal has done already, on disk, so that one that was interrupted goes on where it was."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

FILE_NAME = "journal.jsonl"


class Journal:
    """One line for everything that is not done again, with its answer; a line that was cut off counts as not written.

    path: the file; it may be there, from the run that was interrupted. May be used by several threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {one["key"]: one for one in map(json.loads, whole_lines(path))}
        self.resumed = bool(self._known)
        self._before = max((float(one["elapsed"]) for one in self._known.values()), default=0.0)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """How long this rehearsal has been at work, in seconds; after an interruption, from the newest line on."""
        return self._before + time.monotonic() - self._began

    def once(self, key: str, work: Callable[[], T]) -> T:
        """The answer of `work`, which has to be JSON; what is in the journal is not done again."""
        return self.timed(key, work)[0]

    def timed(self, key: str, work: Callable[[], T]) -> tuple[T, float]:
        """As `once`, and how long it took when it was done, in seconds."""
        known = self._known.get(key)
        if known is None:
            began = time.monotonic()
            answer = work()
            known = {"key": key, "answer": answer, "seconds": time.monotonic() - began, "elapsed": self.elapsed}
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known) + "\n")
                self._known[key] = known
        return known["answer"], float(known["seconds"])

    def answers(self, prefix: str) -> tuple[Any, ...]:
        """The answers of all keys that begin so, oldest first."""
        with self._lock:
            return tuple(one["answer"] for key, one in self._known.items() if key.startswith(prefix))


def whole_lines(path: Path) -> list[str]:
    """The lines of a file, which is made if it is not there; a last one that was cut off is removed from it."""
    path.touch()
    whole, end, rest = path.read_bytes().rpartition(b"\n")
    if rest:
        os.truncate(path, len(whole + end))
    return whole.decode().splitlines()
