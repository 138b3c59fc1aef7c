"""Executions: starting, looking at, stopping, retrying and rolling back a stage.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html#concepts-how-it-works-stopping
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator.codepipeline import engine, jobs, notices, state
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, Execution
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import Info, Pipeline, StageRun
    from manuel_release.rehearsal.emulator.targets import Body, Caller

MOST_QUEUED = 50


def begin(
    pipeline: Pipeline,
    *,
    trigger: Info,
    variables: dict[str, str] | None = None,
    wanted: dict[str, str] | None = None,
    push: Info | None = None,
) -> Execution:
    """Start an execution of the pipeline's present version."""
    defaults = {one["name"]: one["defaultValue"] for one in _declared(pipeline) if "defaultValue" in one}
    made = Execution(
        pipeline=pipeline,
        declaration=pipeline.declaration,
        version=pipeline.version,
        trigger=trigger,
        variables={**defaults, **(variables or {})},
        wanted=wanted or {},
        push=push or {},
    )
    with CHANGED:
        pipeline.executions.append(made)
    engine.launch(made)
    return made


def _declared(pipeline: Pipeline) -> list[Info]:
    found: list[Info] = pipeline.declaration.get("variables") or []
    return found


def start(body: Body, caller: Caller) -> Body:
    """StartPipelineExecution."""
    with CHANGED:
        pipeline = state.pipeline(body["name"])
        token = body.get("clientRequestToken")
        if token in pipeline.tokens:
            return {"pipelineExecutionId": pipeline.tokens[token]}
        given = {one["name"]: one["value"] for one in body.get("variables") or []}
        _check_variables(pipeline, given)
        wanted = _revisions(pipeline, body.get("sourceRevisions") or [])
        if pipeline.mode == "QUEUED" and sum(not one.ended for one in pipeline.executions) >= MOST_QUEUED:
            raise ServiceError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline {pipeline.name} has {MOST_QUEUED} executions in its queue",
            )
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": caller.arn}
        made = begin(pipeline, trigger=trigger, variables=given, wanted=wanted)
        if token:
            pipeline.tokens[token] = made.id
    return {"pipelineExecutionId": made.id}


def _check_variables(pipeline: Pipeline, given: dict[str, str]) -> None:
    declared = {one["name"]: one for one in _declared(pipeline)}
    for name in given:
        if name not in declared:
            raise ServiceError("ValidationException", f"Variable {name} is not declared in pipeline {pipeline.name}")
    for name, one in declared.items():
        if name not in given and "defaultValue" not in one:
            raise ServiceError(
                "ValidationException", f"Variable {name} of pipeline {pipeline.name} has no default value"
            )


def _revisions(pipeline: Pipeline, given: list[Info]) -> dict[str, str]:
    names = {action["name"] for action in pipeline.declaration["stages"][0]["actions"]}
    for one in given:
        if one["actionName"] not in names:
            raise ServiceError("ValidationException", f"{one['actionName']} is not a source action of {pipeline.name}")
        if one["revisionType"] != "COMMIT_ID":
            raise ServiceError("ValidationException", f"The source action {one['actionName']} takes a COMMIT_ID")
    return {one["actionName"]: one["revisionValue"] for one in given}


def stop(body: Body, _caller: Caller) -> Body:
    """StopPipelineExecution: after the actions that run, or without waiting for them."""
    with CHANGED:
        pipeline = state.pipeline(body["pipelineName"])
        found = _of(pipeline, body["pipelineExecutionId"])
        if found.ended:
            raise ServiceError(
                "PipelineExecutionNotStoppableException",
                f"The pipeline execution {found.id} is in state {found.status} and cannot be stopped",
            )
        abandon = bool(body.get("abandon"))
        if found.stop and not (abandon and found.stop == "wait"):
            raise ServiceError(
                "DuplicatedStopRequestException", f"The pipeline execution {found.id} is already being stopped"
            )
        found.stop, found.stop_reason = "abandon" if abandon else "wait", str(body.get("reason") or "")
        found.status = state.STOPPING
        CHANGED.notify_all()
    notices.pipeline(found, "STOPPING")
    if abandon:
        jobs.abandon(found)
    return {"pipelineExecutionId": found.id}


def _of(pipeline: Pipeline, execution_id: str) -> Execution:
    try:
        return state.execution(pipeline, execution_id)
    except ServiceError as error:
        raise ServiceError("ValidationException", error.message) from error


def retry(body: Body, _caller: Caller) -> Body:
    """RetryStageExecution: the failed actions of a stage again, or all of them; the execution goes on from there."""
    with CHANGED:
        pipeline = state.pipeline(body["pipelineName"])
        name = state.stage(pipeline, body["stageName"])["name"]
        found = _of(pipeline, body["pipelineExecutionId"])
        run = found.stage(name)
        if run is None or run.status not in {state.FAILED, state.STOPPED} or not found.ended:
            raise ServiceError(
                "StageNotRetryableException",
                f"Stage {name} of the pipeline execution {found.id} has not failed and cannot be retried",
            )
        if pipeline.latest_stage(name) is not run:
            raise ServiceError(
                "NotLatestPipelineExecutionException",
                f"The pipeline execution {found.id} is not the latest one in stage {name}",
            )
        found.status, found.stop, found.stop_reason = state.IN_PROGRESS, "", ""
        found.attempt += 1
        found.updated = time.time()
        run.manual_retries += 1
        run.status = state.IN_PROGRESS
        run.last_retry = notices.moment(time.time())
    notices.pipeline(found, "RESUMED")
    engine.launch(found, again=run, everything=body["retryMode"] == "ALL_ACTIONS")
    return {"pipelineExecutionId": found.id}


def roll_back(body: Body, caller: Caller) -> Body:
    """RollbackStage: the stage again, with the artifacts of an execution that succeeded in it."""
    with CHANGED:
        pipeline = state.pipeline(body["pipelineName"])
        name = state.stage(pipeline, body["stageName"])["name"]
        target = state.execution(pipeline, body["targetPipelineExecutionId"])
        latest: StageRun | None = pipeline.latest_stage(name)
        if latest is None or latest.status == state.IN_PROGRESS or not engine.may_roll_back_to(target, latest):
            raise ServiceError(
                "UnableToRollbackStageException", f"Stage {name} cannot be rolled back to the execution {target.id}"
            )
        if target.version != pipeline.version:
            raise ServiceError(
                "PipelineExecutionOutdatedException", f"The execution {target.id} is of another version of the pipeline"
            )
        made = engine.roll_back(latest, automatic=False, target=target, by=caller.arn)
    return {"pipelineExecutionId": made.id if made is not None else ""}


def get(body: Body, _caller: Caller) -> Body:
    """GetPipelineExecution."""
    with CHANGED:
        found = state.execution(state.pipeline(body["pipelineName"]), body["pipelineExecutionId"])
        revisions = [
            state.present(
                name=one.artifact,
                revisionId=one.id,
                revisionSummary=one.summary or None,
                created=one.created,
                revisionUrl=one.url or None,
            )
            for one in found.revisions
        ]
        described = state.present(
            pipelineName=found.pipeline.name,
            pipelineVersion=found.version,
            pipelineExecutionId=found.id,
            status=found.status,
            statusSummary=found.stop_reason or None,
            artifactRevisions=revisions,
            variables=[{"name": name, "resolvedValue": value} for name, value in found.variables.items()],
            trigger=found.trigger,
            executionMode=found.declaration["executionMode"],
            executionType=found.kind,
            rollbackMetadata=_rollback(found),
        )
    return {"pipelineExecution": described}


def _rollback(found: Execution) -> Info | None:
    return {"rollbackTargetPipelineExecutionId": found.rollback_of} if found.rollback_of else None


def list_all(body: Body, _caller: Caller) -> Body:
    """ListPipelineExecutions, newest first, in pages."""
    wanted = ((body.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
    with CHANGED:
        found = list(reversed(state.pipeline(body["pipelineName"]).executions))
        if wanted:
            found = [one for one in found if (run := one.stage(wanted)) is not None and run.status == state.SUCCEEDED]
        summaries = [_summary(one) for one in found]
    return page(summaries, "pipelineExecutionSummaries", body)


def page(items: list[Info], member: str, body: Body) -> Body:
    """One page of a list; the token is the place of the next item. Raises InvalidNextTokenException."""
    token = str(body.get("nextToken") or "0")
    if not token.isdigit() or int(token) > len(items):
        raise ServiceError("InvalidNextTokenException", f"The next token {token} is not valid")
    first, last = int(token), int(token) + int(body.get("maxResults") or 100)
    return state.present(**{member: items[first:last], "nextToken": str(last) if last < len(items) else None})


def _summary(one: Execution) -> Info:
    return state.present(
        pipelineExecutionId=one.id,
        status=one.status,
        statusSummary=one.stop_reason or None,
        startTime=one.started,
        lastUpdateTime=one.updated,
        sourceRevisions=[
            state.present(
                actionName=found.action,
                revisionId=found.id,
                revisionSummary=found.summary or None,
                revisionUrl=found.url or None,
            )
            for found in one.revisions
        ],
        trigger=one.trigger,
        stopTrigger={"reason": one.stop_reason} if one.stop else None,
        executionMode=one.declaration["executionMode"],
        executionType=one.kind,
        rollbackMetadata=_rollback(one),
    )


OPERATIONS = {
    "StartPipelineExecution": start,
    "StopPipelineExecution": stop,
    "RetryStageExecution": retry,
    "RollbackStage": roll_back,
    "GetPipelineExecution": get,
    "ListPipelineExecutions": list_all,
}
