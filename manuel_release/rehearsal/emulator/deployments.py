"""Deployments of REST APIs are snapshots, as on AWS: what is put into an API is not live before the next deployment.

Sources: API Gateway developer guide "Deploy REST APIs" and "Create a canary release deployment"; the refusals of
CreateDeployment and DeleteDeployment are the service's own sentences. Whether a canary's reference keeps a deployment
from being deleted is not documented; here it does, because a canary without its deployment could not answer.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import scope, stage_patch

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {
    "ministack.services.apigateway_v1._rest_apis": None,
    "ministack.services.apigateway_v1._resources": None,
    "ministack.services.apigateway_v1._authorizers_v1": None,
    "ministack.services.apigateway_v1._models": None,
    "ministack.services.apigateway_v1._request_validators": None,
    "ministack.services.apigateway_v1._stages_v1": None,
    "ministack.services.apigateway_v1._create_deployment": ("api_id", "data"),
    "ministack.services.apigateway_v1._delete_deployment": ("api_id", "deployment_id"),
    "ministack.services.apigateway_v1._deploy_to_stage": (
        "api_id",
        "deployment_id",
        "stage_name",
        "description",
        "variables",
    ),
    "ministack.services.apigateway_v1._delete_stage": ("api_id", "stage_name"),
    "ministack.services.apigateway_v1._delete_rest_api": ("api_id",),
    "ministack.services.apigateway_v1._v1_error": ("code", "message", "status"),
    "ministack.services.apigateway_v1.reset": (),
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._apigw_deployment_stage": ("props",),
    "ministack.services.cloudformation.provisioners._apigw_deployment_create": ("logical_id", "props", "stack_name"),
}

PARTS = ("_rest_apis", "_resources", "_authorizers_v1", "_models", "_request_validators")
"""The stores of ministack that a deployment freezes. Stage variables and method settings belong to the stage."""

Answer = tuple[int, dict[str, Any], bytes]

_snapshots: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}  # account, region, API -> deployment -> parts


def snapshot(api_id: str, deployment_id: str) -> dict[str, Any]:
    """What `deployment_id` froze, by store name; raises KeyError for a deployment that is unknown."""
    return _snapshots[*scope.current(), api_id][deployment_id]


def _freeze(api_id: str, deployment_id: str) -> None:
    parts = {part: copy.deepcopy(getattr(apigateway_v1, part).get(api_id)) for part in PARTS}
    _snapshots.setdefault((*scope.current(), api_id), {})[deployment_id] = parts


def _refusal(api_id: str, data: dict[str, Any]) -> str | None:
    canary, name = data.get("canarySettings"), data.get("stageName")
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(name)
    if canary is None:
        if stage and stage.get("canarySettings"):
            return (
                f"Non canary deployment not supported on stage {name} because Canary is enabled. "
                "Provide CanarySettings in deploymentInput."
            )
        return None
    if not name:
        value = "null" if name is None else name
        return (
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary "
            f"deployment. Provided value is {value}"
        )
    if stage is None:
        return (
            f"Invalid deployment content specified.Stage {name} must already be created before making a canary "
            "release deployment"
        )
    return None


def _creating(original: Callable[..., Answer]) -> Callable[..., Answer]:
    def create_deployment(api_id: str, data: dict[str, Any]) -> Answer:
        refused = _refusal(api_id, data)
        canary = None
        if refused is None:
            try:
                stage_patch.check_variables(data.get("variables"))
                canary = stage_patch.canary_settings(data.get("canarySettings"), deployment_id="")
            except stage_patch.RefusedError as error:
                refused = str(error)
        if refused is not None:
            return apigateway_v1._v1_error("BadRequestException", refused, 400)  # type: ignore[no-any-return]
        name = data.get("stageName")
        answer = original(api_id, {**data, "stageName": None})
        if answer[0] < 400:
            deployment_id = json.loads(answer[2])["id"]
            _freeze(api_id, deployment_id)  # before a stage points to it
            if canary is not None:
                stage = apigateway_v1._stages_v1[api_id][name]
                stage["canarySettings"] = {**canary, "deploymentId": deployment_id}
            elif name:
                description, variables = data.get("stageDescription") or "", data.get("variables") or {}
                apigateway_v1._deploy_to_stage(api_id, deployment_id, name, description, variables)
        return answer

    return create_deployment


def _deleting(original: Callable[..., Answer]) -> Callable[..., Answer]:
    def delete_deployment(api_id: str, deployment_id: str) -> Answer:
        for stage in apigateway_v1._stages_v1.get(api_id, {}).values():
            if deployment_id in (stage.get("deploymentId"), (stage.get("canarySettings") or {}).get("deploymentId")):
                return apigateway_v1._v1_error(  # type: ignore[no-any-return]
                    "BadRequestException", "Active stages pointing to this deployment must be moved or deleted", 400
                )
        answer = original(api_id, deployment_id)
        _snapshots.get((*scope.current(), api_id), {}).pop(deployment_id, None)
        return answer

    return delete_deployment


def _deleting_api(original: Callable[[str], Answer]) -> Callable[[str], Answer]:
    def delete_rest_api(api_id: str) -> Answer:
        _snapshots.pop((*scope.current(), api_id), None)
        return original(api_id)

    return delete_rest_api


def _resetting(original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        _snapshots.clear()
        original()

    return reset


def message(answer: Answer) -> str:
    """The sentence of an API Gateway error answer."""
    return str(json.loads(answer[2])["message"])


def _from_template(_logical_id: str, props: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
    """Create an AWS::ApiGateway::Deployment; raises ValueError with the service's sentence."""
    stage_name, description, variables = provisioners._apigw_deployment_stage(props)
    canary = props.get("DeploymentCanarySettings")
    answer = apigateway_v1._create_deployment(
        props.get("RestApiId", ""),
        {
            "description": props.get("Description", ""),
            "stageName": stage_name,
            "stageDescription": description,
            "variables": variables,
            **({"canarySettings": stage_patch.from_template(canary)} if canary else {}),
        },
    )
    if answer[0] >= 400:
        raise ValueError(message(answer))
    deployment_id = json.loads(answer[2])["id"]
    return deployment_id, {"DeploymentId": deployment_id}


def _delete_from_template(deployment_id: str, props: dict[str, Any]) -> None:
    """Delete a deployment, and the stage that it declares itself; raises ValueError while another needs it."""
    api_id, name = props.get("RestApiId", ""), props.get("StageName")
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(name)
    if stage and stage.get("deploymentId") == deployment_id:
        apigateway_v1._delete_stage(api_id, name)
    answer = apigateway_v1._delete_deployment(api_id, deployment_id)
    if answer[0] == 400:
        raise ValueError(message(answer))


def install() -> None:
    """Freeze on CreateDeployment, refuse what AWS refuses, and forget with the API and on a reset."""
    apigateway_v1._create_deployment = _creating(apigateway_v1._create_deployment)
    apigateway_v1._delete_deployment = _deleting(apigateway_v1._delete_deployment)
    apigateway_v1._delete_rest_api = _deleting_api(apigateway_v1._delete_rest_api)
    apigateway_v1.reset = _resetting(apigateway_v1.reset)
    provisioners._apigw_deployment_create = _from_template  # the stock update handler replaces through this name
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Deployment"] |= {
        "create": _from_template,
        "delete": _delete_from_template,
    }
