"""Which permission on which resource an operation needs.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import state
from manuel_release.rehearsal.emulator.targets import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

_ON_APPLICATION = (
    "CreateApplication", "GetApplication", "UpdateApplication", "DeleteApplication", "RegisterApplicationRevision",
    "GetApplicationRevision", "ListApplicationRevisions", "BatchGetApplications", "ListApplications",
)  # fmt: skip
_ON_CONFIG = ("CreateDeploymentConfig", "GetDeploymentConfig", "DeleteDeploymentConfig", "ListDeploymentConfigs")


def of(action: str, body: dict[str, Any]) -> Sequence[Permission]:
    """What a caller of `action` needs; CreateDeployment needs several."""
    if action in _ON_APPLICATION:
        return (Permission((action,), state.arn("application", str(body.get("applicationName") or "*"))),)
    if action in _ON_CONFIG:
        return (Permission((action,), state.arn("deploymentconfig", str(body.get("deploymentConfigName") or "*"))),)
    if action in {"TagResource", "UntagResource", "ListTagsForResource"}:
        return (Permission((action,), str(body.get("ResourceArn") or "*")),)
    group = _group(body)
    if action == "CreateDeployment":
        return _create_deployment(body, group)
    return (Permission((action,), group),)


def _group(body: dict[str, Any]) -> str:
    """ARN of the group that the request names, by itself or by a deployment."""
    deployment = state.deployments.get(str(body.get("deploymentId")))
    if deployment is not None:
        return state.arn("deploymentgroup", f"{deployment.application}/{deployment.group}")
    group = body.get("deploymentGroupName") or body.get("currentDeploymentGroupName") or "*"
    return state.arn("deploymentgroup", f"{body.get('applicationName') or '*'}/{group}")


def _create_deployment(body: dict[str, Any], group: str) -> Sequence[Permission]:
    """Its own permission, and those that the permissions reference adds in a footnote."""
    application = str(body.get("applicationName") or "*")
    settings = state.groups.get((application, body.get("deploymentGroupName"))) or {}
    config = str(body.get("deploymentConfigName") or settings.get("deploymentConfigName") or "*")
    needed = [
        Permission(("CreateDeployment",), group),
        Permission(("GetDeploymentConfig",), state.arn("deploymentconfig", config)),
        Permission(("GetApplicationRevision", "RegisterApplicationRevision"), state.arn("application", application)),
    ]
    if body.get("overrideAlarmConfiguration"):
        needed.append(Permission(("UpdateDeploymentGroup",), group))
    return needed
