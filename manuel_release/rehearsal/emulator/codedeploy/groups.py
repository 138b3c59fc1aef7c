"""Deployment groups of Lambda applications: one per function and alias that is deployed.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import applications, group_rules, names, service_role, state
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

BATCH_LIMIT = 100
SERVER_DEFAULT = "CodeDeployDefault.OneAtATime"

_SETTINGS = (
    "deploymentConfigName",
    "serviceRoleArn",
    "triggerConfigurations",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "deploymentStyle",
    "outdatedInstancesStrategy",
    "terminationHookEnabled",
)


def create(body: Body, _caller: Caller) -> Body:
    """CreateDeploymentGroup."""
    application = names.application(body.get("applicationName"))
    name = names.group(body.get("deploymentGroupName"))
    _lambda_application(application)
    role = body.get("serviceRoleArn")
    if not role:
        raise ServiceError("RoleRequiredException", "The service role ARN is required.")
    group_rules.refuse_instance_settings(body)
    group_rules.check_style(body.get("deploymentStyle"))
    config = body.get("deploymentConfigName") or SERVER_DEFAULT
    group_rules.check_config(config)
    group_rules.check(body)
    service_role.check_trust(role)
    with state.LOCK:
        if (application, name) in state.groups:
            raise _taken(name)
        applications.set_tags(state.arn("deploymentgroup", f"{application}/{name}"), body.get("tags"))
        made = {
            "applicationName": application,
            "deploymentGroupId": str(uuid.uuid4()),
            "deploymentGroupName": name,
            "computePlatform": "Lambda",
            "ec2TagFilters": [],
            "onPremisesInstanceTagFilters": [],
            "autoScalingGroups": [],
            "triggerConfigurations": [],
            "outdatedInstancesStrategy": "UPDATE",
            "terminationHookEnabled": False,
            **{member: body[member] for member in _SETTINGS if member in body},
            "deploymentConfigName": config,
        }
        state.groups[application, name] = made
    return {"deploymentGroupId": made["deploymentGroupId"]}


def _lambda_application(name: str) -> None:
    platform = state.application(name)["computePlatform"]
    if platform != "Lambda":
        raise ServiceError(
            "InvalidInputException", f"Application {name} is for {platform}; here only Lambda can be deployed."
        )


def _taken(name: str) -> ServiceError:
    return ServiceError(
        "DeploymentGroupAlreadyExistsException", f"Deployment group already exists with the name: {name}"
    )


def update(body: Body, _caller: Caller) -> Body:
    """UpdateDeploymentGroup: the members given replace those of the group."""
    application = names.application(body.get("applicationName"))
    name = names.group(body.get("currentDeploymentGroupName"))
    group = state.group(application, name)
    group_rules.refuse_instance_settings(body)
    if "deploymentStyle" in body:
        group_rules.check_style(body["deploymentStyle"])
    if body.get("deploymentConfigName"):
        group_rules.check_config(body["deploymentConfigName"])
    group_rules.check(body)
    if body.get("serviceRoleArn"):
        service_role.check_trust(body["serviceRoleArn"])
    new_name = names.group(body.get("newDeploymentGroupName") or name)
    with state.LOCK:
        if new_name != name and (application, new_name) in state.groups:
            raise _taken(new_name)
        group.update({member: body[member] for member in _SETTINGS if body.get(member) is not None})
        if new_name != name:
            _rename(application, name, new_name)
    return {"hooksNotCleanedUp": []}


def _rename(application: str, old: str, new: str) -> None:
    state.groups[application, new] = {**state.groups.pop((application, old)), "deploymentGroupName": new}
    for deployment in state.deployments.values():
        if (deployment.application, deployment.group) == (application, old):
            deployment.group = new
    found = state.tags.pop(state.arn("deploymentgroup", f"{application}/{old}"), None)
    if found is not None:
        state.tags[state.arn("deploymentgroup", f"{application}/{new}")] = found


def info(group: dict[str, Any]) -> Body:
    """`DeploymentGroupInfo`, with the deployments that were tried and that succeeded last."""
    described = dict(group)
    mine = [found for found in state.deployments.values() if found.group_id == group["deploymentGroupId"]]
    succeeded = [deployment for deployment in mine if deployment.status == "Succeeded"]
    for member, candidates in (("lastAttemptedDeployment", mine), ("lastSuccessfulDeployment", succeeded)):
        if candidates:
            last = max(candidates, key=lambda deployment: deployment.created)
            described[member] = state.present(
                deploymentId=last.id, status=last.status, endTime=last.ended, createTime=last.created
            )
    if succeeded:
        described["targetRevision"] = max(succeeded, key=lambda deployment: deployment.created).revision
    return described


def get(body: Body, _caller: Caller) -> Body:
    """GetDeploymentGroup."""
    application = names.application(body.get("applicationName"))
    return {"deploymentGroupInfo": info(state.group(application, names.group(body.get("deploymentGroupName"))))}


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetDeploymentGroups; unknown names are said in `errorMessage`."""
    application = names.application(body.get("applicationName"))
    state.application(application)
    wanted = names.at_most(body.get("deploymentGroupNames"), BATCH_LIMIT)
    known = [name for name in wanted if (application, name) in state.groups]
    missing = [name for name in wanted if name not in known]
    return state.present(
        deploymentGroupsInfo=[info(state.group(application, name)) for name in known],
        errorMessage=f"No Deployment Group found for name: {', '.join(missing)}" if missing else None,
    )


def list_all(body: Body, _caller: Caller) -> Body:
    """ListDeploymentGroups."""
    application = names.application(body.get("applicationName"))
    state.application(application)
    found = [key[1] for key in state.groups.keys() if key[0] == application]  # noqa: SIM118 - scoped, not a dict
    return {"applicationName": application, "deploymentGroups": found}


def delete(body: Body, _caller: Caller) -> Body:
    """DeleteDeploymentGroup; no error when there is none."""
    application = names.application(body.get("applicationName"))
    name = names.group(body.get("deploymentGroupName"))
    with state.LOCK:
        state.groups.pop((application, name), None)
        state.tags.pop(state.arn("deploymentgroup", f"{application}/{name}"), None)
    return {"hooksNotCleanedUp": []}


OPERATIONS = {
    "CreateDeploymentGroup": create,
    "UpdateDeploymentGroup": update,
    "GetDeploymentGroup": get,
    "BatchGetDeploymentGroups": batch_get,
    "ListDeploymentGroups": list_all,
    "DeleteDeploymentGroup": delete,
}
