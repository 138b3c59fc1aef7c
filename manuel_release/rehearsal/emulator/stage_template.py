"""AWS::ApiGateway::Stage: what a template says about a stage, and what an update of it leaves alone.

Facts (resource schema of AWS::ApiGateway::Stage; aws-cdk issue 33901): every property but RestApiId and StageName
updates in place; a property that is written the same as in the previous template is not touched, whatever has become of
the stage meanwhile; a CanarySetting that is no longer written leaves the canary on the stage. Not known is whether a
changed Variables writes only the changed variables or all that are declared; all are written here, which is the reading
that shows a lost pin.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import deployments, stage_patch

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRES = {
    "ministack.services.apigateway_v1._stages_v1": None,
    "ministack.services.apigateway_v1._create_stage": ("api_id", "data"),
    "ministack.services.apigateway_v1._update_stage": ("api_id", "stage_name", "data"),
    "ministack.services.apigateway_v1._delete_stage": ("api_id", "stage_name"),
    "ministack.services.apigateway_v1._default_method_setting_entry": (),
    "ministack.services.apigateway_v1._parse_stage_method_setting_value": ("field", "value_str"),
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._delete_predecessor": ("delete_fn", "args", "kwargs"),
}

Properties = dict[str, Any]
Operation = dict[str, Any]

SETTINGS = {
    "MetricsEnabled": "metrics/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
    "CachingEnabled": "caching/enabled",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CacheDataEncrypted": "caching/dataEncrypted",
}
"""Members of a template's MethodSetting -> the path of UpdateStage that sets them."""

SCALARS = {
    "DeploymentId": ("/deploymentId", ""),
    "Description": ("/description", ""),
    "TracingEnabled": ("/tracingEnabled", False),
    "CacheClusterEnabled": ("/cacheClusterEnabled", False),
    "CacheClusterSize": ("/cacheClusterSize", None),
    "ClientCertificateId": ("/clientCertificateId", None),
}


def _replace(path: str, value: Any) -> Operation:
    return {"op": "replace", "path": path, "value": value}


def _settings(properties: Properties) -> dict[str, Properties]:
    """MethodSettings by the path that UpdateStage calls the method (`/*/*`, `/~1pets/GET`)."""
    return {
        f"{item.get('ResourcePath', '/*')}/{item.get('HttpMethod', '*')}": item
        for item in properties.get("MethodSettings") or []
    }


def _map_operations(path: str, old: Properties, new: Properties) -> Iterator[Operation]:
    if old == new:
        return
    for name, value in new.items():
        yield _replace(f"{path}/{name}", value)
    for name in old.keys() - new.keys():
        yield {"op": "remove", "path": f"{path}/{name}"}


def _setting_operations(old: Properties, new: Properties) -> Iterator[Operation]:
    before, after = _settings(old), _settings(new)
    for method in before.keys() - after.keys():
        yield {"op": "remove", "path": method}
    for method, item in after.items():
        for member, path in SETTINGS.items():
            if item.get(member) is not None and item.get(member) != before.get(method, {}).get(member):
                yield _replace(f"{method}/{path}", item[member])


def _canary_operations(old: Properties, new: Properties) -> Iterator[Operation]:
    before, after = old.get("CanarySetting") or {}, new.get("CanarySetting")
    if not after or after == before:
        return
    for member, path in (("DeploymentId", "deploymentId"), ("PercentTraffic", "percentTraffic")):
        if after.get(member) is not None and after.get(member) != before.get(member):
            yield _replace(f"/canarySettings/{path}", after[member])
    if after.get("UseStageCache", False) != before.get("UseStageCache", False):
        yield _replace("/canarySettings/useStageCache", after.get("UseStageCache", False))
    yield from _map_operations(
        "/canarySettings/stageVariableOverrides",
        before.get("StageVariableOverrides") or {},
        after.get("StageVariableOverrides") or {},
    )


def operations(old: Properties, new: Properties) -> list[Operation]:
    """The patch operations of UpdateStage that lead from one template's properties to the next one's."""
    found: list[Operation] = []
    for name, (path, default) in SCALARS.items():
        if new.get(name, default) != old.get(name, default):
            found.append(_replace(path, new.get(name, default)))
    if new.get("AccessLogSetting") != old.get("AccessLogSetting"):
        if new.get("AccessLogSetting"):
            access_log = stage_patch.from_template(new["AccessLogSetting"])
            found += [_replace(f"/accessLogSettings/{key}", value) for key, value in access_log.items()]
        else:
            found.append({"op": "remove", "path": "/accessLogSettings"})
    found += _map_operations("/variables", old.get("Variables") or {}, new.get("Variables") or {})
    found += _setting_operations(old, new)
    found += _canary_operations(old, new)
    return found


def _method_settings(properties: Properties) -> dict[str, Any]:
    """MethodSettings as a stage stores them: keyed by the method's real path, over the account's defaults."""
    stored = {}
    for method, item in _settings(properties).items():
        entry = apigateway_v1._default_method_setting_entry()
        for member in SETTINGS:
            if item.get(member) is not None:
                field = member[:1].lower() + member[1:]
                entry[field] = apigateway_v1._parse_stage_method_setting_value(field, item[member])
        stored[method.removeprefix("/").replace("~1", "/")] = entry
    return stored


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}


def create(_logical_id: str, props: Properties, _stack_name: str) -> tuple[str, dict[str, str]]:
    """Create the stage; raises ValueError with the service's sentence."""
    canary, access_log = props.get("CanarySetting"), props.get("AccessLogSetting")
    data = {
        "stageName": props.get("StageName", ""),
        "deploymentId": props.get("DeploymentId", ""),
        "description": props.get("Description", ""),
        "variables": props.get("Variables") or {},
        "methodSettings": _method_settings(props),
        "accessLogSettings": stage_patch.from_template(access_log or {}),
        "cacheClusterEnabled": props.get("CacheClusterEnabled", False),
        "cacheClusterSize": props.get("CacheClusterSize"),
        "tracingEnabled": props.get("TracingEnabled", False),
        "clientCertificateId": props.get("ClientCertificateId"),
        "documentationVersion": props.get("DocumentationVersion"),
        "tags": _tags(props),
        **({"canarySettings": stage_patch.from_template(canary)} if canary else {}),
    }
    answer = apigateway_v1._create_stage(props.get("RestApiId", ""), data)
    if answer[0] >= 400:
        raise ValueError(deployments.message(answer))
    name = json.loads(answer[2])["stageName"]
    return name, {"StageName": name}


def update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> tuple[str, dict[str, str]]:
    """Update by one UpdateStage, or replace when the API or the name changes; raises ValueError as `create` does."""
    if any(new.get(key) != old.get(key) for key in ("RestApiId", "StageName")):
        created = create(physical_id, new, stack_name)
        provisioners._delete_predecessor(delete, physical_id, old)
        return created
    api_id, name = new.get("RestApiId", ""), new.get("StageName", "")
    answer = apigateway_v1._update_stage(api_id, name, {"patchOperations": operations(old, new)})
    if answer[0] >= 400:
        raise ValueError(deployments.message(answer))
    if _tags(new) != _tags(old):
        apigateway_v1._stages_v1[api_id][name]["tags"] = _tags(new)
    return name, {"StageName": name}


def delete(_physical_id: str, props: Properties) -> None:
    """Delete the stage."""
    apigateway_v1._delete_stage(props.get("RestApiId", ""), props.get("StageName", ""))


def install() -> None:
    """Replace ministack's handlers of the resource type."""
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Stage"] |= {"create": create, "update": update, "delete": delete}
