"""Events as API Gateway's REST proxy integration sends them, and the context that Lambda adds."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

ALICE = "a1111111-1111-4111-8111-111111111111"
BOB = "b2222222-2222-4222-8222-222222222222"


@dataclass
class LambdaContext:
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds: float = 28.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def proxy_event(
    method: str,
    resource: str,
    *,
    user: str | None = None,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: object = None,
    raw: str | None = None,
) -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    url = resource.format(**(path or {}))
    headers = {"Accept": "application/json", "Host": "abc123.execute-api.eu-west-1.amazonaws.com"}
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "abc123",
        "stage": "v1",
        "path": f"/v1{url}",
        "resourcePath": resource,
        "httpMethod": method,
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTimeEpoch": 1763884800000,
        "identity": {"sourceIp": "203.0.113.7", "userAgent": "Manuel/3.2 (iOS)"},
    }
    if user is not None:
        headers["Authorization"] = "eyJraWQiOiJ4In0.e30.c2ln"
        context["authorizer"] = {"claims": {"sub": user, "email": f"{user[:1]}@example.com", "token_use": "id"}}
    return {
        "resource": resource,
        "path": url,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": path,
        "stageVariables": {"release": "live"},
        "requestContext": context,
        "body": raw if raw is not None else (None if body is None else json.dumps(body)),
        "isBase64Encoded": False,
    }


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> dict[str, str]:
        return self.json["error"]


def call(handler: Any, event: dict[str, Any], *, seconds: float = 28.0) -> Answer:
    """Invoke a handler and check that API Gateway could use what it returned."""
    result = handler(event, LambdaContext(seconds=seconds))
    assert isinstance(result["statusCode"], int)
    assert isinstance(result["body"], str)
    assert result["isBase64Encoded"] is False
    assert all(isinstance(value, str) for value in result["headers"].values())
    return Answer(result["statusCode"], result["headers"], result["body"])
