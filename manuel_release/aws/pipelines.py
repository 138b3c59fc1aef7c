"""CodePipeline: what runs, what waits for whom, and the few things that people do to it.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from manuel_release.aws.errors import code_of, translated
from manuel_release.errors import Refused, SettingsError
from manuel_release.model.pipeline import (
    ActionRun,
    ActionState,
    Execution,
    ExecutionStatus,
    PipelineState,
    StageState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.aws.session import Session

STOP_REASON_CHARACTERS = 200
SUMMARY_CHARACTERS = 512
TRANSITION_REASON_CHARACTERS = 300
_NOT_IN_A_REASON = re.compile(r"[^a-zA-Z0-9!@ ().*?-]+")


class Pipelines:
    """Reads and steers pipelines."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _client(self) -> Any:
        return self._session.client("codepipeline")

    def state(self, name: str, executions: int = 5) -> PipelineState:
        """The pipeline now, with its newest `executions`; raises SettingsError when there is none of that name."""
        with translated(f"cannot read the pipeline {name}"):
            try:
                found = self._client.get_pipeline_state(name=name)
            except self._client.exceptions.PipelineNotFoundException as error:
                raise SettingsError(
                    f"there is no pipeline {name} in {self._session.region}",
                    hint="`manuel-release bootstrap --repository OWNER/NAME` makes one; or check --region.",
                ) from error
        stages = tuple(_stage(one) for one in found.get("stageStates", []))
        return PipelineState(name, stages, self.executions(name, executions))

    def executions(self, name: str, limit: int) -> tuple[Execution, ...]:
        """The newest `limit` executions (1 to 100), newest first."""
        with translated(f"cannot list executions of {name}"):
            found = self._client.list_pipeline_executions(pipelineName=name, maxResults=limit)
        return tuple(_execution(one) for one in found.get("pipelineExecutionSummaries", []))

    def runs(self, name: str, execution_id: str) -> tuple[ActionRun, ...]:
        """What every action of an execution did, oldest first."""
        asked: dict[str, Any] = {"pipelineName": name, "filter": {"pipelineExecutionId": execution_id}}
        found: list[ActionRun] = []
        with translated(f"cannot read what execution {execution_id} of {name} did"):
            while True:
                page = self._client.list_action_executions(**asked)
                found += [_run(one) for one in page.get("actionExecutionDetails", [])]
                if not page.get("nextToken"):
                    return tuple(sorted(found, key=lambda run: run.started_at))
                asked["nextToken"] = page["nextToken"]

    def start(self, name: str, variables: Mapping[str, str], token: str) -> str:
        """Start an execution; its id. The same `token` starts no second one."""
        with translated(f"cannot start {name}"):
            return str(
                self._client.start_pipeline_execution(
                    name=name,
                    variables=[{"name": key, "value": value} for key, value in variables.items()],
                    clientRequestToken=token,
                )["pipelineExecutionId"]
            )

    def stop(self, name: str, execution_id: str, reason: str, *, abandon: bool = False) -> None:
        """Stop an execution: after its running actions, or at once when they are abandoned; harmless when it stops."""
        with translated(f"cannot stop execution {execution_id} of {name}"):
            try:
                self._client.stop_pipeline_execution(
                    pipelineName=name,
                    pipelineExecutionId=execution_id,
                    abandon=abandon,
                    reason=reason[:STOP_REASON_CHARACTERS],
                )
            except self._client.exceptions.DuplicatedStopRequestException:
                return

    def retry(self, name: str, stage: str, execution_id: str, *, every: bool = False) -> str:
        """Run a failed stage again, its failed actions or every one; the execution's id. Refused when it cannot be."""
        with translated(f"cannot retry {stage} of {name}"):
            try:
                answer = self._client.retry_stage_execution(
                    pipelineName=name,
                    stageName=stage,
                    pipelineExecutionId=execution_id,
                    retryMode="ALL_ACTIONS" if every else "FAILED_ACTIONS",
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) not in {"StageNotRetryableException", "NotLatestPipelineExecutionException"}:
                    raise
                raise Refused(
                    f"{stage} cannot be retried: {error.response['Error'].get('Message', '')}",
                    hint="`manuel-release pipeline status` shows what runs; `pipeline start` begins anew.",
                ) from error
        return str(answer["pipelineExecutionId"])

    def pause(self, name: str, stage: str, reason: str) -> None:
        """Let nothing enter a stage; characters that AWS refuses in a reason become spaces."""
        plain = " ".join(_NOT_IN_A_REASON.sub(" ", reason).split())[:TRANSITION_REASON_CHARACTERS]
        with translated(f"cannot pause {stage} of {name}"):
            self._client.disable_stage_transition(
                pipelineName=name, stageName=stage, transitionType="Inbound", reason=plain or "paused"
            )

    def resume(self, name: str, stage: str) -> None:
        """Let executions enter a stage again."""
        with translated(f"cannot resume {stage} of {name}"):
            self._client.enable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound")

    def decide(self, name: str, stage: str, action: str, *, approved: bool, summary: str, token: str) -> None:
        """Approve or reject; raises Refused when somebody did so before."""
        with translated(f"cannot decide {stage}/{action} of {name}"):
            try:
                self._client.put_approval_result(
                    pipelineName=name,
                    stageName=stage,
                    actionName=action,
                    result={
                        "summary": summary[:SUMMARY_CHARACTERS],
                        "status": "Approved" if approved else "Rejected",
                    },
                    token=token,
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) not in {"InvalidApprovalTokenException", "ApprovalAlreadyCompletedException"}:
                    raise
                raise Refused(
                    f"{stage}/{action} does not wait any more: somebody decided it, or its time was up",
                    hint="`manuel-release approval list` shows what waits now.",
                ) from error


def _stage(one: Mapping[str, Any]) -> StageState:
    latest, inbound = one.get("latestExecution") or {}, one.get("inboundTransitionState") or {}
    waiting = one.get("inboundExecutions") or [w for w in [one.get("inboundExecution")] if w]
    return StageState(
        name=str(one["stageName"]),
        status=ExecutionStatus.of(latest["status"]) if latest else ExecutionStatus.NOT_RUN,
        execution_id=str(latest.get("pipelineExecutionId", "")),
        waiting_ids=tuple(str(w["pipelineExecutionId"]) for w in waiting),
        actions=tuple(_action(a) for a in one.get("actionStates", [])),
        open=bool(inbound.get("enabled", True)),
        closed_reason=str(inbound.get("disabledReason", "")),
        closed_by=str(inbound.get("lastChangedBy", "")),
    )


def _action(one: Mapping[str, Any]) -> ActionState:
    latest = one.get("latestExecution") or {}
    return ActionState(
        name=str(one["actionName"]),
        status=ExecutionStatus.of(latest["status"]) if latest.get("status") else ExecutionStatus.NOT_RUN,
        summary=str(latest.get("summary", "")),
        changed_at=latest.get("lastStatusChange"),
        changed_by=str(latest.get("lastUpdatedBy", "")),
        url=str(latest.get("externalExecutionUrl", "")),
        error=str((latest.get("errorDetails") or {}).get("message", "")),
        token=str(latest.get("token", "")),
    )


def _execution(one: Mapping[str, Any]) -> Execution:
    revision, trigger = (one.get("sourceRevisions") or [{}])[0], one.get("trigger") or {}
    return Execution(
        id=str(one["pipelineExecutionId"]),
        status=ExecutionStatus.of(one["status"]),
        started_at=one.get("startTime"),
        changed_at=one.get("lastUpdateTime"),
        revision=str(revision.get("revisionId", "")),
        message=str(revision.get("revisionSummary", "")),
        trigger=str(trigger.get("triggerType", "")),
        trigger_detail=str(trigger.get("triggerDetail", "")),
        stop_reason=str((one.get("stopTrigger") or {}).get("reason", "")),
    )


def _run(one: Mapping[str, Any]) -> ActionRun:
    result = (one.get("output") or {}).get("executionResult") or {}
    return ActionRun(
        execution_id=str(one["pipelineExecutionId"]),
        stage=str(one["stageName"]),
        action=str(one["actionName"]),
        category=str(((one.get("input") or {}).get("actionTypeId") or {}).get("category", "")),
        status=ExecutionStatus.of(one["status"]),
        started_at=one["startTime"],
        changed_at=one.get("lastUpdateTime", one["startTime"]),
        by=str(one.get("updatedBy", "")),
        summary=str(result.get("externalExecutionSummary", "")),
    )
