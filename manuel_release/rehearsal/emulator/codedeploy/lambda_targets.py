"""What a deployment does to its one target, the alias.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaTarget.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import alias, state
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.appspec import AppSpec
    from manuel_release.rehearsal.emulator.codedeploy.state import Deployment
    from manuel_release.rehearsal.emulator.targets import Body, Caller

_STATUS = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}


def _started(body: Body) -> tuple[Deployment, AppSpec]:
    deployment = state.deployment(body.get("deploymentId"))
    if deployment.started is None:
        raise ServiceError("DeploymentNotStartedException", f"The deployment {deployment.id} has not started.")
    if deployment.spec is None:
        raise ServiceError("DeploymentTargetDoesNotExistException", f"The deployment {deployment.id} has no target.")
    return deployment, deployment.spec


def _target_id(spec: AppSpec) -> str:
    return f"{spec.function}:{spec.alias}"


def list_all(body: Body, _caller: Caller) -> Body:
    """ListDeploymentTargets: FUNCTION:ALIAS, and nothing else."""
    with state.LOCK:
        _deployment, spec = _started(body)
        return {"targetIds": [_target_id(spec)]}


def _describe(body: Body, target_id: Any) -> dict[str, Any]:
    deployment, spec = _started(body)
    if not target_id:
        raise ServiceError("DeploymentTargetIdRequiredException", "The deployment target ID is required.")
    if target_id != _target_id(spec):
        raise ServiceError(
            "DeploymentTargetDoesNotExistException",
            f"The target {target_id} does not belong to the deployment {deployment.id}.",
        )
    described = {
        "deploymentId": deployment.id,
        "targetId": target_id,
        "targetArn": f"{alias.function_arn(spec.function)}:{spec.alias}",
        "status": _STATUS.get(deployment.status, deployment.status),
        "lastUpdatedAt": deployment.ended or time.time(),
        "lifecycleEvents": [hook.info() for hook in deployment.hooks],
        "lambdaFunctionInfo": {
            "functionName": spec.function,
            "functionAlias": spec.alias,
            "currentVersion": spec.current_version,
            "targetVersion": spec.target_version,
            "targetVersionWeight": deployment.weight,
        },
    }
    return {"deploymentTargetType": "LambdaTarget", "lambdaTarget": described}


def get(body: Body, _caller: Caller) -> Body:
    """GetDeploymentTarget."""
    with state.LOCK:
        return {"deploymentTarget": _describe(body, body.get("targetId"))}


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetDeploymentTargets: a Lambda deployment has exactly one target."""
    wanted = body.get("targetIds") or []
    if not wanted:
        raise ServiceError("DeploymentTargetIdRequiredException", "The deployment target ID is required.")
    if len(wanted) > 1:
        raise ServiceError(
            "DeploymentTargetListSizeExceededException", "A Lambda deployment has exactly one deployment target."
        )
    with state.LOCK:
        return {"deploymentTargets": [_describe(body, wanted[0])]}


OPERATIONS = {
    "ListDeploymentTargets": list_all,
    "GetDeploymentTarget": get,
    "BatchGetDeploymentTargets": batch_get,
}
