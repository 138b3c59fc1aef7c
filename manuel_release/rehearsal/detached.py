"""`cloud up`, `cloud down`: one embedded AWS per repository that outlives the command which started it.

`.manuel/cloud.json` (readable by its owner only) says where it is. A process is known by its id and its start time, so
that `down` never stops somebody else's process that got the same id.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from manuel_release.errors import EmulatorError, Refused
from manuel_release.rehearsal.process import STOP_SECONDS, EmbeddedCloud, Options, answers, client_environment

FILE_NAME = "cloud.json"
FOLDER = "cloud"


@dataclass(frozen=True)
class Process:
    """A process as it may be written down; `started` is the kernel's word for when it began."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this id now."""
        return Process(pid, process_start(pid))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return bool(self.started) and process_start(self.pid) == self.started


@dataclass(frozen=True)
class Running(Process):
    """A detached embedded AWS."""

    endpoint: str
    region: str

    def environment(self) -> dict[str, str]:
        """The variables that point AWS clients at it."""
        return client_environment(self.endpoint, self.region)


def process_start(pid: int) -> str:
    """When a process began, in the kernel's own terms; empty when there is none of that id.

    Linux tells it in /proc (field 22 of proc_pid_stat(5)), other systems through ps.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        with contextlib.suppress(OSError, IndexError):
            after_name = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            return "" if after_name[0] == "Z" else after_name[19]
        return ""
    if Path("/proc/self/stat").exists():
        return ""
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def find(folder: Path) -> Running | None:
    """The embedded AWS that `folder` (`.manuel`) knows and that still runs."""
    try:
        known = Running(**json.loads((folder / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return known if known.alive else None


def up(folder: Path, options: Options) -> Running:
    """Start one, and return when it answers; raises Refused when one runs already."""
    refuse_second(folder)
    return remember(folder, EmbeddedCloud.start(folder / FOLDER, options))


def refuse_second(folder: Path) -> None:
    """Raise Refused when one runs already."""
    running = find(folder)
    if running is not None:
        raise Refused(
            f"an embedded AWS runs already at {running.endpoint} (process {running.pid})",
            hint='Use it with eval "$(manuel-release cloud env)", or stop it with `manuel-release cloud down`.',
        )


def remember(folder: Path, cloud: EmbeddedCloud) -> Running:
    """Write down where a cloud is that outlives this process, and let it go; it must not have been started tied."""
    options = cloud.options
    found = Running(cloud.pid, process_start(cloud.pid), cloud.endpoint, options.region)
    path = folder / FILE_NAME
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(found), file)
    cloud.let_go()
    return found


def down(folder: Path) -> Running | None:
    """Stop it and remove its files; None when none runs. Raises EmulatorError when it does not end."""
    running = find(folder)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)
        if not _gone(running, STOP_SECONDS):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            if not _gone(running, STOP_SECONDS):
                raise EmulatorError(
                    f"process {running.pid} does not end", hint=f"Stop it with `kill -9 {running.pid}`."
                )
    (folder / FILE_NAME).unlink(missing_ok=True)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    return running


def _gone(running: Running, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while running.alive:
        if time.monotonic() > deadline:
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitpid(running.pid, os.WNOHANG)  # in tests it is our own child and would stay as a zombie
        time.sleep(0.05)
    return not answers(running.endpoint, timeout=0.2)
