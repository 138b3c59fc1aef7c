"""The shell in which a build's commands run, one process per phase, with what the build exported and where it stands.

Working directory and exported variables go from command to command and from phase to phase; other variables stay in
their phase, and the commands of `finally` have a shell of their own. A command that ends the shell (`exit`, `set -e`)
ends its phase, not the build. Everything that a build started is killed at its end: by this process, or, when this
process dies first, by a watcher that notices.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

POLL_SECONDS = 0.05
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WATCH = 'all=; while read -r group; do all="$all $group"; done; for group in $all; do kill -s KILL -- -$group; done'


class Interrupted(Exception):  # noqa: N818 - an outcome
    """The build was ended from outside; `status` is `STOPPED` or `TIMED_OUT`."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Control:
    """What may end a build: somebody asks (`stop`), or the moment `deadline` (of time.monotonic) passes."""

    stop: threading.Event
    deadline: float

    def check(self) -> None:
        """Raise Interrupted when the build has to end."""
        if self.stop.is_set():
            raise Interrupted("STOPPED")
        if time.monotonic() >= self.deadline:
            raise Interrupted("TIMED_OUT")


@dataclass(frozen=True)
class Ran:
    """How commands ended: the exit status (0: all of them), the command that failed, and what they printed."""

    status: int
    command: str = ""
    output: str = ""


@dataclass
class Shell:
    """A build's shell. `folder` is where it starts, `private` a folder of its own, `log` the file that it prints to.

    exported: variables whose values are read at the end. on_output: told what was printed, as it is printed.
    """

    name: str
    folder: Path
    private: Path
    log: Path
    environment: Mapping[str, str]
    exported: Sequence[str] = ()
    on_output: Callable[[str], None] = lambda _text: None
    _read: int = 0
    _phases: int = 0
    _watcher: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self.private.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self._watcher = subprocess.Popen(
            ["sh", "-c", _WATCH],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},
            process_group=0,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        if self._watcher is not None and self._watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.close()
            self._watcher.wait()

    def say(self, text: str) -> None:
        """Print a line of CodeBuild's own into the log."""
        stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"[Container] {stamp} {text}\n")
        self._follow()

    def run(self, commands: Sequence[str], control: Control, variables: Mapping[str, str]) -> Ran:
        """Run commands until one fails, with some variables set first; raises Interrupted."""
        control.check()
        self._phases += 1
        scripts = self.private / str(self._phases)
        scripts.mkdir()
        for number, command in enumerate(commands):
            (scripts / str(number)).write_text(command + "\n", encoding="utf-8")
        (scripts / "all").write_text(self._script(scripts, commands, variables), encoding="utf-8")
        beginning = self._read
        status = self._execute(scripts / "all", control)
        self._follow()
        output = self._printed_since(beginning)
        if status == 0:
            return Ran(0, output=output)
        reached = (scripts / "reached").read_text(encoding="utf-8") if (scripts / "reached").exists() else "0"
        return Ran(status, commands[int(reached)], output)

    def values(self) -> dict[str, str]:
        """The exported variables that have a value, as the last phase that knew them left them."""
        found = {}
        for name in self.exported:
            path = self.private / f"exported-{name}"
            if path.exists():
                found[name] = path.read_text(encoding="utf-8")
        return found

    def _script(self, scripts: Path, commands: Sequence[str], variables: Mapping[str, str]) -> str:
        state, where = shlex.quote(str(self.private / "state")), shlex.quote(str(self.private / "where"))
        keep = [  # in a process of its own, which has only what was exported
            f'sh -c \'[ -z "${{{name}+set}}" ] || printf %s "${name}" > "$0"\' '
            + shlex.quote(str(self.private / f"exported-{name}"))
            for name in self.exported
            if _VARIABLE.match(name)
        ]
        lines = [
            f"[ ! -f {state} ] || . {state}",
            f'[ ! -f {where} ] || cd "$(cat {where})"',
            *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
            "__leave() {",
            "__status=$?",
            "trap - EXIT",
            f"export -p > {state}.new && mv {state}.new {state}",
            f"pwd > {where}",
            *keep,
            "exit $__status",
            "}",
            "trap __leave EXIT",
        ]
        stamp = """printf '[Container] %s Running command %s\\n' "$(date -u '+%Y/%m/%d %H:%M:%S')" """
        for number, command in enumerate(commands):
            lines += [
                f"printf %s {number} > {shlex.quote(str(scripts / 'reached'))}",
                stamp + shlex.quote(command),
                f". {shlex.quote(str(scripts / str(number)))}",
                "__status=$?",
                "[ $__status -eq 0 ] || exit $__status",
            ]
        return "\n".join(lines) + "\n"

    def _execute(self, script: Path, control: Control) -> int:
        first = not (self.private / "state").exists()
        environment = dict(self.environment) if first else {"PATH": self.environment.get("PATH", os.defpath)}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [self.name, str(script)],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        if self._watcher is not None and self._watcher.stdin is not None:
            self._watcher.stdin.write(f"{process.pid}\n".encode())
            self._watcher.stdin.flush()
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(POLL_SECONDS)
                self._follow()
                control.check()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self._follow()
            raise

    def _printed_since(self, position: int) -> str:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read(self._read - position).decode(errors="replace")

    def _follow(self) -> None:
        with self.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        if new:
            self._read += len(new)
            self.on_output(new.decode(errors="replace"))
