"""Builds: starting, looking at, stopping, retrying.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.acting_role import Actor
from manuel_release.rehearsal.emulator.codebuild import run, state
from manuel_release.rehearsal.emulator.codebuild.phases import PhaseRecord
from manuel_release.rehearsal.emulator.codebuild.state import Build, FromPipeline
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

SOURCES = ("NO_SOURCE", "S3")
_OVERRIDES = {
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "secondarySourcesOverride": "secondarySources",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "logsConfigOverride": "logsConfig",
    "cacheOverride": "cache",
    "encryptionKeyOverride": "encryptionKey",
}
_INTO_SOURCE = {"sourceTypeOverride": "type", "sourceLocationOverride": "location", "buildspecOverride": "buildspec"}
_INTO_ENVIRONMENT = {"imageOverride": "image", "computeTypeOverride": "computeType", "environmentTypeOverride": "type"}


def start(body: Body, caller: Caller) -> Body:
    """StartBuild."""
    return {"build": info(begin(body, initiator=_initiator(caller)))}


def _initiator(caller: Caller) -> str:
    return caller.arn.rpartition(":")[2].removeprefix("assumed-role/")


def begin(body: Body, *, initiator: str, pipeline: FromPipeline | None = None) -> Build:
    """Start a build, for a caller or for CodePipeline; raises ServiceError."""
    with state.LOCK:
        project = state.project(body["projectName"])
        token = (project["name"], body.get("idempotencyToken"))
        if token[1] and token in state.tokens:
            known: Build = state.builds[state.tokens[token]]
            return known
        settings = _settings(project, body)
        _check(settings, pipeline)
        number = 1 + sum(found.name == project["name"] for found in state.builds.values())
        unique = state.new_uuid()
        made = Build(
            id=f"{project['name']}:{unique}",
            number=number,
            project=settings,
            request=body,
            actor=Actor(str(settings["serviceRole"]), f"AWSCodeBuild-{unique}"),
            initiator=initiator,
            pipeline=pipeline,
            source_version=str(body.get("sourceVersion") or settings.get("sourceVersion") or ""),
        )
        submitted = PhaseRecord("SUBMITTED")
        submitted.end("SUCCEEDED")
        made.phases.append(submitted)
        state.builds[made.id] = made
        if token[1]:
            state.tokens[token] = made.id
    run.launch(made)
    return made


def _settings(project: dict[str, Any], body: Body) -> dict[str, Any]:
    """The project's settings with the request's overrides."""
    settings = {
        **project,
        **{name: body[member] for member, name in _OVERRIDES.items() if body.get(member) is not None},
    }
    for overrides, name in ((_INTO_SOURCE, "source"), (_INTO_ENVIRONMENT, "environment")):
        given = {inner: body[member] for member, inner in overrides.items() if body.get(member) is not None}
        settings[name] = {**(project.get(name) or {}), **given}
    more = body.get("environmentVariablesOverride") or []
    variables = {one["name"]: one for one in settings["environment"].get("environmentVariables") or []}
    variables |= {one["name"]: one for one in more}
    settings["environment"]["environmentVariables"] = list(variables.values())
    return settings


def _check(settings: dict[str, Any], pipeline: FromPipeline | None) -> None:
    kind = settings["source"]["type"]
    if pipeline is not None:
        return
    if kind == "CODEPIPELINE":
        raise ServiceError(
            "InvalidInputException", "Build cannot be started directly for a project whose source is CODEPIPELINE"
        )
    if kind not in SOURCES:
        raise ServiceError(
            "InvalidInputException", f"Source type {kind} is not emulated; {' and '.join(SOURCES)} and CodePipeline are"
        )
    if settings["artifacts"]["type"] == "CODEPIPELINE":
        raise ServiceError("InvalidInputException", "Artifacts type CODEPIPELINE needs a source of CODEPIPELINE")


def info(build: Build) -> Body:
    """As `Build`."""
    group, stream = build.log_place()
    last = build.phases[-1].kind if build.phases else "SUBMITTED"
    logs = state.present(
        groupName=group or None,
        streamName=stream or None,
        deepLink=build.log_link() or None,
        cloudWatchLogs=(build.project.get("logsConfig") or {}).get("cloudWatchLogs") or {"status": "ENABLED"},
    )
    return state.present(
        id=build.id,
        arn=build.arn,
        buildNumber=build.number,
        startTime=build.started,
        endTime=build.ended,
        currentPhase=last,
        buildStatus=build.status,
        sourceVersion=build.source_version or None,
        resolvedSourceVersion=(
            build.pipeline.variables.get("CODEBUILD_RESOLVED_SOURCE_VERSION") if build.pipeline else None
        ),
        projectName=build.name,
        phases=[phase.info() for phase in build.phases],
        source=build.project["source"],
        artifacts=build.artifact or {"location": ""},
        secondaryArtifacts=build.secondary_artifacts or None,
        cache=build.project.get("cache"),
        environment=build.project["environment"],
        serviceRole=build.project["serviceRole"],
        logs=logs,
        timeoutInMinutes=build.project["timeoutInMinutes"],
        queuedTimeoutInMinutes=build.project["queuedTimeoutInMinutes"],
        buildComplete=build.ended is not None,
        initiator=build.initiator,
        encryptionKey=build.project["encryptionKey"],
        exportedEnvironmentVariables=[{"name": name, "value": value} for name, value in build.exported.items()],
        reportArns=list(build.report_arns) or None,
    )


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetBuilds; unknown ids are said."""
    with state.LOCK:
        found = {wanted: state.build(wanted) for wanted in body["ids"]}
        known = [info(build) for build in found.values() if build is not None]
    missing = [wanted for wanted, build in found.items() if build is None]
    return state.present(builds=known or None, buildsNotFound=missing or None)


def _known(build_id: Any) -> Build:
    found = state.build(build_id)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Build cannot be found: {build_id}")
    return found


def stop(body: Body, _caller: Caller) -> Body:
    """StopBuild: everything that the build started is killed; no error when it has ended."""
    with state.LOCK:
        found = _known(body["id"])
        found.stop.set()
    return {"build": info(found)}


def retry(body: Body, caller: Caller) -> Body:
    """RetryBuild: the same request again."""
    if not body.get("id"):
        raise ServiceError("InvalidInputException", "A build id is required")
    found = _known(body["id"])
    if found.ended is None:
        raise ServiceError("InvalidInputException", f"Build {found.id} has not ended")
    if found.pipeline is not None:
        raise ServiceError("InvalidInputException", "A build that CodePipeline started is retried by CodePipeline")
    request = {member: value for member, value in found.request.items() if member != "idempotencyToken"}
    return {"build": info(begin(request, initiator=_initiator(caller)))}


def _ids(body: Body, found: list[Build]) -> Body:
    newest_first = body.get("sortOrder", "DESCENDING") != "ASCENDING"
    return {"ids": [build.id for build in sorted(found, key=lambda one: one.started, reverse=newest_first)]}


def list_all(body: Body, _caller: Caller) -> Body:
    """ListBuilds, newest first unless asked otherwise."""
    return _ids(body, list(state.builds.values()))


def list_of_project(body: Body, _caller: Caller) -> Body:
    """ListBuildsForProject."""
    name = state.project(body["projectName"])["name"]
    return _ids(body, [found for found in state.builds.values() if found.name == name])


def batch_delete(body: Body, _caller: Caller) -> Body:
    """BatchDeleteBuilds; one that runs is not deleted."""
    gone, kept = [], []
    with state.LOCK:
        for build_id in body["ids"]:
            found = state.build(build_id)
            if found is None or found.ended is None:
                kept.append({"id": build_id, "statusCode": "NOT_FOUND" if found is None else "BUILD_IN_PROGRESS"})
            else:
                del state.builds[found.id]
                gone.append(build_id)
    return state.present(buildsDeleted=gone or None, buildsNotDeleted=kept)


OPERATIONS = {
    "StartBuild": start,
    "BatchGetBuilds": batch_get,
    "StopBuild": stop,
    "RetryBuild": retry,
    "ListBuilds": list_all,
    "ListBuildsForProject": list_of_project,
    "BatchDeleteBuilds": batch_delete,
}
