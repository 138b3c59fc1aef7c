"""What EventBridge hears of pipelines, stages and actions, and what an approval publishes to its topic.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import notices, scope
from manuel_release.rehearsal.emulator.codepipeline import state

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import ActionRun, Execution, Place, StageRun

REQUIRES = notices.REQUIRES


def moment(seconds: float) -> str:
    """A time as events have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _send(execution: Execution, level: str, detail: dict[str, Any]) -> None:
    if execution.forgotten:
        return
    always = {
        "pipeline": execution.pipeline.name,
        "execution-id": execution.id,
        "start-time": moment(execution.started),
        "version": float(execution.version),
        "pipeline-execution-attempt": float(execution.attempt),
    }
    title = f"CodePipeline {level} Execution State Change"
    notices.send("codepipeline", title, [execution.pipeline.arn], {**always, **detail})


def pipeline(execution: Execution, event: str) -> None:
    """Send STARTED, SUCCEEDED, RESUMED, FAILED, STOPPING, STOPPED, CANCELED or SUPERSEDED of an execution."""
    trigger = execution.push or {
        "trigger-type": execution.trigger["triggerType"],
        "trigger-detail": execution.trigger.get("triggerDetail", ""),
    }
    detail = {"state": event, "execution-trigger": trigger}
    if event in {"STOPPING", "STOPPED"} and execution.stop_reason:
        detail["stop-execution-comments"] = execution.stop_reason
    _send(execution, "Pipeline", detail)


def stage(run: StageRun, event: str) -> None:
    """Send STARTED, SUCCEEDED, RESUMED, FAILED, STOPPING, STOPPED or CANCELED of a stage."""
    detail: dict[str, Any] = {"stage": run.name, "state": event}
    if run.last_retry:
        detail["stage-last-retry-attempt-time"] = run.last_retry
    _send(run.execution, "Stage", detail)


def _artifacts(places: dict[str, Place]) -> list[dict[str, Any]]:
    return [{"name": name, "s3location": {"bucket": place.bucket, "key": place.key}} for name, place in places.items()]


def action(run: ActionRun, event: str) -> None:
    """Send STARTED, SUCCEEDED, FAILED or ABANDONED of an action."""
    _account_id, region = scope.current()
    kind = run.action["actionTypeId"]
    result = state.present(
        **{
            "external-execution-url": run.external_url or None,
            "external-execution-summary": run.summary or (run.error or {}).get("message"),
            "external-execution-id": run.external_id or None,
            "error-code": (run.error or {}).get("code"),
        }
    )
    detail: dict[str, Any] = {
        "stage": run.stage,
        "action-execution-id": run.id,
        "action": run.name,
        "state": event,
        "region": region,
        "type": {member: kind[member] for member in ("owner", "provider", "category", "version")},
        "start-time": moment(run.started),
    }
    if event != "STARTED" and result:
        detail["execution-result"] = result
    if run.inputs:
        detail["input-artifacts"] = _artifacts(run.inputs)
    if run.outputs and event == "SUCCEEDED":
        detail["output-artifacts"] = _artifacts(run.outputs)
    _send(run.execution, "Action", detail)


def approval_needed(run: ActionRun, topic: str) -> str:
    """Publish that an approval waits; returns why it could not be published, empty when it was."""
    _account_id, region = scope.current()
    name = run.execution.pipeline.name
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/view?region={region}"
    expires = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(run.expires or 0))
    approval = state.present(
        pipelineName=name,
        stageName=run.stage,
        actionName=run.name,
        token=run.token,
        expires=expires,
        externalEntityLink=run.configuration.get("ExternalEntityLink"),
        approvalReviewLink=f"{console}#/{run.stage}/{run.name}/approve/{run.token}",
        customData=run.configuration.get("CustomData"),
    )
    subject = f"APPROVAL NEEDED: AWS CodePipeline {name} for action {run.name}"
    return notices.publish(topic, subject, {"region": region, "consoleLink": console, "approval": approval})
