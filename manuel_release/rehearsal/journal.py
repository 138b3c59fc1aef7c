"""What a rehearsal has done already, on disk, so that one that was interrupted goes on where it was."""

from __future__ import annotations

import json
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
        self._known: dict[str, dict[str, Any]] = {}
        if path.exists():
            whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")
            self._known = {one["key"]: one for one in map(json.loads, whole.splitlines())}
        self.resumed = bool(self._known)
        self._before = max((float(one["elapsed"]) for one in self._known.values()), default=0.0)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """How long this rehearsal has been running, in seconds; the time until it was resumed does not count."""
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
                self._known[key] = known
                file.write(json.dumps(known) + "\n")
        return known["answer"], float(known["seconds"])

    def answers(self, prefix: str) -> tuple[Any, ...]:
        """The answers of all keys that begin so, oldest first."""
        return tuple(one["answer"] for key, one in self._known.items() if key.startswith(prefix))
