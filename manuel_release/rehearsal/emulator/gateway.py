"""The data plane of REST APIs: a request is answered from the deployment and with the variables it was routed to.

ministack matches, authorizes and answers; its stores only answer differently while a request is served (see
`exchange`). The request id is one and the same in the Lambda event, the header x-amzn-requestid and the access log.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.core import responses
from ministack.services import apigateway_v1

from manuel_release.rehearsal.emulator import deployments
from manuel_release.rehearsal.emulator import exchange as exchanges

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_REQUEST = ("api_id", "stage_name", "method", "path", "headers", "body", "query_params")
_OWNER = ("owner_account_id", "owner_region")

REQUIRES = {
    "ministack.core.responses.AccountRegionScopedDict.get": ("self", "key", "default"),
    "ministack.core.responses.AccountRegionScopedDict._data": None,
    "ministack.core.responses.request_scope": ("account_id", "region"),
    "ministack.core.responses.new_uuid": (),
    **{f"ministack.services.apigateway_v1.{store}": None for store in (*deployments.PARTS, exchanges.STAGES)},
    "ministack.services.apigateway_v1.logger": None,
    "ministack.services.apigateway_v1._GatewayError": ("response_type", "message", "error_type"),
    "ministack.services.apigateway_v1._gateway_error_response": ("error", "request"),
    "ministack.services.apigateway_v1._handle_execute_in_scope": (*_REQUEST, *_OWNER),
    "ministack.services.apigateway_v1._execute_in_scope": ("request", *_REQUEST, *_OWNER),
    "ministack.services.apigateway_v1._authorize_request_v1": (
        "api_id",
        "stage_name",
        "method_obj",
        "method",
        "request_path",
        "resource",
        "headers",
        "body",
        "query_params",
        "path_params",
        "stage",
        *_OWNER,
    ),
    "ministack.services.apigateway_v1._build_lambda_event_v1": (
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
        "binary_media_types",
        "authorizer_context",
        "caller_identity",
    ),
    "ministack.services.apigateway_v1.method_authorization_type": ("api_id", "stage_name", "method", "path"),
    "ministack.services.apigateway_v1.find_api_scope": ("api_id",),
}

BAD_GATEWAY = "BAD_GATEWAY"
INTERNAL_ERROR = "Internal server error"

Answer = tuple[int, dict[str, Any], bytes]


def _rendered(error: Any, request: dict[str, Any], exchange: exchanges.Exchange) -> Answer:
    """An error that API Gateway itself answers, through the deployment's gateway responses."""
    bad_gateway = error.response_type == BAD_GATEWAY
    if bad_gateway:  # AWS answers a failing function as DEFAULT_5XX, with 502
        error.response_type = "DEFAULT_5XX"
    exchange.error_message, exchange.error_type = error.message, error.response_type
    status, headers, body = apigateway_v1._gateway_error_response(error, request)
    return (502 if bad_gateway and status == 500 else status), headers, body


async def handle(  # noqa: PLR0917 - ministack calls it
    api_id: str,
    stage_name: str,
    method: str,
    path: str,
    headers: dict[str, Any],
    body: bytes,
    query_params: dict[str, Any],
    owner_account_id: str,
    owner_region: str,
) -> Answer:
    """Route, execute, and tell the observers; a stage that does not exist is nobody's request."""
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
    arguments = (api_id, stage_name, method, path, headers, body, query_params, owner_account_id, owner_region)
    request: dict[str, Any] = {
        "api_id": api_id,
        "stage_name": stage_name,
        "stage": stage,
        "headers": headers or {},
        "query_params": query_params or {},
        "path_params": {},
        "resource_path": "",
        "request_id": str(responses.new_uuid()),
    }
    if stage is None:
        answer: Answer = await apigateway_v1._execute_in_scope(request, *arguments)
        return answer
    exchange = exchanges.routed(api_id, stage)
    exchange.method, exchange.path, exchange.headers = method, path, request["headers"]
    request["request_id"] = exchange.request_id
    with exchanges.serving(exchange):
        try:
            answer = await apigateway_v1._execute_in_scope(request, *arguments)
        except Exception:
            apigateway_v1.logger.exception("serving %s %s failed", method, path)
            answer = apigateway_v1._GatewayError("DEFAULT_5XX", INTERNAL_ERROR)
        if isinstance(answer, apigateway_v1._GatewayError):
            answer = _rendered(answer, request, exchange)
    status, answer_headers, answer_body = answer
    answer_headers["x-amzn-requestid"] = exchange.request_id
    exchange.resource_path = request["resource_path"]
    exchange.status, exchange.response_bytes = int(status), len(answer_body)
    exchange.latency_ms = round((time.perf_counter() - exchange.started) * 1000)
    for observer in exchanges.observers:
        observer(exchange)
    return status, answer_headers, answer_body


def _authorizing(original: Callable[..., Awaitable[tuple[Any, Any]]]) -> Callable[..., Awaitable[tuple[Any, Any]]]:
    async def authorize(*arguments: Any) -> tuple[Any, Any]:
        error, context = await original(*arguments)
        if error is None and _takes_no_access_token(arguments[2], (context or {}).get("claims")):
            return apigateway_v1._GatewayError("UNAUTHORIZED", "Unauthorized"), None
        exchange = exchanges.current.get()
        if exchange is not None:
            exchange.authorizer = context or {}
        return error, context

    return authorize


def _takes_no_access_token(method: dict[str, Any], claims: dict[str, Any] | None) -> bool:
    """A method without scopes takes identity tokens only.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
    """
    if method.get("authorizationType") != "COGNITO_USER_POOLS" or method.get("authorizationScopes"):
        return False
    return (claims or {}).get("token_use") == "access"


def _building(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def build_event(*arguments: Any, **named: Any) -> dict[str, Any]:
        event = original(*arguments, **named)
        exchange = exchanges.current.get()
        if exchange is not None:
            exchange.resource_id = event["requestContext"]["resourceId"]
            event["requestContext"]["requestId"] = exchange.request_id
            event["requestContext"]["requestTimeEpoch"] = int(exchange.arrived * 1000)
            if exchange.canary is not None:
                event["requestContext"]["isCanaryRequest"] = exchange.canary
        return event

    return build_event


def _deployed_type(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """The authorization type by which a signature is checked, before the canary is drawn: the stage's deployment's."""

    def authorization_type(api_id: str, stage_name: str, method: str, path: str) -> str | None:
        owner = apigateway_v1.find_api_scope(api_id)
        if owner is None:
            return None
        with responses.request_scope(*owner):
            stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
            with exchanges.serving(exchanges.routed(api_id, stage, draw=False) if stage else None):
                return original(api_id, stage_name, method, path)

    return authorization_type


def _routed_store(store: Any, name: str) -> Any:
    """Return ministack's `store` so made that it answers a request being served from what it was routed to."""

    class RoutedStore(responses.AccountRegionScopedDict):  # type: ignore[misc]
        __slots__ = ()

        def get(self, key: str, default: Any = None) -> Any:
            exchange = exchanges.current.get()
            if exchange is not None and exchange.api_id == key and name in exchange.parts:
                return exchange.parts[name]
            return super().get(key, default)

    routed = RoutedStore()
    routed._data = store._data
    return routed


def install() -> None:
    """Route requests, and let the stores, the authorizers and the Lambda event follow."""
    for name in (*deployments.PARTS, exchanges.STAGES):
        setattr(apigateway_v1, name, _routed_store(getattr(apigateway_v1, name), name))
    apigateway_v1._handle_execute_in_scope = handle
    apigateway_v1._authorize_request_v1 = _authorizing(apigateway_v1._authorize_request_v1)
    apigateway_v1._build_lambda_event_v1 = _building(apigateway_v1._build_lambda_event_v1)
    apigateway_v1.method_authorization_type = _deployed_type(apigateway_v1.method_authorization_type)
