"""What a pipeline looks like from outside: its stages now, and its actions over time.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator.codepipeline import executions, state
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, present

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import (
        ActionRun,
        Execution,
        Info,
        Pipeline,
        Place,
        StageRun,
    )
    from manuel_release.rehearsal.emulator.targets import Body, Caller

GATES = ("beforeEntry", "onSuccess", "onFailure")


def pipeline_state(body: Body, _caller: Caller) -> Body:
    """GetPipelineState: stage by stage, what is in it and what waits before it."""
    with CHANGED:
        found = state.pipeline(body["name"])
        return {
            "pipelineName": found.name,
            "pipelineVersion": found.version,
            "stageStates": [_stage(found, stage) for stage in found.declaration["stages"]],
            "created": found.created,
            "updated": found.updated,
        }


def _stage(found: Pipeline, stage: Info) -> Info:
    name = stage["name"]
    latest = found.latest_stage(name)
    waiting = [one for one in found.waiting.get(name, []) if not one.ended]
    inbound = [_execution(one, one.status) for one in waiting]
    shown = present(
        stageName=name,
        inboundExecution=inbound[-1] if inbound else None,
        inboundExecutions=inbound,
        inboundTransitionState=_transition(found, name),
        actionStates=[_action(found, name, action) for action in stage["actions"]],
    )
    if latest is not None:
        shown["latestExecution"] = _execution(latest.execution, _status(latest))
        shown |= {f"{gate}ConditionState": _condition(latest, gate) for gate in GATES if gate in latest.conditions}
        retries = present(
            autoStageRetryAttempt=latest.automatic_retries or None,
            manualStageRetryAttempt=latest.manual_retries or None,
        )
        if retries:
            manual = latest.manual_retries > 0
            retries["latestRetryTrigger"] = "ManualStageRetry" if manual else "AutomatedStageRetry"
            shown["retryStageMetadata"] = retries
    return shown


def _execution(one: Execution, status: str) -> Info:
    return {"pipelineExecutionId": one.id, "status": status, "type": one.kind}


def _status(run: StageRun) -> str:
    stopping = run.status == state.IN_PROGRESS and bool(run.execution.stop)
    return state.STOPPING if stopping else run.status


def _transition(found: Pipeline, stage: str) -> Info:
    disabled = found.disabled.get((stage, "Inbound"))
    if disabled is None:
        return {"enabled": True}
    return {
        "enabled": False,
        "lastChangedBy": disabled.by,
        "lastChangedAt": disabled.at,
        "disabledReason": disabled.reason,
    }


def _condition(run: StageRun, gate: str) -> Info:
    found = run.conditions[gate]
    rules = [
        {
            "ruleName": name,
            "latestExecution": present(status=status, summary=summary or None, lastStatusChange=found.at),
        }
        for name, status, summary in found.rules
    ]
    latest = present(status=found.status, summary=found.summary or None)
    condition = {"latestExecution": {**latest, "lastStatusChange": found.at}, "ruleStates": rules}
    return {"latestExecution": latest, "conditionStates": [condition]}


def _action(found: Pipeline, stage: str, action: Info) -> Info:
    run = found.latest_action(stage, action["name"])
    if run is None:
        return {"actionName": action["name"]}
    revision = next((one for one in run.execution.revisions if one.action == run.name), None)
    latest = present(
        actionExecutionId=run.id,
        status=run.status,
        summary=run.summary or None,
        lastStatusChange=run.updated,
        token=run.token or None,
        lastUpdatedBy=run.updated_by or None,
        externalExecutionId=run.external_id or None,
        externalExecutionUrl=run.external_url or None,
        errorDetails=run.error,
        logStreamARN=run.log_stream or None,
    )
    source = action["actionTypeId"]["category"] == "Source"
    return present(
        actionName=action["name"],
        currentRevision=(
            {"revisionId": revision.id, "revisionChangeId": revision.id, "created": revision.created}
            if source and revision is not None
            else None
        ),
        latestExecution=latest,
        revisionUrl=revision.url if source and revision is not None and revision.url else None,
    )


def action_executions(body: Body, _caller: Caller) -> Body:
    """ListActionExecutions, newest first, of all executions or of one."""
    wanted = body.get("filter") or {}
    latest = (wanted.get("latestInPipelineExecution") or {}).get("pipelineExecutionId")
    only = wanted.get("pipelineExecutionId") or latest
    with CHANGED:
        found = state.pipeline(body["pipelineName"])
        chosen = [state.execution(found, only)] if only else found.executions
        runs = sorted((run for one in chosen for run in one.action_runs()), key=lambda run: run.started, reverse=True)
        if latest:
            runs = [run for run in runs if _is_latest(run)]
        details = [_detail(run) for run in runs]
    return executions.page(details, "actionExecutionDetails", body)


def _is_latest(run: ActionRun) -> bool:
    stage = run.execution.stage(run.stage)
    return stage is not None and stage.latest(run.name) is run


def _places(places: dict[str, Place]) -> list[Info]:
    return [{"name": name, "s3location": {"bucket": place.bucket, "key": place.key}} for name, place in places.items()]


def _detail(run: ActionRun) -> Info:
    action = run.action
    result = present(
        externalExecutionId=run.external_id or None,
        externalExecutionSummary=run.summary or None,
        externalExecutionUrl=run.external_url or None,
        errorDetails=run.error,
        logStreamARN=run.log_stream or None,
    )
    return present(
        pipelineExecutionId=run.execution.id,
        actionExecutionId=run.id,
        pipelineVersion=run.execution.version,
        stageName=run.stage,
        actionName=run.name,
        startTime=run.started,
        lastUpdateTime=run.updated,
        updatedBy=run.updated_by or None,
        status=run.status,
        input=present(
            actionTypeId=action["actionTypeId"],
            configuration=action["configuration"],
            resolvedConfiguration=run.configuration,
            roleArn=action.get("roleArn"),
            region=run.execution.pipeline.arn.split(":")[3],
            inputArtifacts=_places(run.inputs),
            namespace=action.get("namespace"),
        ),
        output={
            "outputArtifacts": _places(run.outputs) if run.status == state.SUCCEEDED else [],
            "executionResult": result,
            "outputVariables": dict(run.variables),
        },
    )


OPERATIONS = {
    "GetPipelineState": pipeline_state,
    "ListActionExecutions": action_executions,
}
