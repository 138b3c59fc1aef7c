"""The phases of a build in order, and what follows when one fails.

A failed INSTALL or PRE_BUILD ends the build; POST_BUILD runs although BUILD failed, with CODEBUILD_BUILD_SUCCEEDING=0,
unless `on-failure` says otherwise; a phase's `finally` runs in any case. A build with a failed phase has failed, also
when `on-failure: CONTINUE` let it go on: AWS does not say, and this is the cautious reading.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codebuild.shell import Interrupted, Ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.codebuild.buildspec import Buildspec, Phase
    from manuel_release.rehearsal.emulator.codebuild.shell import Control, Shell

SUCCEEDING = "CODEBUILD_BUILD_SUCCEEDING"
VERSION_SECONDS = 20


@dataclass
class PhaseRecord:
    """How one phase went; times in epoch seconds, `status` empty while it runs."""

    kind: str
    started: float = field(default_factory=time.time)
    ended: float | None = None
    status: str = ""
    code: str = ""
    message: str = ""

    def end(self, status: str, code: str = "", message: str = "") -> None:
        """Note the end."""
        self.ended, self.status, self.code, self.message = time.time(), status, code, message

    def info(self) -> dict[str, Any]:
        """As `BuildPhase`."""
        if self.ended is None:
            return {"phaseType": self.kind, "startTime": self.started}
        return {
            "phaseType": self.kind,
            "phaseStatus": self.status,
            "startTime": self.started,
            "endTime": self.ended,
            "durationInSeconds": int(self.ended - self.started),
            "contexts": [{"statusCode": self.code, "message": self.message}],
        }


@dataclass(frozen=True)
class Result:
    """Whether every phase succeeded, and whether BUILD was reached (then artifacts and reports are attempted)."""

    succeeded: bool
    built: bool


def run(
    spec: Buildspec,
    shell: Shell,
    control: Control,
    began: Callable[[PhaseRecord], None],
    ended: Callable[[PhaseRecord], None] = lambda _record: None,
) -> Result:
    """Run the four phases, telling each as it begins and ends; raises Interrupted, after noting it in the phase."""
    succeeding, built = True, False
    for phase in spec.phases:
        record = PhaseRecord(phase.name.upper())
        began(record)
        built = built or phase.name == "build"
        try:
            failed = _phase(phase, shell, control, succeeding=succeeding)
        except Interrupted as interrupted:
            record.end(interrupted.status, *_why(interrupted.status))
            ended(record)
            raise
        if failed is None:
            record.end("SUCCEEDED")
        else:
            succeeding = False
            message = f"Error while executing command: {failed.command}. Reason: exit status {failed.status}"
            record.end("FAILED", "COMMAND_EXECUTION_ERROR", message)
        shell.say(f"Phase complete: {record.kind} State: {record.status}")
        if failed is not None:
            shell.say(f"Phase context status code: {record.code} Message: {record.message}")
        ended(record)
        if failed is not None and not _goes_on(phase):
            break
    return Result(succeeding, built)


def _why(status: str) -> tuple[str, str]:
    return ("BUILD_TIMED_OUT", "Build has timed out. ") if status == "TIMED_OUT" else ("", "")


def _goes_on(phase: Phase) -> bool:
    action = phase.on_failure.action
    return action == "CONTINUE" or (phase.name == "build" and action != "ABORT")


def _phase(phase: Phase, shell: Shell, control: Control, *, succeeding: bool) -> Ran | None:
    """What failed in a phase, or None."""
    shell.say(f"Entering phase {phase.name.upper()}")
    for runtime, version in phase.runtimes.items():
        shell.say(f"Runtime {runtime} {version} is asked for; on this machine there is {_installed(runtime, shell)}")
    failed = _commands(phase, shell, control, succeeding=succeeding)
    for attempt in range(phase.on_failure.retries):
        if failed is None or not re.search(phase.on_failure.pattern, failed.output):
            break
        shell.say(f"Retrying phase {phase.name.upper()}: attempt {attempt + 1} of {phase.on_failure.retries}")
        failed = _commands(phase, shell, control, succeeding=succeeding)
    return failed


def _installed(runtime: str, shell: Shell) -> str:
    """What a runtime's program says of its version; nothing is installed or refused because of it."""
    program = shutil.which("python3" if runtime == "python" else runtime, path=shell.environment.get("PATH"))
    if program is None:
        return "none"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=VERSION_SECONDS)
    return (said.stdout or said.stderr).strip().partition("\n")[0] or program


def _commands(phase: Phase, shell: Shell, control: Control, *, succeeding: bool) -> Ran | None:
    failed = None
    for commands in (phase.commands, phase.last):
        if not commands:
            continue
        variables = {SUCCEEDING: str(int(succeeding and failed is None))}
        ran = shell.run(commands, control, variables)
        if ran.status and failed is None:
            failed = ran
    return failed
