"""Invoke actions: a function gets the job, and reports with PutJobSuccessResult or PutJobFailureResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Outcome

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.job import Job

REQUIRES = {
    "ministack.app.call_service_handler_sync": (
        "handler", "method", "path", "headers", "body", "query_params", "timeout",
    ),
    "ministack.services.lambda_svc.handle_request": ("method", "path", "headers", "body", "query_params"),
}  # fmt: skip
TIMEOUT_SECONDS = 20 * 60.0
CREDENTIAL_SECONDS = 3600.0
CONTINUE_SECONDS = 30.0
CALL_SECONDS = 900.0


def invoke(function: str, event: dict[str, Any], kind: str) -> tuple[int, dict[str, str], bytes]:
    """Invoke a function from a thread: `Event`, or `RequestResponse` to wait for its answer."""
    answer: tuple[int, dict[str, str], bytes] = app.call_service_handler_sync(
        lambda_svc.handle_request,
        "POST",
        f"/2015-03-31/functions/{function}/invocations",
        {"x-amz-invocation-type": kind, "content-type": "application/json"},
        json.dumps(event).encode(),
        {},
        CALL_SECONDS,
    )
    return answer


def arn_of(function: str) -> str:
    """ARN of a function of this account and region, given by name or ARN."""
    account_id, region = scope.current()
    return function if function.startswith("arn:") else f"arn:aws:lambda:{region}:{account_id}:function:{function}"


def run(job: Job) -> Outcome:
    """Invoke the function and wait for its report, again and again as long as it reports a continuation token."""
    function = job.setting("FunctionName")
    job.actor.require("lambda:InvokeFunction", arn_of(function))
    token = ""
    while True:
        status, _headers, body = invoke(function, _event(job, token), "Event")
        if status >= 400:
            message = json.loads(body).get("message", f"HTTP {status}")
            raise ActionFailed(f"The AWS Lambda function {function} failed to be invoked: {message}")
        if not job.wait_for(lambda: job.run.answer is not None, TIMEOUT_SECONDS):
            minutes = int(TIMEOUT_SECONDS / 60)
            raise ActionFailed(f"The AWS Lambda function {function} failed to return a result within {minutes} minutes")
        answer, job.run.answer = job.run.answer or {}, None
        if "failureDetails" in answer:
            details = answer["failureDetails"]
            raise ActionFailed(str(details["message"]), code=str(details["type"]), summary=str(details["message"]))
        token = str(answer.get("continuationToken") or "")
        if not token:
            details = answer.get("executionDetails") or {}
            job.run.external_id = str(details.get("externalExecutionId") or "")
            return Outcome(dict(answer.get("outputVariables") or {}), str(details.get("summary") or ""))
        job.pause(CONTINUE_SECONDS)


def _event(job: Job, token: str) -> dict[str, Any]:
    account_id, _region = scope.current()

    def artifacts(places: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "revision": None,
                "location": {"type": "S3", "s3Location": {"bucketName": place.bucket, "objectKey": place.key}},
            }
            for name, place in places.items()
        ]

    keys = job.actor.credentials(CREDENTIAL_SECONDS)
    data = {
        "actionConfiguration": {"configuration": job.run.configuration},
        "inputArtifacts": artifacts(job.run.inputs),
        "outputArtifacts": artifacts(job.run.outputs),
        "artifactCredentials": {
            "accessKeyId": keys["AWS_ACCESS_KEY_ID"],
            "secretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "sessionToken": keys["AWS_SESSION_TOKEN"],
        },
    }
    if token:
        data["continuationToken"] = token
    return {"CodePipeline.job": {"id": job.run.id, "accountId": account_id, "data": data}}
