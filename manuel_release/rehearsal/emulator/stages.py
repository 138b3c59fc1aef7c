"""Stages of REST APIs: CreateStage, UpdateStage all or nothing, GetStage in AWS's shape, and the flushing of caches.

Sources: API Gateway API reference (CreateStage, UpdateStage, FlushStageCache, FlushStageAuthorizersCache) and the rules
in `stage_patch`. Responses are not cached here, so flushing them only has to be accepted; it answers 202, which is what
the API's model says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1

from manuel_release.rehearsal.emulator import scope, stage_patch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUIRES = {
    "ministack.services.apigateway_v1._stages_v1": None,
    "ministack.services.apigateway_v1._rest_apis": None,
    "ministack.services.apigateway_v1._deployments_v1": None,
    "ministack.services.apigateway_v1._authorizer_cache": None,
    "ministack.services.apigateway_v1._create_stage": ("api_id", "data"),
    "ministack.services.apigateway_v1._update_stage": ("api_id", "stage_name", "data"),
    "ministack.services.apigateway_v1._get_stage": ("api_id", "stage_name"),
    "ministack.services.apigateway_v1._get_stages": ("api_id",),
    "ministack.services.apigateway_v1._try_apply_method_settings_patch": ("stage", "op"),
    "ministack.services.apigateway_v1._v1_error": ("code", "message", "status"),
    "ministack.services.apigateway_v1._v1_response": ("data", "status"),
    "ministack.services.apigateway_v1._now_unix": (),
    "ministack.services.apigateway_v1.handle_request": ("method", "path", "headers", "body", "query_params"),
}

Answer = tuple[int, dict[str, Any], bytes]

_OPTIONAL = (
    "description",
    "variables",
    "accessLogSettings",
    "cacheClusterSize",
    "documentationVersion",
    "clientCertificateId",
    "tags",
    "canarySettings",
)


def shown(stage: dict[str, Any]) -> dict[str, Any]:
    """A stored stage as GetStage answers it: empty members left out, slashes in method setting keys as ~1."""
    members = {key: value for key, value in stage.items() if value or key not in _OPTIONAL}
    settings = {}
    for key, entry in (stage.get("methodSettings") or {}).items():
        resource_path, _, http_method = key.rpartition("/")
        settings[f"{resource_path.replace('/', '~1')}/{http_method}"] = entry
    members["methodSettings"] = settings
    members["cacheClusterStatus"] = "AVAILABLE" if stage.get("cacheClusterEnabled") else "NOT_AVAILABLE"
    return members


def _error(code: str, message: str, status: int) -> Answer:
    return apigateway_v1._v1_error(code, message, status)  # type: ignore[no-any-return]


def _response(data: dict[str, Any], status: int = 200) -> Answer:
    return apigateway_v1._v1_response(data, status)  # type: ignore[no-any-return]


def _missing_api(api_id: str) -> Answer | None:
    if api_id in apigateway_v1._rest_apis:
        return None
    return _error("NotFoundException", "Invalid API identifier specified", 404)


def _missing_stage() -> Answer:
    return _error("NotFoundException", "Invalid stage identifier specified", 404)


def _stage(api_id: str, stage_name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
    return found


def _new_stage(api_id: str, data: dict[str, Any]) -> dict[str, Any]:
    name, deployment_id = data.get("stageName") or "", data.get("deploymentId") or ""
    deployments = apigateway_v1._deployments_v1.get(api_id, {})
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise stage_patch.RefusedError("Stage name only allows a-zA-Z0-9_")
    canary = stage_patch.canary_settings(data.get("canarySettings"), deployment_id=deployment_id)
    if deployment_id not in deployments or (canary and canary["deploymentId"] not in deployments):
        raise stage_patch.RefusedError("Deployment id does not exist")
    stage_patch.check_variables(data.get("variables"))
    stage_patch.check_access_log(data.get("accessLogSettings"))
    stage_patch.check_method_settings(data.get("methodSettings") or {})
    stage_patch.check_cache_size(data.get("cacheClusterSize"))
    cached = stage_patch.truth(data.get("cacheClusterEnabled", False))
    now = apigateway_v1._now_unix()
    return {
        "stageName": name,
        "deploymentId": deployment_id,
        "description": data.get("description", ""),
        "createdDate": now,
        "lastUpdatedDate": now,
        "variables": {key: str(value) for key, value in (data.get("variables") or {}).items()},
        "methodSettings": data.get("methodSettings") or {},
        "accessLogSettings": data.get("accessLogSettings") or {},
        "cacheClusterEnabled": cached,
        "cacheClusterSize": data.get("cacheClusterSize") or ("0.5" if cached else None),
        "tracingEnabled": stage_patch.truth(data.get("tracingEnabled", False)),
        "clientCertificateId": data.get("clientCertificateId"),
        "documentationVersion": data.get("documentationVersion"),
        "tags": data.get("tags") or {},
        **({"canarySettings": canary} if canary else {}),
    }


def create_stage(api_id: str, data: dict[str, Any]) -> Answer:
    """CreateStage; `data` may also hold accessLogSettings and methodSettings, which only a template can give."""
    missing = _missing_api(api_id)
    if missing is not None:
        return missing
    if _stage(api_id, data.get("stageName") or "") is not None:
        return _error("ConflictException", "Stage already exists", 409)
    try:
        stage = _new_stage(api_id, data)
    except stage_patch.RefusedError as error:
        return _error("BadRequestException", str(error), 400)
    apigateway_v1._stages_v1.setdefault(api_id, {})[stage["stageName"]] = stage
    return _response(shown(stage), 201)


def update_stage(api_id: str, stage_name: str, data: dict[str, Any]) -> Answer:
    """UpdateStage: every patch operation or none."""
    stage = _stage(api_id, stage_name)
    if stage is None:
        return _missing_stage()
    try:
        after = stage_patch.patched(
            stage,
            data.get("patchOperations") or [],
            apigateway_v1._deployments_v1.get(api_id, {}),
            apigateway_v1._try_apply_method_settings_patch,
        )
    except stage_patch.RefusedError as error:
        return _error("BadRequestException", str(error), 400)
    after["lastUpdatedDate"] = apigateway_v1._now_unix()
    apigateway_v1._stages_v1[api_id][stage_name] = after  # one assignment: a request sees the stage before or after
    return _response(shown(after))


def get_stage(api_id: str, stage_name: str) -> Answer:
    """GetStage."""
    stage = _stage(api_id, stage_name)
    return _missing_stage() if stage is None else _response(shown(stage))


def get_stages(api_id: str) -> Answer:
    """GetStages."""
    missing = _missing_api(api_id)
    if missing is not None:
        return missing
    return _response({"item": [shown(stage) for stage in apigateway_v1._stages_v1.get(api_id, {}).values()]})


def flush(api_id: str, stage_name: str, cache: str) -> Answer:
    """FlushStageCache (`data`) and FlushStageAuthorizersCache (`authorizers`)."""
    if _stage(api_id, stage_name) is None:
        return _missing_stage()
    if cache == "authorizers":
        cached = apigateway_v1._authorizer_cache
        for key in [key for key in cached if key[:3] == (*scope.current(), api_id) and key[4] == stage_name]:
            cached.pop(key, None)
    return 202, {}, b""


def _flushing(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Answer:
        wanted = re.fullmatch(r"/restapis/([^/]+)/stages/([^/]+)/cache/(data|authorizers)/?", path)
        if wanted and method == "DELETE":
            return flush(*wanted.groups())
        return await original(method, path, headers, body, query_params)

    return handle_request


def install() -> None:
    """Replace ministack's control plane of stages."""
    apigateway_v1._create_stage = create_stage
    apigateway_v1._update_stage = update_stage
    apigateway_v1._get_stage = get_stage
    apigateway_v1._get_stages = get_stages
    apigateway_v1.handle_request = _flushing(apigateway_v1.handle_request)
