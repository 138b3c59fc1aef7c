"""Calls of backends from a REST API: stage variables in URIs, time-outs, and failures as API Gateway answers them.

`${stageVariables.x}` is replaced before the Lambda service resolves the reference, so an alias reaches it as an alias
and its weights apply. Failures follow the Lambda developer guide, "Handling Lambda errors with an API Gateway API": 500
when Lambda refuses the invocation (a missing function or alias, throttling), 502 when the function fails or answers in
a wrong format ("Lambda proxy integrations", output format), both with {"message": "Internal server error"}; 504 after
the integration's timeoutInMillis. An undefined variable leaves no valid function to call: 500.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1, lambda_svc

from manuel_release.rehearsal.emulator import exchange as exchanges
from manuel_release.rehearsal.emulator.gateway import BAD_GATEWAY, INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_INVOKE = (
    "integration",
    "api_id",
    "stage_name",
    "stage",
    "resource",
    "request_path",
    "method",
    "headers",
    "body",
    "query_params",
    "path_params",
    "owner_account_id",
    "owner_region",
    "binary_media_types",
    "authorizer_context",
    "caller_identity",
)

REQUIRES = {
    "ministack.services.apigateway_v1._GatewayError": ("response_type", "message", "error_type"),
    "ministack.services.apigateway_v1._invoke_lambda_proxy_v1": _INVOKE,
    "ministack.services.apigateway_v1._invoke_lambda_custom_v1": _INVOKE,
    "ministack.services.apigateway_v1._invoke_http_proxy_v1": (
        "integration",
        "path",
        "method",
        "headers",
        "body",
        "query_params",
        "path_params",
    ),
    "ministack.services.apigateway_v1._invoke_authorizer_lambda": ("authorizer", "event", "account_id", "region"),
    "ministack.services.apigateway_v1._lambda_proxy_response": ("result",),
    "ministack.services.lambda_svc._execute_function_dispatch": ("func", "config", "event", "request_id", "started"),
}

DEFAULT_TIMEOUT_MS = 29_000
PROXY_OUTPUT = {"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"}

_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


def resolved(uri: str, variables: Mapping[str, str]) -> str | None:
    """`uri` with its stage variables filled in; None when it names one that is not set."""
    if any(not variables.get(name) for name in _VARIABLE.findall(uri)):
        return None
    return _VARIABLE.sub(lambda found: variables[found[1]], uri)


def _calling(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(integration: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        exchange = exchanges.current.get()
        if exchange is None:
            return await original(integration, *arguments, **named)
        uri = resolved(integration.get("uri") or "", exchange.variables)
        if uri is None:
            return apigateway_v1._GatewayError("API_CONFIGURATION_ERROR", INTERNAL_ERROR)
        exchange.integration = made = exchanges.Integration()
        started = time.perf_counter()
        task = asyncio.ensure_future(original({**integration, "uri": uri}, *arguments, **named))
        seconds = int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000
        done, _pending = await asyncio.wait({task}, timeout=seconds)
        made.latency_ms = round((time.perf_counter() - started) * 1000)
        if not done:  # the function runs on, as on AWS
            made.error = "Execution failed due to a timeout error"
            return apigateway_v1._GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        answer = task.result()
        if made.failure is not None:
            return apigateway_v1._GatewayError(made.failure, INTERNAL_ERROR, "InternalServerErrorException")
        if made.status is None and not isinstance(answer, apigateway_v1._GatewayError):
            made.status = int(answer[0])
        return answer

    return call


def malformed(output: object) -> str | None:
    """Why API Gateway would not take a function's output as a proxy response; None when it would."""
    if not isinstance(output, dict):
        return "the output is not an object"
    unknown = sorted(output.keys() - PROXY_OUTPUT)
    if unknown:
        return f"unknown members: {', '.join(unknown)}"
    if not re.fullmatch(r"\d{3}", str(output.get("statusCode", 200))):
        return "statusCode is not an HTTP status"
    if not isinstance(output.get("body") or "", str):
        return "body is not a string"
    if not isinstance(output.get("headers") or {}, dict) or not isinstance(output.get("multiValueHeaders") or {}, dict):
        return "headers are not an object"
    return None


def _reading(original: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    def proxy_response(result: dict[str, Any]) -> tuple[Any, Any]:
        exchange = exchanges.current.get()
        made = exchange.integration if exchange else None
        if made is None:
            return original(result)
        output: Any = result.get("body")
        if result.get("throttle"):
            made.failure, made.error = "API_CONFIGURATION_ERROR", "Lambda refused the invocation: rate exceeded"
        elif result.get("error"):
            made.failure, made.error = BAD_GATEWAY, "The Lambda function returned an error"
            if isinstance(output, dict) and output.get("errorMessage"):
                made.error = str(output["errorMessage"])
        else:
            wrong = malformed(output)
            if wrong is None:
                made.status = int(output.get("statusCode", 200))
                return {"statusCode": made.status, **output}, None
            made.failure, made.error = BAD_GATEWAY, f"Malformed Lambda proxy response: {wrong}"
        return None, made.error

    return proxy_response


def _authorizing(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def invoke_authorizer(authorizer: dict[str, Any], event: Any, account_id: str, region: str) -> Any:
        exchange = exchanges.current.get()
        uri = resolved(authorizer.get("authorizerUri") or "", exchange.variables if exchange else {})
        if uri is None:
            return None
        return await original({**authorizer, "authorizerUri": uri}, event, account_id, region)

    return invoke_authorizer


def _dispatching(original: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        exchange = exchanges.current.get()
        if exchange is not None and exchange.integration is not None:
            exchange.integration.request_id, exchange.integration.ran = request_id, True
        return original(func, config, event, request_id, started)

    return dispatch


def install() -> None:
    """Wrap the calls of functions and HTTP backends, and the reading of what a function returned."""
    apigateway_v1._invoke_lambda_proxy_v1 = _calling(apigateway_v1._invoke_lambda_proxy_v1)
    apigateway_v1._invoke_lambda_custom_v1 = _calling(apigateway_v1._invoke_lambda_custom_v1)
    apigateway_v1._invoke_http_proxy_v1 = _calling(apigateway_v1._invoke_http_proxy_v1)
    apigateway_v1._invoke_authorizer_lambda = _authorizing(apigateway_v1._invoke_authorizer_lambda)
    apigateway_v1._lambda_proxy_response = _reading(apigateway_v1._lambda_proxy_response)
    lambda_svc._execute_function_dispatch = _dispatching(lambda_svc._execute_function_dispatch)
