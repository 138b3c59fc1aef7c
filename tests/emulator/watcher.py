"""A user who looks while something changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manuel_release.observe.asking import ask

if TYPE_CHECKING:
    from typing import Self


@dataclass
class Watcher:
    """Asks `/health` at a fixed pace while something changes, and counts who answered.

    pause: seconds between two requests. answers: release -> healthy answers; failures: what else was seen.
    """

    url: str
    pause: float = 0.05
    answers: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watcher")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            answer = ask(self.url, 30.0)
            if answer.status == 200:
                self.answers[answer.release] = self.answers.get(answer.release, 0) + 1
            else:
                self.failures.append(answer.problem or f"HTTP {answer.status}")
            self._stop.wait(self.pause)

    @property
    def sentence(self) -> str:
        """How many requests were asked, how many failed, and who answered."""
        total = sum(self.answers.values()) + len(self.failures)
        by = ", ".join(f"{count} by {release}" for release, count in sorted(self.answers.items()))
        return f"{len(self.failures)} of {total} requests failed during the change; answered: {by}"
