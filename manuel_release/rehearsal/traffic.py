"""The users of a rehearsal, seen from it: starts the load, and reads what was answered second by second."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from manuel_release.rehearsal.detached import Process
from manuel_release.rehearsal.journal import whole_lines
from manuel_release.rehearsal.load import NO_ANSWER, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

PLAN, ANSWERS, PROCESS = "users.json", "traffic.jsonl", "load.json"
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


class Load:
    """Real requests at a fixed rate while it lasts; use it as a context manager.

    folder: for the plan and what was answered. plan: makes it, when nobody asks yet. tied: the users stop with this
    process, whatever ends it; if not, they go on when it is interrupted, and the next one in this folder has them.
    """

    def __init__(self, folder: Path, plan: Callable[[], Plan], *, tied: bool = True) -> None:
        self._folder, self._plan, self._tied = folder, plan, tied
        self._process: subprocess.Popen[bytes] | None = None
        self._seconds: list[Second] = []
        self._read = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._asking() is None:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tied or kind is None:
            self._stop()
        elif self._process is not None:
            self._process.returncode = 0  # it is meant to stay; Popen would warn

    @property
    def seconds(self) -> Sequence[Second]:
        """Every second so far, oldest first."""
        with self._lock:
            with (self._folder / ANSWERS).open("rb") as file:
                file.seek(self._read)
                whole, end, _ = file.read().rpartition(b"\n")
            self._read += len(whole + end)
            self._seconds += [_second(json.loads(line)) for line in whole.splitlines()]
            return tuple(self._seconds)

    def _start(self) -> None:
        whole_lines(self._folder / ANSWERS)
        plan = self._folder / PLAN
        plan.touch(mode=0o600)
        plan.write_text(json.dumps({**asdict(self._plan()), "tied": self._tied}), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "manuel_release.rehearsal.load", str(plan), str(self._folder / ANSWERS)],
            stdin=subprocess.PIPE if self._tied else subprocess.DEVNULL,
            start_new_session=not self._tied,  # Ctrl-C is for this process then
        )
        known = asdict(Process.of(self._process.pid))
        (self._folder / PROCESS).write_text(json.dumps(known), encoding="utf-8")

    def _asking(self) -> Process | None:
        """The process that asks, maybe from an earlier run; None when there is none."""
        try:
            known = Process(**json.loads((self._folder / PROCESS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return known if known.alive else None

    def _stop(self) -> None:
        process, asking = self._process, self._asking()
        if process is not None and process.stdin is not None:
            process.stdin.close()
        elif asking is not None:
            _signal(asking, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while asking is not None and asking.alive and time.monotonic() < deadline:
            if process is not None:
                process.poll()
            time.sleep(0.05)
        if asking is not None and asking.alive:
            _signal(asking, signal.SIGKILL)
        if process is not None:
            process.wait()


def _signal(asking: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(asking.pid, number)


def _second(told: Mapping[str, Any]) -> Second:
    answers = {(release, status): n for release, by in told["answers"].items() for status, n in by.items()}
    return Second(told["at"], Counter(answers))
