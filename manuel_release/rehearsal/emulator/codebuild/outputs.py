"""What a build leaves: artifacts in S3 and reports, written with the service role.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from ministack.services import s3

from manuel_release.rehearsal.emulator.acting_role import AccessDenied
from manuel_release.rehearsal.emulator.codebuild import files, report_files, state
from manuel_release.rehearsal.emulator.codebuild.state import Place, ReportGroup, StoredReport

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from manuel_release.rehearsal.emulator.codebuild.buildspec import Artifacts, Buildspec, Report
    from manuel_release.rehearsal.emulator.codebuild.shell import Shell
    from manuel_release.rehearsal.emulator.codebuild.state import Build

REQUIRES = {"ministack.services.s3._put_object": ("bucket_name", "key", "body", "headers")}


class BadOutput(Exception):  # noqa: N818 - an outcome
    """An artifact or a report could not be made or stored."""


def artifacts(build: Build, spec: Buildspec, folder: Path) -> None:
    """Pack and store the artifacts; raises BadOutput."""
    try:
        if build.pipeline is not None:
            _for_pipeline(build, spec, folder)
        elif build.project["artifacts"]["type"] == "S3":
            _to_bucket(build, spec, folder)
    except files.NoFiles as nothing:
        raise BadOutput(str(nothing)) from nothing
    except AccessDenied as denied:
        raise BadOutput(f"AccessDenied: {denied}") from denied


def _for_pipeline(build: Build, spec: Buildspec, folder: Path) -> None:
    outputs = build.pipeline.outputs if build.pipeline is not None else {}
    for name, place in outputs.items():
        wanted = spec.secondary.get(name) or (spec.artifacts if len(outputs) == 1 else None)
        if wanted is None:
            raise BadOutput(f"no artifact of the buildspec is called {name}, which the pipeline's action puts out")
        stored = _store(build, place, files.pack(folder, wanted))
        if len(outputs) == 1:
            build.artifact = stored
        else:
            build.secondary_artifacts.append({**stored, "artifactIdentifier": name})


def _to_bucket(build: Build, spec: Buildspec, folder: Path) -> None:
    if spec.artifacts is None:
        raise BadOutput("the project puts artifacts into S3, and the buildspec has none")
    settings = build.project["artifacts"]
    name = settings.get("name") or build.name
    if settings.get("overrideArtifactName") and spec.artifacts.name:
        name = spec.artifacts.name
    parts = [
        str(settings.get("path") or "").strip("/"),
        build.uuid if settings.get("namespaceType") == "BUILD_ID" else "",
        str(name).strip("/"),
    ]
    key = "/".join(part for part in parts if part)
    if settings.get("packaging") == "ZIP":
        build.artifact = _store(build, Place(settings["location"], key), files.pack(folder, spec.artifacts))
        return
    for path, body in _plain(spec.artifacts, folder):
        _store(build, Place(settings["location"], f"{key}/{path}"), body)
    build.artifact = {"location": Place(settings["location"], key).arn}


def _plain(wanted: Artifacts, folder: Path) -> list[tuple[str, bytes]]:
    root, paths = files.select(folder, wanted.base, wanted.files, wanted.exclude)
    return [(path.rpartition("/")[2] if wanted.discard_paths else path, (root / path).read_bytes()) for path in paths]


def _store(build: Build, place: Place, body: bytes) -> dict[str, Any]:
    build.actor.require("s3:PutObject", place.arn)
    status, _headers, _answer = s3._put_object(place.bucket, place.key, body, {})
    if status >= 400:
        raise BadOutput(f"{place.arn} could not be written: HTTP {status}")
    return {
        "location": place.arn,
        "sha256sum": hashlib.sha256(body).hexdigest(),
        "md5sum": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "encryptionDisabled": False,
    }


def reports(build: Build, spec: Buildspec, folder: Path, shell: Shell) -> None:
    """Read and store each report; raises BadOutput with all that is wrong."""
    wrong = []
    for report in spec.reports:
        try:
            _report(build, report, folder, shell)
        except files.NoFiles:
            wrong.append(f"{report.group}: [report files not found in build]")
        except (report_files.ReportError, AccessDenied) as error:
            wrong.append(f"{report.group}: [{error}]")
    if wrong:
        raise BadOutput(f"Error in UPLOAD_ARTIFACTS phase: [{', '.join(wrong)}]")


def _report(build: Build, report: Report, folder: Path, shell: Shell) -> None:
    group = _group(build, report)
    for action in ("codebuild:CreateReport", "codebuild:UpdateReport"):
        build.actor.require(action, group.arn)
    put = "codebuild:BatchPutCodeCoverages" if group.kind == "CODE_COVERAGE" else "codebuild:BatchPutTestCases"
    build.actor.require(put, group.arn)
    root, paths = files.select(folder, report.base, report.files)
    if report.file_format in report_files.READ:
        results = report_files.read([root / path for path in paths], report.file_format)
        status = "SUCCEEDED" if results.passed else "FAILED"
    else:
        shell.say(f"Report {report.group}: {report.file_format} is not read here, its counts stay empty")
        results, status = report_files.Results(), "INCOMPLETE"
    name = f"{group.name}:{state.new_uuid()}"
    arn = state.arn("report", name)
    with state.LOCK:
        state.reports[arn] = StoredReport(arn, group.arn, build.arn, group.kind, status, results, time.time())
        build.report_arns.append(arn)
    shell.say(f"Report {report.group}: {len(paths)} file(s), {arn}")


def _group(build: Build, report: Report) -> ReportGroup:
    """The report group; one that a buildspec names without an ARN is made as PROJECT-NAME."""
    name = f"{build.name}-{report.group}"
    arn = report.group if report.group.startswith("arn:") else state.arn("report-group", name)
    with state.LOCK:
        found: ReportGroup | None = state.report_groups.get(arn)
        if found is None:
            if report.group.startswith("arn:"):
                raise report_files.ReportError(f"there is no report group {arn}")
            build.actor.require("codebuild:CreateReportGroup", arn)
            found = ReportGroup(arn, name, report.kind, {"exportConfigType": "NO_EXPORT"}, [])
            state.report_groups[arn] = found
    if found.kind != report.kind:
        raise report_files.ReportError(f"the report group {found.name} is of type {found.kind}, not {report.kind}")
    return found
