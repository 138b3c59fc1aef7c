"""The alias that a deployment moves, through ministack's Lambda, so that its weights really route.

https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator import scope

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.appspec import AppSpec

REQUIRES = {
    "ministack.app.call_service_handler_sync": (
        "handler", "method", "path", "headers", "body", "query_params", "timeout",
    ),
    "ministack.services.lambda_svc._functions": None,
    "ministack.services.lambda_svc._resolve_name_and_qualifier": ("name_or_arn",),
    "ministack.services.lambda_svc._update_alias": ("func_name", "alias_name", "data"),
    "ministack.services.lambda_svc.handle_request": ("method", "path", "headers", "body", "query_params"),
}  # fmt: skip

NO_WEIGHTS: dict[str, Any] = {"AdditionalVersionWeights": {}}
HOOK_TIMEOUT_SECONDS = 60.0


class AliasError(Exception):
    """Lambda refused to move the alias."""


def function_arn(function: str) -> str:
    """ARN of a function of this account and region, given by name or ARN."""
    if function.startswith("arn:"):
        return function
    account_id, region = scope.current()
    return f"arn:aws:lambda:{region}:{account_id}:function:{function}"


def _record(function: str) -> dict[str, Any] | None:
    name, _qualifier = lambda_svc._resolve_name_and_qualifier(function)
    found: dict[str, Any] | None = lambda_svc._functions.get(name)
    return found


def function_exists(function: str) -> bool:
    """Whether there is such a function."""
    return _record(function) is not None


def why_not(spec: AppSpec) -> str | None:
    """Why the alias cannot be moved as asked, as one sentence; empty when only AWS's general one applies; else None.

    Raises nothing. The sentence on the current version is AWS's
    (https://github.com/aws/serverless-application-model/issues/291), the others are not known.
    """
    record = _record(spec.function) or {}
    found = record.get("aliases", {}).get(spec.alias)
    if found is None:
        return f"The Lambda function alias {spec.alias} does not exist."
    if (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        return f"The Lambda function alias {spec.alias} already routes traffic to more than one version."
    if found.get("FunctionVersion") != spec.current_version:
        return "The Lambda function alias version does not match the current version in AppSpec file."
    if spec.target_version not in record.get("versions", {}):
        return f"The Lambda function version {spec.target_version} does not exist."
    if spec.target_version == spec.current_version:
        return ""
    return None


def _change(spec: AppSpec, data: dict[str, Any]) -> None:
    name, _qualifier = lambda_svc._resolve_name_and_qualifier(spec.function)
    status, _headers, body = lambda_svc._update_alias(name, spec.alias, data)
    if status >= 400:
        raise AliasError(json.loads(body).get("message") or f"HTTP {status}")


def route(spec: AppSpec, percent: float) -> None:
    """Send `percent` (0-100) of the alias's traffic to the target version, all of it by moving the alias.

    Raises AliasError.
    """
    if percent >= 100:
        _change(spec, {"FunctionVersion": spec.target_version, "RoutingConfig": NO_WEIGHTS})
    else:
        weights = {spec.target_version: percent / 100}
        _change(
            spec,
            {"FunctionVersion": spec.current_version, "RoutingConfig": {"AdditionalVersionWeights": weights}},
        )


def invoke_later(function: str, event: dict[str, str]) -> None:
    """Invoke a function asynchronously, from a thread; raises AliasError when Lambda does not take the event."""
    status, _headers, body = app.call_service_handler_sync(
        lambda_svc.handle_request,
        "POST",
        f"/2015-03-31/functions/{function}/invocations",
        {"x-amz-invocation-type": "Event", "content-type": "application/json"},
        json.dumps(event).encode(),
        {},
        HOOK_TIMEOUT_SECONDS,
    )
    if status >= 400:
        raise AliasError(json.loads(body).get("message") or f"HTTP {status}")
