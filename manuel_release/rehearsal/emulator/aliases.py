"""What Lambda refuses of versions and aliases: missing versions, impossible weights, stale revisions.

Follows https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html, API_UpdateAlias.html and
API_PublishVersion.html, and https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {
    "ministack.services.lambda_svc._functions": None,
    "ministack.services.lambda_svc._func_arn": ("name",),
    "ministack.services.lambda_svc._create_alias": ("func_name", "data"),
    "ministack.services.lambda_svc._update_alias": ("func_name", "alias_name", "data"),
    "ministack.services.lambda_svc._list_aliases": ("func_name", "query_params"),
    "ministack.services.lambda_svc._qp_first": ("query_params", "key", "default"),
    "ministack.services.lambda_svc._publish_version": ("name", "data"),
    "ministack.services.lambda_svc._check_revision": ("current", "data"),
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._lambda_alias_create": ("logical_id", "props", "stack_name"),
    "ministack.services.cloudformation.provisioners._lambda_alias_routing_config": ("props",),
    "ministack.services.cloudformation.provisioners._lambda_function_for_cfn_ref": None,
    "ministack.core.responses.error_response_json": None,
}

Answer = tuple[int, dict[str, str], bytes]


class Refusal(Exception):  # noqa: N818 - an answer to the caller
    """A request that Lambda refuses: error code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def answer(self) -> Answer:
        """The refusal as ministack answers."""
        made: Answer = responses.error_response_json(self.code, self.message, self.status)
        return made


def check(name: str, func: dict[str, Any], primary: str, routing: dict[str, Any] | None) -> None:
    """Raise Refusal when an alias of a function cannot point to `primary` with these AdditionalVersionWeights."""
    _existing(name, func, primary)
    weights = (routing or {}).get("AdditionalVersionWeights") or {}
    if not weights:
        return
    if primary == "$LATEST" or "$LATEST" in weights:
        raise _invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if len(weights) > 1:
        raise _invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for version, weight in weights.items():
        if version == primary:
            raise _invalid(
                f"Invalid function version {version}. Function version {version} is already included in routing "
                "configuration."
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 <= weight <= 1.0:
            raise _invalid(f"The weight of function version {version} must be between 0.0 and 1.0, not {weight}")
        _existing(name, func, version)
        for setting in ("Role", "DeadLetterConfig"):
            one, other = (func["versions"][each]["config"].get(setting) for each in (primary, version))
            if (one or None) != (other or None):
                raise _invalid(f"The versions {primary} and {version} of a weighted alias must have the same {setting}")


def _existing(name: str, func: dict[str, Any], version: str) -> None:
    if version != "$LATEST" and version not in func["versions"]:
        arn = lambda_svc._func_arn(name)
        raise Refusal("ResourceNotFoundException", f"Function not found: {arn}:{version}", 404)


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValueException", message)


def check_create(name: str, func: dict[str, Any], data: dict[str, Any]) -> None:
    """Raise Refusal for a CreateAlias request that Lambda refuses."""
    check(name, func, data.get("FunctionVersion", "$LATEST"), data.get("RoutingConfig"))


def check_update(name: str, func: dict[str, Any], alias_name: str, data: dict[str, Any]) -> None:
    """Raise Refusal for an UpdateAlias request that Lambda refuses; what it leaves out stays as it is."""
    alias = func["aliases"].get(alias_name)
    if alias is not None:
        primary = data.get("FunctionVersion", alias.get("FunctionVersion", "$LATEST"))
        check(name, func, primary, data.get("RoutingConfig", alias.get("RoutingConfig")))


def check_publish(_name: str, func: dict[str, Any], data: dict[str, Any]) -> None:
    """Raise Refusal when PublishVersion's CodeSha256 or RevisionId is not the function's present one."""
    config = func["config"]
    wanted = data.get("CodeSha256")
    if wanted and wanted != config.get("CodeSha256"):
        raise _invalid(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in function ({config.get('CodeSha256')}). "
            "Please try again with the CodeSHA256 in function."
        )
    stale = lambda_svc._check_revision(config, data) if data.get("RevisionId") else None
    if stale is not None:
        raise Refusal("PreconditionFailedException", "The RevisionId provided does not match the latest one.", 412)


def _checked(stock: Callable[..., Answer], first: Callable[..., None]) -> Callable[..., Answer]:
    def operation(name: str, *rest: Any) -> Answer:
        func = lambda_svc._functions.get(name)
        try:
            if func is not None:
                first(name, func, *rest)
        except Refusal as refusal:
            return refusal.answer()
        return stock(name, *rest)

    return operation


def _invoking(stock: Callable[..., Answer], func_name: str, query_params: dict[str, Any]) -> Answer:
    """ListAliases; with FunctionVersion only the aliases that invoke that version, all in one page."""
    version = lambda_svc._qp_first(query_params, "FunctionVersion")
    if not version:
        return stock(func_name, query_params)
    status, headers, body = stock(func_name, {"MaxItems": "10000"})
    listed = json.loads(body)
    if status == 200:
        listed["Aliases"] = [
            alias
            for alias in listed["Aliases"]
            if version == alias["FunctionVersion"]
            or version in (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
        ]
    return status, headers, json.dumps(listed).encode()


def check_declared(props: dict[str, Any]) -> None:
    """Raise ValueError for an AWS::Lambda::Alias that Lambda refuses."""
    func, name, *_rest = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))
    if func is None:
        raise ValueError(f"ResourceNotFoundException: Function not found: {lambda_svc._func_arn(name)}")
    try:
        routing = provisioners._lambda_alias_routing_config(props)
        check(name, func, str(props.get("FunctionVersion", "$LATEST")), routing)
    except Refusal as refusal:
        raise ValueError(f"{refusal.code}: {refusal.message}") from None


def install() -> None:
    """Check before ministack stores."""
    stock_declare = provisioners._lambda_alias_create

    def declare(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        check_declared(props)
        return stock_declare(logical_id, props, stack_name)

    provisioners._lambda_alias_create = declare  # what an update that replaces the alias calls
    provisioners._RESOURCE_HANDLERS["AWS::Lambda::Alias"]["create"] = declare
    lambda_svc._list_aliases = functools.partial(_invoking, lambda_svc._list_aliases)
    lambda_svc._create_alias = _checked(lambda_svc._create_alias, check_create)
    lambda_svc._update_alias = _checked(lambda_svc._update_alias, check_update)
    lambda_svc._publish_version = _checked(lambda_svc._publish_version, check_publish)
