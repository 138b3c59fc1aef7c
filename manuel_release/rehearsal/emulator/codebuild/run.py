"""The thread of a build: from QUEUED to COMPLETED.

A minute of a project's timeout takes MANUEL_BUILD_SECONDS_PER_MINUTE seconds (60 unless a rehearsal says otherwise).
Files are in a folder of the build's own, below the server's temporary folder, and gone afterwards; the log stays, as
PROJECT/BUILD.log below MANUEL_BUILD_LOGS.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import acting_role, scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied
from manuel_release.rehearsal.emulator.codebuild import inputs, logs, notices, outputs, phases, projects, state
from manuel_release.rehearsal.emulator.codebuild.phases import PhaseRecord
from manuel_release.rehearsal.emulator.codebuild.shell import Control, Interrupted, Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.codebuild.buildspec import Buildspec
    from manuel_release.rehearsal.emulator.codebuild.state import Build

SECONDS_PER_MINUTE = float(os.environ.get("MANUEL_BUILD_SECONDS_PER_MINUTE", "60"))
logger = logging.getLogger("codebuild")


class Broken(Exception):  # noqa: N818 - an outcome
    """A phase of CodeBuild's own failed, and the build ends."""


def launch(build: Build) -> None:
    """Start the thread of a build, in the account and region of this request."""
    threading.Thread(
        target=scope.scoped, args=(*scope.current(), carry_out, build), daemon=True, name=f"codebuild-{build.uuid}"
    ).start()


def carry_out(build: Build) -> None:
    """Run a build to its end."""
    folder = Path(os.environ["TMPDIR"]) / "builds" / build.uuid
    temporary = _temporary(build)
    stream = logs.LogStream(build)
    status = "FAULT"
    try:
        notices.build_state(build)
        folder.mkdir(parents=True)
        temporary.mkdir()
        control = Control(build.stop, time.monotonic() + build.project["timeoutInMinutes"] * SECONDS_PER_MINUTE)
        status = _steps(build, folder, stream, control)
    except Broken:
        status = "FAILED"
    except Interrupted as interrupted:
        status = interrupted.status
    except Exception as error:
        logger.exception("build %s", build.id)
        if build.phases[-1].ended is None:
            build.phases[-1].end("FAULT", "INTERNAL_SERVICE_ERROR", str(error))
    finally:
        stream.close()
        for used in (folder, temporary):
            shutil.rmtree(used, ignore_errors=True)
        _complete(build, status)


def _temporary(build: Build) -> Path:
    """The build's TMPDIR, with a short name because paths of sockets are short."""
    return Path(os.environ["TMPDIR"]) / f"b-{build.uuid[:8]}"


def _complete(build: Build, status: str) -> None:
    finalizing = PhaseRecord("FINALIZING")
    finalizing.end("SUCCEEDED")
    with state.LOCK:
        build.phases += [finalizing, PhaseRecord("COMPLETED")]
        build.ended, build.status = time.time(), status
    notices.build_state(build)
    build.done.set()


def _own_phase(build: Build, kind: str, work: Callable[[PhaseRecord], None]) -> None:
    """A phase of CodeBuild's own; `work` may end it with a failure, which raises Broken."""
    record = PhaseRecord(kind)
    build.phases.append(record)
    work(record)
    if record.ended is None:
        record.end("SUCCEEDED")
    notices.phase_state(build, record)
    if record.status != "SUCCEEDED":
        raise Broken


def _steps(build: Build, folder: Path, stream: logs.LogStream, control: Control) -> str:
    _own_phase(build, "QUEUED", lambda _record: None)
    _own_phase(build, "PROVISIONING", lambda record: _provision(build, stream, record))
    log = Path(os.environ["MANUEL_BUILD_LOGS"]) / build.name / f"{build.uuid}.log"
    found: list[tuple[Buildspec, Path, dict[str, str]]] = []

    def download(record: PhaseRecord) -> None:
        try:
            primary, others = inputs.fetch(build, folder)
            spec = inputs.specification(build, primary)
            (folder / "home").mkdir()
            found.append(
                (spec, primary, inputs.environment(build, spec, (folder / "home", _temporary(build)), primary, others))
            )
        except inputs.BadInput as wrong:
            record.end("FAILED", wrong.code, str(wrong))
            stream.write(f"[Container] Phase context status code: {wrong.code} Message: {wrong}\n")

    control.check()
    _own_phase(build, "DOWNLOAD_SOURCE", download)
    spec, primary, environment = found[0]
    with Shell(spec.shell, primary, folder / "shell", log, environment, spec.exported, stream.write) as shell:
        result = phases.run(spec, shell, control, build.phases.append, lambda one: notices.phase_state(build, one))
        build.exported.update(shell.values())
        if result.built:
            _own_phase(build, "UPLOAD_ARTIFACTS", lambda record: _upload(build, spec, primary, shell, record))
    return "SUCCEEDED" if result.succeeded else "FAILED"


def _provision(build: Build, stream: logs.LogStream, record: PhaseRecord) -> None:
    role = str(build.project["serviceRole"])
    if not acting_role.can_be_assumed(role, projects.PRINCIPAL, state.arn("project", build.name)):
        message = f"CodeBuild is not authorized to perform: sts:AssumeRole on service role {role}"
        record.end("FAILED", "CLIENT_ERROR", message)
        return
    try:
        stream.open()
    except AccessDenied as denied:
        message = (
            f"Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build "
            f"{build.arn}. Error message: {denied}"
        )
        record.end("FAILED", "ACCESS_DENIED", message)


def _upload(build: Build, spec: Buildspec, primary: Path, shell: Shell, record: PhaseRecord) -> None:
    problems = []
    try:
        outputs.reports(build, spec, primary, shell)
    except outputs.BadOutput as wrong:
        problems.append(str(wrong))
    try:
        outputs.artifacts(build, spec, primary)
    except outputs.BadOutput as wrong:
        problems.append(str(wrong))
    if problems:
        record.end("FAILED", "CLIENT_ERROR", "; ".join(problems))
        shell.say(f"Phase context status code: {record.code} Message: {record.message}")
    shell.say(f"Phase complete: UPLOAD_ARTIFACTS State: {'FAILED' if problems else 'SUCCEEDED'}")
