"""Build and test actions: a build of a CodeBuild project with the pipeline's artifacts.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codebuild import builds
from manuel_release.rehearsal.emulator.codebuild.state import FromPipeline
from manuel_release.rehearsal.emulator.codebuild.state import arn as codebuild_arn
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Outcome
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codebuild.state import Build, Place
    from manuel_release.rehearsal.emulator.codepipeline.job import Job

POLL_SECONDS = 0.1


def run(job: Job) -> Outcome:
    """Start the build and wait for its end; its exported variables are the action's output variables."""
    project = job.setting("ProjectName")
    for action in ("codebuild:StartBuild", "codebuild:BatchGetBuilds"):
        job.actor.require(action, codebuild_arn("project", project))
    given = FromPipeline(_inputs(job), dict(job.run.outputs), _source_variables(job))
    request = {"projectName": project, "environmentVariablesOverride": _variables(job)}
    try:
        build = builds.begin(request, initiator=f"codepipeline/{job.run.execution.pipeline.name}", pipeline=given)
    except ServiceError as error:
        raise ActionFailed(f"Error calling startBuild: {error.message}", code="ConfigurationError") from error
    _show(job, build)
    while not build.done.wait(0):
        job.pause(POLL_SECONDS)
    if build.status != "SUCCEEDED":
        message = f"Build terminated with state: {build.status}"
        cause = build.cause()
        raise ActionFailed(f"{message}. Phase: {cause}" if cause else message, summary=message)
    return Outcome(dict(build.exported), "")


def _show(job: Job, build: Build) -> None:
    account_id, region = scope.current()
    job.run.external_id = build.id
    job.run.external_url = f"https://console.aws.amazon.com/codebuild/home?region={region}#/builds/{build.id}/view/new"
    group, stream = build.log_place()
    if group:
        job.run.log_stream = f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"


def _inputs(job: Job) -> dict[str, Place]:
    """The input artifacts, the primary source first."""
    primary = job.setting("PrimarySource") or next(iter(job.run.inputs))
    return {primary: job.run.inputs[primary], **job.run.inputs}


def _source_variables(job: Job) -> dict[str, str]:
    revisions = job.run.execution.revisions
    return {"CODEBUILD_RESOLVED_SOURCE_VERSION": revisions[0].id} if revisions else {}


def _variables(job: Job) -> list[dict[str, Any]]:
    text = job.setting("EnvironmentVariables") or "[]"
    try:
        found: list[dict[str, Any]] = json.loads(text)
        return [{"type": "PLAINTEXT", **one, "value": str(one["value"])} for one in found]
    except (ValueError, TypeError, KeyError) as error:
        raise ActionFailed(
            f"EnvironmentVariables is not a JSON list of objects with name and value: {error}",
            code="ConfigurationError",
        ) from error
