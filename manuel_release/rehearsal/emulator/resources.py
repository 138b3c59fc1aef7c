"""CloudFormation types of CodeDeploy, and how a type is given to ministack's CloudFormation at all.

Creating, updating and deleting go through the very functions that answer the API, so a template is refused as a request
is. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CodeDeploy.html
DeletionPolicy and UpdateReplacePolicy are ministack's own and hold for these types, too.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codedeploy import applications, configs, group_rules, groups, state
from manuel_release.rehearsal.emulator.targets import Caller, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]
"""Physical id (what `Ref` gives) and the attributes (what `Fn::GetAtt` gives)."""

REQUIRES = {
    "ministack.services.cloudformation.provisioners._CUSTOM_NAME_REPLACEMENT": None,
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES": None,
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._STACK_TAG_PROPERTY": None,
    "ministack.services.cloudformation.provisioners._physical_name": (
        "stack_name", "logical_id", "lowercase", "max_len", "seeded",
    ),
    "ministack.services.cloudformation.provisioners._tag_map": ("tags",),
}  # fmt: skip


@dataclass(frozen=True)
class ResourceType:
    """How CloudFormation handles one type.

    create(logical_id, properties, stack_name); update(physical_id, old, new, stack_name, logical_id);
    delete(physical_id, properties). A change of one of `replacing` makes a new resource; `name` is the property that
    names it, under which no second one can be made. A failure is a ValueError with the sentence for the stack's events.
    """

    create: Callable[[str, Properties, str], Made]
    delete: Callable[[str, Properties], None]
    update: Callable[[str, Properties, Properties, str, str], Made] | None = None
    replacing: tuple[str, ...] = ()
    name: str = ""
    tags: tuple[str, str] | None = field(default=None)


def register(name: str, kind: ResourceType) -> None:
    """Make ministack's CloudFormation know a type."""
    handlers: dict[str, Any] = {"create": kind.create, "delete": kind.delete}
    if kind.update is not None:
        handlers |= {"update": kind.update, "update_with_logical_id": True}
    provisioners._RESOURCE_HANDLERS[name] = handlers
    provisioners._REPLACING_PROPERTIES[name] = kind.replacing
    if kind.name:
        provisioners._CUSTOM_NAME_REPLACEMENT[name] = {"name": kind.name}
    if kind.tags is not None:
        provisioners._STACK_TAG_PROPERTY[name] = kind.tags


def physical_name(properties: Properties, member: str, logical_id: str, stack_name: str, longest: int) -> str:
    """The name that the template gives, or one that CloudFormation makes, of at most `longest` characters."""
    return str(properties.get(member) or provisioners._physical_name(stack_name, logical_id, max_len=longest))


def checked(answer: tuple[int, Any, bytes]) -> Any:
    """The body of a ministack service's answer; raises ValueError with the service's sentence."""
    status, _headers, body = answer
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        document = {"message": body.decode(errors="replace")}
    if status >= 400:
        raise ValueError(str(document.get("message") or document.get("Message") or document))
    return document


def as_flag(value: object) -> bool:
    """A template's boolean, which a parameter gives as text."""
    return str(value).lower() == "true"


_FLAGS = {"enabled", "ignorePollAlarmFailure", "terminationHookEnabled"}
_NUMBERS = {"canaryPercentage", "canaryInterval", "linearPercentage", "linearInterval", "value"}


def _member(name: str) -> str:
    return "ecsServices" if name == "ECSServices" else name[:1].lower() + name[1:]


def _request(value: Any, member: str = "") -> Any:
    """Template properties as request members: other first letter, booleans and numbers that parameters give as text."""
    if isinstance(value, dict):
        return {_member(name): _request(item, _member(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_request(item) for item in value]
    if member in _FLAGS:
        return as_flag(value)
    if member in _NUMBERS and str(value).lstrip("-").isdigit():
        return int(value)
    return value


def _call(operation: Callable[[Properties, Caller], Properties], request: Properties) -> Properties:
    """Ask CodeDeploy on behalf of CloudFormation; raises ValueError in the words that a stack's event has."""
    account_id, region = scope.current()
    try:
        return operation(request, Caller(f"arn:aws:iam::{account_id}:root", account_id, region))
    except ServiceError as error:
        raise ValueError(
            f"{error.message} (Service: AmazonCodeDeploy; Status Code: {error.status}; Error Code: {error.code}; "
            f"Request ID: {uuid.uuid4()}; Proxy: null)"
        ) from error


def _tags(properties: Properties) -> list[dict[str, str]]:
    found = provisioners._tag_map(properties.get("Tags"))
    return [{"Key": key, "Value": value} for key, value in found.items() if not key.startswith("aws:")]


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
    request: Properties = _request(given)
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
    _call(configs.create, {**_request(properties), "deploymentConfigName": name})
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


def install() -> None:
    """Register CodeDeploy's types."""
    for name, kind in TYPES.items():
        register(name, kind)
