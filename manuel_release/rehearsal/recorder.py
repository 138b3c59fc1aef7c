"""What a rehearsal does, as it does it: stages, their actions, and this very command line tool called as a program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, TypeVar

from manuel_release.errors import EmulatorError
from manuel_release.model.progress import StepResult
from manuel_release.model.rehearsal import RehearsedAction, RehearsedStage
from manuel_release.rehearsal.journal import FILE_NAME, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from manuel_release.model.progress import Progress

T = TypeVar("T")

COMMAND_SECONDS = 900
STOP_SECONDS = 60.0
LOG = "rehearsal.log"


@dataclass
class Stage:
    """Collects the actions of one stage."""

    name: str
    actions: list[RehearsedAction] = field(default_factory=list)


@dataclass
class Recorder:
    """Keeps what was done, and tells it meanwhile.

    folder: where the versions' folders and the log are.
    """

    folder: Path
    progress: Progress
    stages: list[Stage] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / FILE_NAME)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Everything that is done inside belongs to this stage."""
        self.stages.append(Stage(name))
        began = time.monotonic()
        self.progress.start(name)
        try:
            yield
        except BaseException:
            self.progress.end(StepResult(name, "failed", time.monotonic() - began))
            raise
        self.progress.end(StepResult(name, "done", time.monotonic() - began))

    def act(self, name: str, work: Callable[[], T]) -> T:
        """Do something that belongs to the present stage, and time it; may be called by several threads."""

        def timed() -> tuple[T, float]:
            began = time.monotonic()
            return work(), time.monotonic() - began

        return self._noted(name, timed)

    def once(self, name: str, work: Callable[[], T]) -> T:
        """As `act`, for what has JSON as its answer: of one name and stage it is done once, by whichever run."""
        key = f"{self.stages[-1].name}: {name}"
        return self._noted(name, lambda: self.journal.timed(key, work))

    def _noted(self, name: str, timed: Callable[[], tuple[T, float]]) -> T:
        """Note an action of the present stage, whether it works or not; `timed` answers with its seconds."""
        stage, began = self.stages[-1], time.monotonic()
        status, seconds = "failed", None
        try:
            result, seconds = timed()
            status = "done"
        finally:
            took = time.monotonic() - began if seconds is None else seconds
            with self._lock:
                stage.actions.append(RehearsedAction(name, status, took))
        return result

    def cli(self, version: str, *arguments: str) -> Any:
        """Run this tool in a version's folder, once; its answer. What it tells on stderr goes to the progress.

        Raises EmulatorError when it fails.
        """
        name = " ".join(("manuel-release", *arguments))
        return self.once(name, lambda: json.loads(self._run(version, arguments, {})))

    def run(self, version: str, *arguments: str, who: Mapping[str, str] | None = None) -> Any:
        """As `cli`, for what a rehearsal that is resumed runs again."""
        name = " ".join(("manuel-release", *arguments))
        return self.act(name, lambda: json.loads(self._run(version, arguments, who or {})))

    def lines(self, version: str, *arguments: str) -> Any:
        """As `run`, for a command that answers with one document a line; the last one."""
        name = " ".join(("manuel-release", *arguments))
        return self.act(name, lambda: json.loads(self._run(version, arguments, {}).splitlines()[-1]))

    def ask(self, version: str, *arguments: str, who: Mapping[str, str] | None = None) -> Any:
        """As `cli`, for something that belongs to no stage of its own."""
        return json.loads(self._run(version, arguments, who or {}))

    def together(self, works: Sequence[Callable[[], object]]) -> None:
        """Do several things at the same time, each in a thread; raises what the first one that failed raised."""
        failures: list[BaseException] = []

        def run(work: Callable[[], object]) -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(work,), name="rehearsal") for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def done(self) -> tuple[RehearsedStage, ...]:
        """All stages so far."""
        return tuple(RehearsedStage(stage.name, tuple(stage.actions)) for stage in self.stages)

    def _run(self, version: str, arguments: tuple[str, ...], who: Mapping[str, str]) -> str:
        command = [sys.executable, "-P", "-m", "manuel_release", *arguments, "--output", "json"]
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(arguments)}\n")
            process = subprocess.Popen(
                command,
                cwd=self.folder / version,
                env={**os.environ, **who},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            told = threading.Thread(target=self._tell, args=(process.stderr, log), name="rehearsal-told")
            told.start()
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            limit = threading.Timer(COMMAND_SECONDS, process.kill)
            limit.start()
            try:
                with process.stdout:
                    answer = process.stdout.read()
                process.wait()
            finally:  # Ctrl-C: the command is told to stop, as a person would, and nothing goes on behind us
                limit.cancel()
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    try:
                        process.wait(STOP_SECONDS)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                told.join()
            log.write(answer)
        if process.returncode != 0:
            tail = answer.strip()[-2000:]
            raise EmulatorError(f"`{' '.join(arguments)}` ended with {process.returncode}:\n{tail}")
        return answer

    def _tell(self, stderr: IO[str], log: IO[str]) -> None:
        """Pass on what a command says, as it says it."""
        with stderr:
            for line in stderr:
                log.write(line)
                self.progress.note(line.rstrip())


@contextmanager
def pointed_at(environment: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, this process and its children have that environment; afterwards all is as before."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
