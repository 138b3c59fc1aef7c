"""The smoke test: every function is asked through the release's alias, before any user is."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from manuel_release.apply.context import Context, Done
from manuel_release.errors import ReleaseError
from manuel_release.observe.asking import released_by
from manuel_release.observe.service import service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import SmokeTest
    from manuel_release.model.traffic import Invocation
    from manuel_release.settings import SmokeRequest


def proxy_event(method: str, path: str, stage: str) -> dict[str, Any]:
    """A request as API Gateway's Lambda proxy integration hands it over, from nobody signed in.

    Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
    """
    request_id = str(uuid.uuid4())
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Accept": "application/json", "User-Agent": "manuel-release smoke test"},
        "multiValueHeaders": {"Accept": ["application/json"], "User-Agent": ["manuel-release smoke test"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/{stage}{path}",
            "stage": stage,
            "requestId": request_id,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "manuel-release smoke test"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def complaint(answer: Invocation, release: str, expected: SmokeRequest | None) -> str:
    """What is wrong with a function's answer, empty when it proves the release."""
    if answer.error:
        return f"failed: {answer.error}"
    payload = answer.payload
    if not isinstance(payload, dict) or not isinstance(payload.get("statusCode"), int):
        return f"answered something that is no HTTP response: {str(payload)[:200]}"
    status = payload["statusCode"]
    if expected is not None and status != expected.status:
        return (
            f"answered {status} to {expected.method} {expected.path}, expected {expected.status}: {payload.get('body')}"
        )
    if status >= 500:
        return f"answered {status}: {payload.get('body')}"
    served = released_by(payload.get("headers") or {})
    return "" if served == release else f"says that it is {served or 'no release'}, not {release}"


def smoke_test(step: SmokeTest, context: Context) -> Done:
    """Invoke each function through the alias of the release; raises ReleaseError naming every one that fails."""
    service = service_of(context.aws, step.stack)
    wrong: list[str] = []
    for name in service.functions:
        expected = context.settings.smoke.get(name.removesuffix(f"-{step.short}"))
        method, path = (expected.method, expected.path) if expected else ("GET", "/")
        answer = context.aws.functions.invoke(name, step.release, proxy_event(method, path, service.api_stage))
        problem = complaint(answer, step.release, expected)
        context.progress.note(f"{name}:{step.release} {problem or 'answers as it should'}")
        if problem:
            wrong.append(f"  {name}:{step.release} {problem}")
    if wrong:
        raise ReleaseError(
            f"the smoke test of {step.release} failed:\n" + "\n".join(wrong),
            hint="Correct the function and deploy again; its log group has the details.",
        )
    return Done(f"{len(service.functions)} functions answer as {step.release}")
