"""CloudFormation's types of CodeDeploy.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CodeDeploy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import resources
from manuel_release.rehearsal.emulator.codedeploy import applications, configs, group_rules, groups, state
from manuel_release.rehearsal.emulator.resources import Made, Properties, ResourceType, physical_name

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Operation

REQUIRES = resources.REQUIRES
MEMBERS = resources.Members(
    numbers={"canaryPercentage", "canaryInterval", "linearPercentage", "linearInterval", "value"},
    flags={"enabled", "ignorePollAlarmFailure", "terminationHookEnabled"},
    renamed={"ECSServices": "ecsServices"},
)


def _call(operation: Operation, request: Properties) -> Properties:
    return resources.ask("AmazonCodeDeploy", operation, request)


def _tags(properties: Properties) -> list[dict[str, str]]:
    return resources.tags(properties, "Key", "Value")


def _retag(arn: str, old: Properties, new: Properties) -> None:
    gone = {tag["Key"] for tag in _tags(old)} - {tag["Key"] for tag in _tags(new)}
    state.tags[arn] = {key: value for key, value in (state.tags.get(arn) or {}).items() if key not in gone}
    applications.set_tags(arn, _tags(new))


def _create_application(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "ApplicationName", logical_id, stack_name, 100)
    request = {"applicationName": name, "computePlatform": properties.get("ComputePlatform"), "tags": _tags(properties)}
    _call(applications.create, request)
    return name, {}


def _update_application(name: str, old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    _retag(state.arn("application", name), old, new)
    return name, {}


def _delete_application(name: str, _properties: Properties) -> None:
    _call(applications.delete, {"applicationName": name})


def _group_request(properties: Properties) -> Properties:
    """The members of a deployment group, with what CloudFormation was measured to add.

    Without DeploymentStyle it gives Lambda's; with an IN_PLACE one it sends tag filters, which Lambda refuses.
    """
    if "Deployment" in properties:
        raise ValueError("Deployment is for groups of instances; a Lambda deployment needs CreateDeployment.")
    given = {name: value for name, value in properties.items() if name not in {"Tags", "DeploymentGroupName"}}
    request: Properties = MEMBERS.of(given)
    style = request.setdefault("deploymentStyle", group_rules.STYLE)
    if style.get("deploymentType") != "BLUE_GREEN":
        request.setdefault("ec2TagFilters", [])
    alarms = request.get("alarmConfiguration")
    if alarms is not None:
        alarms.setdefault("alarms", [])
    return request


def _create_group(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "DeploymentGroupName", logical_id, stack_name, 100)
    request = {**_group_request(properties), "deploymentGroupName": name, "tags": _tags(properties)}
    _call(groups.create, request)
    return name, {}


def _update_group(name: str, old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    off: Properties = {
        "alarmConfiguration": {"enabled": False, "alarms": []},
        "autoRollbackConfiguration": {"enabled": False, "events": []},
        "triggerConfigurations": [],
    }
    _call(groups.update, {**off, **_group_request(new), "currentDeploymentGroupName": name})
    _retag(state.arn("deploymentgroup", f"{new['ApplicationName']}/{name}"), old, new)
    return name, {}


def _delete_group(name: str, properties: Properties) -> None:
    request = {"applicationName": properties["ApplicationName"], "deploymentGroupName": name}
    _call(groups.delete, request)


def _create_config(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "DeploymentConfigName", logical_id, stack_name, 100)
    _call(configs.create, {**MEMBERS.of(properties), "deploymentConfigName": name})
    return name, {}


def _delete_config(name: str, _properties: Properties) -> None:
    _call(configs.delete, {"deploymentConfigName": name})


TYPES = {
    "AWS::CodeDeploy::Application": ResourceType(
        _create_application,
        _delete_application,
        _update_application,
        replacing=("ApplicationName", "ComputePlatform"),
        name="ApplicationName",
        tags=("Tags", "list"),
    ),
    "AWS::CodeDeploy::DeploymentGroup": ResourceType(
        _create_group,
        _delete_group,
        _update_group,
        replacing=("ApplicationName", "DeploymentGroupName"),
        tags=("Tags", "list"),
    ),
    "AWS::CodeDeploy::DeploymentConfig": ResourceType(
        _create_config,
        _delete_config,
        replacing=(
            "DeploymentConfigName",
            "MinimumHealthyHosts",
            "ComputePlatform",
            "ZonalConfig",
            "TrafficRoutingConfig",
        ),
        name="DeploymentConfigName",
    ),
}
