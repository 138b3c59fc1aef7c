"""What people and functions report: the result of an approval, the result of a job.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator.codepipeline import state
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, ActionRun
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller


def approve(body: Body, caller: Caller) -> Body:
    """PutApprovalResult: once, with the token of the approval that waits."""
    with CHANGED:
        pipeline = state.pipeline(body["pipelineName"])
        stage = state.stage(pipeline, body["stageName"])
        if body["actionName"] not in {action["name"] for action in stage["actions"]}:
            raise ServiceError(
                "ActionNotFoundException",
                f"Stage '{stage['name']}' does not have an action with name '{body['actionName']}'",
            )
        run = _approval(pipeline, stage["name"], body)
        if run.status != state.IN_PROGRESS or run.answer is not None:
            raise ServiceError(
                "ApprovalAlreadyCompletedException",
                f"The approval action {run.name} has already been approved or rejected",
            )
        now = time.time()
        run.answer = dict(body["result"])
        run.updated_by, run.updated = caller.arn, now
        CHANGED.notify_all()
    return {"approvedAt": now}


def _approval(pipeline: state.Pipeline, stage: str, body: Body) -> ActionRun:
    for execution in pipeline.executions:
        for run in execution.action_runs():
            if (run.stage, run.name, run.approval_token) == (stage, body["actionName"], body["token"]):
                return run
    raise ServiceError("InvalidApprovalTokenException", "The approval token is not valid for this approval action")


def _job(job_id: str) -> ActionRun:
    for pipeline in state.pipelines.values():
        for execution in pipeline.executions:
            for run in execution.action_runs():
                if run.id == job_id and run.action["actionTypeId"]["provider"] == "Lambda":
                    found: ActionRun = run
                    return found
    raise ServiceError("JobNotFoundException", f"There is no job {job_id}")


def _report(job_id: str, answer: Body) -> Body:
    with CHANGED:
        run = _job(job_id)
        if run.status != state.IN_PROGRESS or run.answer is not None:
            raise ServiceError("InvalidJobStateException", f"The job {job_id} is in state {run.status}")
        run.answer = answer
        CHANGED.notify_all()
    return {}


def job_succeeded(body: Body, _caller: Caller) -> Body:
    """PutJobSuccessResult; with a continuation token the function is invoked again."""
    return _report(body["jobId"], body)


def job_failed(body: Body, _caller: Caller) -> Body:
    """PutJobFailureResult."""
    return _report(body["jobId"], {"failureDetails": body["failureDetails"]})


OPERATIONS = {
    "PutApprovalResult": approve,
    "PutJobSuccessResult": job_succeeded,
    "PutJobFailureResult": job_failed,
}
