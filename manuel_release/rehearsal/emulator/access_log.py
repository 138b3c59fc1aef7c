"""Access logs of stages: a line in the stage's own format for each request.

Source: API Gateway developer guide, "Variables for access logging for API Gateway" and, for the canary, "Set up an API
Gateway canary release deployment": lines of the canary go to the chosen log group like all others, and once more to
`<log group>/Canary`. A variable without a value is written as `-`. Values are escaped as JSON strings when the format
is a JSON object, so that a line can always be parsed. Stage variables are not available to access logs.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from typing import TYPE_CHECKING

from ministack.services import cloudwatch_logs

from manuel_release.rehearsal.emulator import exchange as exchanges
from manuel_release.rehearsal.emulator import scope

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.exchange import Exchange

REQUIRES = {
    "ministack.services.cloudwatch_logs._log_groups": None,
    "ministack.services.cloudwatch_logs._create_log_group": ("data",),
    "ministack.services.cloudwatch_logs._create_log_stream": ("data",),
    "ministack.services.cloudwatch_logs._put_log_events": ("data",),
}

_CONTEXT = re.compile(r"\$context\.(\w+(?:\.\w+)*)")


def values(exchange: Exchange) -> dict[str, object]:
    """The $context variables of a request, by name without the prefix; None and missing ones have no value."""
    account_id, _region = scope.current()
    arrived = time.gmtime(exchange.arrived)
    integration = exchange.integration
    ran = 200 if integration is not None and integration.ran else None
    claims = exchange.authorizer.get("claims")
    known: dict[str, object] = {
        "accountId": account_id,
        "apiId": exchange.api_id,
        "deploymentId": exchange.stage["deploymentId"],
        "error.message": exchange.error_message,
        "error.messageString": None if exchange.error_message is None else json.dumps(exchange.error_message),
        "error.responseType": exchange.error_type,
        "extendedRequestId": exchange.request_id,
        "httpMethod": exchange.method,
        "identity.sourceIp": exchange.source_ip,
        "identity.userAgent": exchange.headers.get("user-agent"),
        "isCanaryRequest": None if exchange.canary is None else str(exchange.canary).lower(),
        "path": f"/{exchange.stage['stageName']}{exchange.path}",
        "protocol": "HTTP/1.1",
        "requestId": exchange.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", arrived),
        "requestTimeEpoch": int(exchange.arrived * 1000),
        "resourceId": exchange.resource_id or None,
        "resourcePath": exchange.resource_path or None,
        "responseLatency": exchange.latency_ms,
        "responseLength": exchange.response_bytes,
        "stage": exchange.stage["stageName"],
        "status": exchange.status,
        "authorizer.principalId": exchange.authorizer.get("principalId"),
    }
    for name, claim in (claims or {}).items():
        known[f"authorizer.claims.{name}"] = claim
    for name, value in exchange.authorizer.items():
        if name != "claims":
            known[f"authorizer.{name}"] = value
    if integration is not None:
        known |= {
            "awsEndpointRequestId": integration.request_id,
            "integration.error": integration.error,
            "integration.integrationStatus": ran,
            "integration.latency": integration.latency_ms,
            "integration.requestId": integration.request_id,
            "integration.status": integration.status,
            "integrationErrorMessage": integration.error,
            "integrationLatency": integration.latency_ms,
            "integrationStatus": ran,
        }
    return known


def line(template: str, known: dict[str, object]) -> str:
    """The format with every $context variable filled in."""
    as_json = template.lstrip().startswith("{")

    def value(found: re.Match[str]) -> str:
        given = known.get(found[1])
        if given is None:
            return "-"
        if as_json and found[1] != "error.messageString":  # which brings its own quotes
            return json.dumps(str(given), ensure_ascii=False)[1:-1]
        return str(given)

    return _CONTEXT.sub(value, template)


def _write(group: str, stream: str, at_ms: int, message: str) -> None:
    cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})  # refused when it exists
    event = {"timestamp": at_ms, "message": message}
    cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})


def log(exchange: Exchange) -> None:
    """Write the request's line; nothing while the stage has no access log or its log group does not exist."""
    settings = exchange.stage.get("accessLogSettings") or {}
    _, marker, group = (settings.get("destinationArn") or "").removesuffix(":*").partition(":log-group:")
    if not marker or not settings.get("format") or group not in cloudwatch_logs._log_groups:
        return
    message = line(settings["format"], values(exchange))
    stream = hashlib.sha256(f"{exchange.api_id}/{exchange.stage['stageName']}".encode()).hexdigest()[:32]
    at_ms = int(time.time() * 1000)
    _write(group, stream, at_ms, message)
    if exchange.canary:
        cloudwatch_logs._create_log_group({"logGroupName": f"{group}/Canary"})  # likewise
        _write(f"{group}/Canary", stream, at_ms, message)


def install() -> None:
    """Watch the requests."""
    exchanges.observers.append(log)
