"""What EventBridge hears of a build.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import notices
from manuel_release.rehearsal.emulator.codebuild import state

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codebuild.phases import PhaseRecord
    from manuel_release.rehearsal.emulator.codebuild.state import Build

REQUIRES = notices.REQUIRES


def _words(moment: float | None) -> str | None:
    return None if moment is None else time.strftime("%b %d, %Y %I:%M:%S %p", time.gmtime(moment))


def _phase(phase: PhaseRecord) -> dict[str, Any]:
    return state.present(
        **{
            "phase-type": phase.kind,
            "phase-status": phase.status or None,
            "phase-context": [f"{phase.code}: {phase.message}"] if phase.ended is not None else None,
            "start-time": _words(phase.started),
            "end-time": _words(phase.ended),
            "duration-in-seconds": None if phase.ended is None else int(phase.ended - phase.started),
        }
    )


def _send(build: Build, kind: str, detail: dict[str, Any]) -> None:
    if build.forgotten:
        return
    always = {"project-name": build.name, "build-id": build.arn, "version": "1"}
    notices.send("codebuild", f"CodeBuild Build {kind} Change", [build.arn], {**always, **detail})


def build_state(build: Build) -> None:
    """Send "CodeBuild Build State Change"."""
    environment = build.project["environment"]
    group, stream = build.log_place()
    information = {
        "artifact": build.artifact or {"location": ""},
        "environment": {
            "image": environment.get("image"),
            "privileged-mode": bool(environment.get("privilegedMode")),
            "compute-type": environment.get("computeType"),
            "type": environment.get("type"),
            "environment-variables": [
                {"name": one["name"], "type": one.get("type", "PLAINTEXT"), "value": one["value"]}
                for one in environment.get("environmentVariables") or []
            ],
        },
        "timeout-in-minutes": build.project["timeoutInMinutes"],
        "build-complete": build.ended is not None,
        "initiator": build.initiator,
        "build-start-time": _words(build.started),
        "source": build.project["source"],
        "logs": {"group-name": group, "stream-name": stream, "deep-link": build.log_link()},
        "phases": [_phase(phase) for phase in build.phases],
    }
    current = build.phases[-1].kind if build.phases else "SUBMITTED"
    detail = {"build-status": build.status, "current-phase": current, "additional-information": information}
    _send(build, "State", detail)


def phase_state(build: Build, phase: PhaseRecord) -> None:
    """Send "CodeBuild Build Phase Change" for a phase that has ended."""
    detail = {
        "completed-phase": phase.kind,
        "completed-phase-status": phase.status,
        "completed-phase-context": f"{phase.code}: {phase.message}",
        "completed-phase-start": _words(phase.started),
        "completed-phase-end": _words(phase.ended),
        "completed-phase-duration-seconds": int((phase.ended or phase.started) - phase.started),
    }
    _send(build, "Phase", detail)
