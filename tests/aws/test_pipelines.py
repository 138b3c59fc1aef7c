from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.errors import Refused, SettingsError
from manuel_release.model.pipeline import ActionRun, ExecutionStatus

NAME = "manuel-pipeline"
AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
EXECUTIONS = {"pipelineName": NAME, "maxResults": 5}
DECISION = {
    "pipelineName": NAME,
    "stageName": "ProductionApproval",
    "actionName": "DevOps",
    "result": {"summary": "yes", "status": "Approved"},
    "token": "t",
}


def state(stub, *stages):
    answers = stub("codepipeline")
    answers.add_response("get_pipeline_state", {"stageStates": list(stages)}, {"name": NAME})
    answers.add_response("list_pipeline_executions", {"pipelineExecutionSummaries": []}, EXECUTIONS)


def test_an_approval_that_waits_has_a_token(aws, stub) -> None:
    waiting = {"status": "InProgress", "token": "t", "lastStatusChange": AT}
    state(
        stub,
        {
            "stageName": "ProductionApproval",
            "latestExecution": {"pipelineExecutionId": "e1", "status": "InProgress"},
            "actionStates": [
                {"actionName": "DevOps", "latestExecution": waiting},
                {"actionName": "Product", "latestExecution": {"status": "Succeeded", "token": "old"}},
                {"actionName": "Later"},
            ],
        },
    )

    (stage,) = aws.pipelines.state(NAME).stages

    assert (stage.execution_id, stage.status) == ("e1", ExecutionStatus.IN_PROGRESS)
    assert [(one.name, one.waits) for one in stage.actions] == [("DevOps", True), ("Product", False), ("Later", False)]
    assert stage.actions[2].status is ExecutionStatus.NOT_RUN


def test_a_stage_that_is_paused_says_why_and_who_waits_at_its_door(aws, stub) -> None:
    state(
        stub,
        {
            "stageName": "DeployDev",
            "inboundTransitionState": {"enabled": False, "disabledReason": "holiday", "lastChangedBy": "arn:ann"},
            "inboundExecutions": [{"pipelineExecutionId": "e2", "status": "InProgress"}],
        },
    )

    (stage,) = aws.pipelines.state(NAME).stages

    assert (stage.open, stage.closed_reason, stage.closed_by) == (False, "holiday", "arn:ann")
    assert stage.waiting_ids == ("e2",)
    assert stage.status is ExecutionStatus.NOT_RUN


def test_a_pipeline_that_is_not_there_is_a_matter_of_settings(aws, stub) -> None:
    stub("codepipeline").add_client_error("get_pipeline_state", "PipelineNotFoundException")

    with pytest.raises(SettingsError, match="there is no pipeline manuel-pipeline in eu-west-1"):
        aws.pipelines.state(NAME)


def test_executions_carry_commit_trigger_and_why_they_were_stopped(aws, stub) -> None:
    found = {
        "pipelineExecutionId": "e1",
        "status": "Stopped",
        "startTime": AT,
        "sourceRevisions": [{"actionName": "Source", "revisionId": "9d01", "revisionSummary": "Faster"}],
        "trigger": {"triggerType": "WebhookV2", "triggerDetail": "push"},
        "stopTrigger": {"reason": "a hotfix"},
    }
    stub("codepipeline").add_response("list_pipeline_executions", {"pipelineExecutionSummaries": [found]}, EXECUTIONS)

    (one,) = aws.pipelines.executions(NAME, 5)

    assert (one.revision, one.message, one.trigger, one.stop_reason) == ("9d01", "Faster", "WebhookV2", "a hotfix")
    assert one.status is ExecutionStatus.STOPPED


def run(action, at, status="Succeeded"):
    return {
        "pipelineExecutionId": "e1",
        "stageName": "ProductionApproval",
        "actionName": action,
        "status": status,
        "startTime": at,
        "lastUpdateTime": at,
        "updatedBy": "arn:ann",
        "input": {"actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}},
        "output": {"executionResult": {"externalExecutionSummary": "fine"}},
    }


def test_runs_of_an_execution_come_from_every_page_oldest_first(aws, stub) -> None:
    answers, asked = stub("codepipeline"), {"pipelineName": NAME, "filter": {"pipelineExecutionId": "e1"}}
    later = AT.replace(hour=7)
    answers.add_response(
        "list_action_executions", {"actionExecutionDetails": [run("Product", later)], "nextToken": "n"}, asked
    )
    answers.add_response(
        "list_action_executions", {"actionExecutionDetails": [run("DevOps", AT)]}, {**asked, "nextToken": "n"}
    )

    first, second = aws.pipelines.runs(NAME, "e1")

    assert (first.action, second.action) == ("DevOps", "Product")
    assert first == ActionRun(
        "e1", "ProductionApproval", "DevOps", "Approval", ExecutionStatus.SUCCEEDED, AT, AT, "arn:ann", "fine"
    )


def test_starting_hands_variables_on_and_is_done_once_for_a_token(aws, stub) -> None:
    asked = {"name": NAME, "variables": [{"name": "Reason", "value": "why"}], "clientRequestToken": "k" * 32}
    stub("codepipeline").add_response("start_pipeline_execution", {"pipelineExecutionId": "e9"}, asked)

    assert aws.pipelines.start(NAME, {"Reason": "why"}, "k" * 32) == "e9"


def test_stopping_shortens_the_reason_to_what_aws_takes(aws, stub) -> None:
    asked = {"pipelineName": NAME, "pipelineExecutionId": "e1", "abandon": False, "reason": "x" * 200}
    stub("codepipeline").add_response("stop_pipeline_execution", {}, asked)

    aws.pipelines.stop(NAME, "e1", "x" * 300)


def test_stopping_what_stops_already_is_fine(aws, stub) -> None:
    stub("codepipeline").add_client_error("stop_pipeline_execution", "DuplicatedStopRequestException")

    aws.pipelines.stop(NAME, "e1", "why")


@pytest.mark.parametrize(("every", "mode"), [(False, "FAILED_ACTIONS"), (True, "ALL_ACTIONS")])
def test_a_retry_runs_failed_actions_or_all(aws, stub, every, mode) -> None:
    asked = {"pipelineName": NAME, "stageName": "Build", "pipelineExecutionId": "e1", "retryMode": mode}
    stub("codepipeline").add_response("retry_stage_execution", {"pipelineExecutionId": "e1"}, asked)

    assert aws.pipelines.retry(NAME, "Build", "e1", every=every) == "e1"


def test_a_stage_that_cannot_be_retried_is_a_refusal(aws, stub) -> None:
    stub("codepipeline").add_client_error("retry_stage_execution", "StageNotRetryableException", "It did not fail")

    with pytest.raises(Refused, match="Build cannot be retried: It did not fail"):
        aws.pipelines.retry(NAME, "Build", "e1")


def test_a_reason_for_a_pause_keeps_what_aws_takes(aws, stub) -> None:
    asked = {"pipelineName": NAME, "stageName": "Build", "transitionType": "Inbound", "reason": "it s broken - see 7"}
    stub("codepipeline").add_response("disable_stage_transition", {}, asked)

    aws.pipelines.pause(NAME, "Build", "it's broken: - see #7,")


def test_resuming_opens_the_door(aws, stub) -> None:
    asked = {"pipelineName": NAME, "stageName": "Build", "transitionType": "Inbound"}
    stub("codepipeline").add_response("enable_stage_transition", {}, asked)

    aws.pipelines.resume(NAME, "Build")


def test_a_decision_is_put_with_its_token(aws, stub) -> None:
    stub("codepipeline").add_response("put_approval_result", {}, DECISION)

    aws.pipelines.decide(NAME, "ProductionApproval", "DevOps", approved=True, summary="yes", token="t")


@pytest.mark.parametrize("code", ["InvalidApprovalTokenException", "ApprovalAlreadyCompletedException"])
def test_a_decision_that_somebody_took_before_is_a_refusal(aws, stub, code) -> None:
    stub("codepipeline").add_client_error("put_approval_result", code)

    with pytest.raises(Refused, match="ProductionApproval/DevOps does not wait any more"):
        aws.pipelines.decide(NAME, "ProductionApproval", "DevOps", approved=True, summary="yes", token="t")
