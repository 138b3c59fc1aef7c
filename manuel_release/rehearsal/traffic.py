"""The users of a rehearsal, seen from it: starts the load, keeps what was answered second by second, and tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from manuel_release.errors import EmulatorError
from manuel_release.rehearsal.load import NO_ANSWER, Plan

if TYPE_CHECKING:
    from typing import Self

STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Second:
    """What was answered in one second, by (release, status)."""

    at: float
    answers: Counter[tuple[str, str]]

    @property
    def failed(self) -> int:
        """Server errors, and requests without an answer."""
        return sum(n for (_, status), n in self.answers.items() if status.startswith("5") or status == NO_ANSWER)

    def by(self, release: str) -> int:
        """Answers of one release."""
        return sum(n for (served, _), n in self.answers.items() if served == release)


@dataclass
class Load:
    """Real requests at a fixed rate while it lasts; use it as a context manager."""

    plan: Plan
    seconds: list[Second] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._began = time.time()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "manuel_release.rehearsal.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(json.dumps(asdict(self.plan)) + "\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True, name="load")
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(STOP_SECONDS)
        process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            said = json.loads(line)
            answers = Counter(
                {(release, status): n for release, by in said["answers"].items() for status, n in by.items()}
            )
            self.seconds.append(Second(self._began + said["second"], answers))

    def wait_for(self, release: str, requests: int, timeout_seconds: float) -> None:
        """Wait until the release has answered so many requests; raises EmulatorError after the time-out."""
        deadline = time.monotonic() + timeout_seconds
        while sum(second.by(release) for second in tuple(self.seconds)) < requests:
            if time.monotonic() > deadline:
                raise EmulatorError(f"{release} has not answered {requests} requests in {timeout_seconds:.0f} s")
            time.sleep(0.2)

    def between(self, start: float, end: float) -> Counter[tuple[str, str]]:
        """Answers by (release, status) from one moment to another (seconds since the epoch)."""
        return sum((one.answers for one in tuple(self.seconds) if start <= one.at < end), Counter())

    def total(self) -> Counter[tuple[str, str]]:
        """All answers so far by (release, status)."""
        return sum((one.answers for one in tuple(self.seconds)), Counter())


def lost(answers: Counter[tuple[str, str]], bad: str = "") -> int:
    """Requests that failed without the bad release having answered them: lost by a switch, not by the release."""
    return sum(n for (release, status), n in answers.items() if release != bad and _failed(status))


def _failed(status: str) -> bool:
    return status == NO_ANSWER or status.startswith("5")
