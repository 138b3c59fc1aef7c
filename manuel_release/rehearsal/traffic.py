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
