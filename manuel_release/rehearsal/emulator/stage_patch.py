"""The rules of a REST API stage: what UpdateStage may patch, and what variables and settings may be.

Nothing of ministack is imported. The sentences of refusals are those that the service was recorded with (API Gateway
API reference, "Patch operations" of UpdateStage); without a record (percent out of range, lengths, cache size) the
words are ours. Two unknowns are decided here: a canary's `remove` without a canary changes nothing, and /deploymentId
may be replaced while a canary exists, which keeps its own.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    Stage = dict[str, Any]
    MethodSettings = Callable[[Stage, Mapping[str, Any]], bool]

CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
MAX_CACHE_TTL_SECONDS = 3600
MAX_VARIABLES, MAX_NAME, MAX_VALUE = 100, 64, 512
COPIES = {
    "/deploymentId": "/canarySettings/deploymentId",
    "/variables": "/canarySettings/stageVariableOverrides",
}
METHOD_SETTINGS = (
    "metrics/enabled",
    "logging/dataTrace",
    "logging/loglevel",
    "throttling/burstLimit",
    "throttling/rateLimit",
    "caching/ttlInSeconds",
    "caching/enabled",
    "caching/dataEncrypted",
    "caching/requireAuthorizationForCacheControl",
    "caching/unauthorizedCacheControlHeaderStrategy",
)
PATHS = (
    "/deploymentId",
    "/description",
    "/cacheClusterEnabled",
    "/cacheClusterSize",
    "/clientCertificateId",
    "/accessLogSettings",
    "/accessLogSettings/destinationArn",
    "/accessLogSettings/format",
    *(f"/{{resourcePath}}/{{httpMethod}}/{setting}" for setting in METHOD_SETTINGS),
    *(f"/*/*/{setting}" for setting in METHOD_SETTINGS),
    "/variables/{variable_name}",
    "/tracingEnabled",
)


class RefusedError(Exception):
    """A BadRequestException of API Gateway; the text is its message."""


def check_variables(variables: Mapping[str, Any] | None) -> None:
    """Raise RefusedError unless every stage variable's name and value, and their number, are allowed."""
    if len(variables or {}) > MAX_VARIABLES:
        raise RefusedError(f"A stage can have at most {MAX_VARIABLES} variables")
    for name, value in (variables or {}).items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise RefusedError(f"Invalid stage variable name: {name}. Please use names with only word characters.")
        if not re.fullmatch(r"[A-Za-z0-9 \-._:/?&=,]*", str(value)):
            raise RefusedError(
                f"Invalid stage variable value of key {name}.  Please use values with alphanumeric characters and the "
                "symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
            )
        if len(name) > MAX_NAME or len(str(value)) > MAX_VALUE:
            raise RefusedError(
                f"Stage variable {name} is longer than {MAX_NAME} (name) or {MAX_VALUE} (value) characters"
            )


def percent(value: Any) -> float:
    """The share of requests (percent 0-100) that a patch or a request names; raises RefusedError."""
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0.0 <= share <= 100.0:
        raise RefusedError(f"Invalid percentTraffic {value}: it must be a number between 0.0 and 100.0")
    return share


def truth(value: Any) -> bool:
    """The boolean that an API ("true", True) or a template ("True") wrote."""
    return str(value).lower() == "true"


def canary_settings(given: Mapping[str, Any] | None, *, deployment_id: str) -> dict[str, Any] | None:
    """Canary settings with AWS's defaults: the stage's own deployment, 0 percent, no stage cache."""
    if given is None:
        return None
    overrides = given.get("stageVariableOverrides")
    check_variables(overrides)
    return {
        "deploymentId": given.get("deploymentId") or deployment_id,
        "percentTraffic": percent(given.get("percentTraffic", 0)),
        "useStageCache": truth(given.get("useStageCache", False)),
        **({"stageVariableOverrides": dict(overrides)} if overrides else {}),
    }


def from_template(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A CloudFormation structure as the API spells it: the first letter of each key in lower case."""
    return {key[:1].lower() + key[1:]: value for key, value in properties.items()}


def check_access_log(settings: Mapping[str, Any] | None) -> None:
    """Raise RefusedError unless the destination is one that API Gateway can write to and lines have a request id."""
    if not settings:
        return
    destination, line = settings.get("destinationArn") or "", settings.get("format")
    if destination and not re.match(r"arn:[\w-]+:(logs|firehose):", destination):
        raise RefusedError("The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream")
    if line is not None and not re.search(r"\$context\.(requestId|extendedRequestId)\b", line):
        raise RefusedError("Access Log format must include either $context.requestId or $context.extendedRequestId")


def check_method_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise RefusedError when responses would be cached for longer than API Gateway allows."""
    if any(entry.get("cacheTtlInSeconds", 0) > MAX_CACHE_TTL_SECONDS for entry in settings.values()):
        raise RefusedError(f"Invalid time-to-live setting, must be an integer no greater than {MAX_CACHE_TTL_SECONDS}")


def check_cache_size(size: Any) -> None:
    """Raise RefusedError for a cache that API Gateway does not offer (GB, as text)."""
    if size is not None and str(size) not in CACHE_SIZES:
        raise RefusedError(f"Invalid cache cluster size {size}, must be one of: [{', '.join(CACHE_SIZES)}]")


def patched(
    stage: Stage, operations: Iterable[Mapping[str, Any]], deployments: Container[str], set_method: MethodSettings
) -> Stage:
    """The stage after all patch operations, in order; the given stage is left as it is.

    Args:
        stage: the stage as stored.
        operations: UpdateStage's patchOperations.
        deployments: ids that exist.
        set_method: applies an operation on a method setting to a stage; False when its path is not one.

    Raises:
        RefusedError: an operation is illegal; none of them is applied then.
    """
    after = copy.deepcopy(stage)
    for operation in operations:
        kind, path = str(operation.get("op", "")), str(operation.get("path", ""))
        if kind == "replace":
            _replace(after, path, operation.get("value"), deployments, set_method)
        elif kind == "remove":
            _remove(after, path, set_method)
        elif kind == "copy":
            _copy(after, path, str(operation.get("from", "")))
        else:
            raise RefusedError(f"Invalid {kind} operation with path: {path}")
    check_variables(after.get("variables"))
    check_variables((after.get("canarySettings") or {}).get("stageVariableOverrides"))
    check_access_log(after.get("accessLogSettings"))
    check_method_settings(after.get("methodSettings") or {})
    return after


def _known(deployments: Container[str], deployment_id: Any) -> str:
    if deployment_id not in deployments:
        raise RefusedError("Deployment id does not exist")
    return str(deployment_id)


def _replace(stage: Stage, path: str, value: Any, deployments: Container[str], set_method: MethodSettings) -> None:
    parts = path.removeprefix("/").split("/")
    if parts[0] == "canarySettings" and _replace_canary(stage, parts[1:], value, deployments):
        return
    match parts:
        case ["variables", name]:
            stage["variables"] = {**(stage.get("variables") or {}), name: str(value)}
        case ["deploymentId"]:
            stage["deploymentId"] = _known(deployments, value)
        case ["accessLogSettings", ("destinationArn" | "format") as field]:
            stage["accessLogSettings"] = {**(stage.get("accessLogSettings") or {}), field: value}
        case [("cacheClusterEnabled" | "tracingEnabled") as field]:
            stage[field] = truth(value)
        case ["cacheClusterSize"]:
            check_cache_size(value)
            stage["cacheClusterSize"] = value
        case [("description" | "clientCertificateId") as field]:
            stage[field] = value
        case _:
            _replace_method_setting(stage, path, value, set_method)


def _replace_canary(stage: Stage, rest: list[str], value: Any, deployments: Container[str]) -> bool:
    """Whether the rest of a path below /canarySettings is one that can be replaced; it is replaced then."""
    match rest:
        case ["percentTraffic"]:
            _canary(stage)["percentTraffic"] = percent(value)
        case ["deploymentId"]:
            _canary(stage)["deploymentId"] = _known(deployments, value)
        case ["useStageCache"]:
            _canary(stage)["useStageCache"] = truth(value)
        case ["stageVariableOverrides", name]:
            _canary(stage).setdefault("stageVariableOverrides", {})[name] = str(value)
        case _:
            return False
    return True


def _replace_method_setting(stage: Stage, path: str, value: Any, set_method: MethodSettings) -> None:
    try:
        legal = set_method(stage, {"op": "replace", "path": path, "value": value})
    except ValueError as error:
        raise RefusedError(f"Invalid value {value} for method setting path: {path}") from error
    if not legal:
        raise RefusedError(f"Invalid method setting path: {path}. Must be one of: [{', '.join(PATHS)}]")


def _canary(stage: Stage) -> dict[str, Any]:
    """The stage's canary; the first operation on one creates it, on the stage's own deployment, at 0 percent."""
    if not stage.get("canarySettings"):
        stage["canarySettings"] = canary_settings({}, deployment_id=stage.get("deploymentId", ""))
    settings: dict[str, Any] = stage["canarySettings"]
    return settings


def _remove(stage: Stage, path: str, set_method: MethodSettings) -> None:
    match path.removeprefix("/").split("/"):
        case ["canarySettings"]:
            stage.pop("canarySettings", None)
        case ["canarySettings", "stageVariableOverrides", name]:
            overrides = (stage.get("canarySettings") or {}).get("stageVariableOverrides") or {}
            overrides.pop(name, None)
            if not overrides and stage.get("canarySettings"):
                stage["canarySettings"].pop("stageVariableOverrides", None)
        case ["variables", name]:
            (stage.get("variables") or {}).pop(name, None)
        case ["accessLogSettings"]:
            stage["accessLogSettings"] = {}
        case _:
            before = copy.deepcopy(stage.get("methodSettings") or {})
            set_method(stage, {"op": "remove", "path": path})
            if before == stage.get("methodSettings", {}):
                raise RefusedError(
                    f"Cannot remove method setting {path.removeprefix('/')} because there is no method setting for "
                    "this method "
                )


def _copy(stage: Stage, path: str, source: str) -> None:
    if COPIES.get(path) != source:
        raise RefusedError(
            f"Invalid copy operation with path: {path} and from {source}. Valid copy:path are "
            f"[{', '.join(COPIES)}] and valid copy:from are [{', '.join(COPIES.values())}]"
        )
    canary = stage.get("canarySettings")
    if not canary:
        raise RefusedError("Promotion not available. Canary does not exist.")
    if path == "/deploymentId":
        stage["deploymentId"] = canary["deploymentId"]
    else:  # merged, not replaced: recorded on AWS
        stage["variables"] = {**(stage.get("variables") or {}), **(canary.get("stageVariableOverrides") or {})}
