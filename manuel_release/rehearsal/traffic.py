"""The users of a rehearsal, seen from it: starts the load, keeps what was answered second by second, and tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.load import NO_ANSWER, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
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
    """Real requests at a fixed rate while it lasts; use it as a context manager.

    kept: a file for what was answered; what is in it from an earlier run comes first.
    """

    plan: Plan
    kept: Path | None = None
    seconds: list[Second] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._began = time.time()
        if self.kept is not None and self.kept.exists():
            whole, _, _ = self.kept.read_text(encoding="utf-8").rpartition("\n")
            self.seconds += [_second(json.loads(line)) for line in whole.splitlines()]
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
        with self.kept.open("a", encoding="utf-8") if self.kept is not None else nullcontext() as file:
            for line in self._process.stdout:
                said = json.loads(line)
                told = {"at": self._began + said["second"], "answers": said["answers"]}
                self.seconds.append(_second(told))
                if file is not None:
                    file.write(json.dumps(told) + "\n")
                    file.flush()


def _second(told: Mapping[str, Any]) -> Second:
    answers = {(release, status): n for release, by in told["answers"].items() for status, n in by.items()}
    return Second(told["at"], Counter(answers))
