"""Services that ministack lacks, answered by their `X-Amz-Target` prefix before ministack looks at the request.

The AWS JSON 1.1 protocol: the header names service and operation (`CodeDeploy_20141006.GetDeployment`), body and answer
are JSON, an error's `__type` is the exception that an SDK raises. Account, region, reset and signature are ministack's:
the wrapper stands around its dispatcher, behind all of that, and costs every other request one header look-up. Left to
ministack, an unknown service makes it load every botocore model (7.5 s, 400 MB).

With `AUTH=true` each permission that an operation needs is asked of ministack's own policy evaluator.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router

from manuel_release.rehearsal.emulator import scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Body = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

Operation = Callable[[Body, "Caller"], Body]

JSON_1_1 = "application/x-amz-json-1.1"
logger = logging.getLogger("targets")

REQUIRES = {
    "ministack.app.AUTH": None,
    "ministack.app._dispatch_service_request": ("method", "path", "headers", "body", "query_params", "request_id"),
    "ministack.app._reset_all_state": (),
    "ministack.core.iam_actions.access_denied_response": (
        "service", "action", "principal_arn", "request_id", "error_code", "message", "headers", "resource_arn",
        "explicit_deny", "resource_policy_arn",
    ),
    "ministack.core.iam_actions.identity_denial_message": ("action", "principal_arn", "resource", "explicit_deny"),
    "ministack.core.iam_actions.request_tag_context": ("service", "iam_action", "body", "params"),
    "ministack.core.iam_evaluator.enforce": (
        "access_key_id", "iam_action", "service", "region", "resource_arn", "service_context",
    ),
    "ministack.core.iam_evaluator.pin_request_caller": ("headers", "query_params"),
    "ministack.core.iam_evaluator.request_caller_arn": ("headers", "query_params"),
    "ministack.core.router.extract_access_key_id": ("headers", "query_params"),
}  # fmt: skip


class ServiceError(Exception):
    """An answer that an SDK turns into the exception `code`; `status` is the HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Caller:
    """Who asks, and where."""

    arn: str
    account_id: str
    region: str


@dataclass(frozen=True)
class Permission:
    """What a caller needs on `resource` (an ARN or `*`): any one of `actions` (operation names without a prefix)."""

    actions: tuple[str, ...]
    resource: str = "*"


def the_operation_itself(action: str, body: Body) -> Sequence[Permission]:
    """For services whose operations are not limited to resources."""
    del body
    return (Permission((action,)),)


@dataclass(frozen=True)
class Service:
    """One service of our own: its operations, its IAM prefix, and what a caller needs for a request."""

    namespace: str
    operations: Mapping[str, Operation]
    permissions: Callable[[str, Body], Sequence[Permission]] = field(default=the_operation_itself)


TARGETS: dict[str, Service] = {}
"""X-Amz-Target prefix without the dot (`CodeDeploy_20141006`) -> the service that answers it."""

_at_reset: list[Callable[[], None]] = []


def at_reset(forget: Callable[[], None]) -> None:
    """Have `forget` called when somebody asks the server to drop all state (`POST /_ministack/reset`)."""
    _at_reset.append(forget)


def _json(status: int, body: Body, error: str = "") -> Answer:
    headers = {"Content-Type": JSON_1_1, **({"x-amzn-errortype": error} if error else {})}
    return status, headers, json.dumps(body).encode()


def _failure(error: ServiceError) -> Answer:
    return _json(error.status, {"__type": error.code, "message": error.message}, error.code)


def _parsed(raw: bytes) -> Body:
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", "The request body is not JSON.") from error
    if not isinstance(body, dict):
        raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
    return body


@dataclass(frozen=True)
class _Request:
    service: Service
    action: str
    headers: dict[str, str]
    raw: bytes
    query: dict[str, Any]
    id: str

    def refusal(self, body: Body) -> Answer | None:
        """The answer to a caller who may not do this, or None; always None unless IAM is enforced."""
        if not app.AUTH:
            return None
        iam_evaluator.pin_request_caller(self.headers, self.query)
        for needed in self.service.permissions(self.action, body):
            refused = self._without(needed)
            if refused is not None:
                return refused
        return None

    def _without(self, needed: Permission) -> Answer | None:
        namespace = self.service.namespace
        key = router.extract_access_key_id(self.headers, self.query)
        for name in needed.actions:
            action = f"{namespace}:{name}"
            tags = iam_actions.request_tag_context(namespace, action, self.raw, {})
            denied = iam_evaluator.enforce(key, action, namespace, responses.get_region(), needed.resource, tags)
            if denied is None:
                return None
        if isinstance(denied, iam_evaluator.AuthError):
            answer: Answer = iam_actions.access_denied_response(
                namespace, action, "", self.id, error_code=denied.code, message=denied.message, headers=self.headers
            )
            return answer
        words = iam_actions.identity_denial_message(
            action, denied.principal_arn, needed.resource, denied.decision == "Deny"
        )
        return _failure(ServiceError("AccessDeniedException", words))

    def answer(self) -> Answer:
        """Status, headers and body for this request."""
        try:
            body = _parsed(self.raw)
            return self.refusal(body) or _json(200, self._operation()(body, self._caller()))
        except ServiceError as error:
            return _failure(error)
        except Exception:
            logger.exception("%s %s", self.service.namespace, self.action)
            return _json(500, {"__type": "InternalFailure", "message": "See the server's log."}, "InternalFailure")

    def _operation(self) -> Operation:
        operation = self.service.operations.get(self.action)
        if operation is None:
            raise ServiceError("UnknownOperationException", f"Unknown operation: {self.action}")
        return operation

    def _caller(self) -> Caller:
        return Caller(iam_evaluator.request_caller_arn(self.headers, self.query), *scope.current())


def install() -> None:
    """Answer our services' requests; leave every other request to ministack."""
    dispatch = app._dispatch_service_request
    reset = app._reset_all_state

    async def with_our_services(*request: Any) -> Any:
        _method, _path, headers, body, query, request_id = request
        prefix, dot, action = headers.get("x-amz-target", "").partition(".")
        service = TARGETS.get(prefix) if dot else None
        if service is None:
            return await dispatch(*request)
        status, answer_headers, answer = _Request(service, action, headers, body, query, request_id).answer()
        return status, {**answer_headers, "x-amzn-requestid": request_id}, answer

    def everything() -> None:
        reset()
        for forget in _at_reset:
            forget()

    app._dispatch_service_request = with_our_services
    app._reset_all_state = everything
