"""CloudFormation's types of CodeBuild, made through the functions that answer the API.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CodeBuild.html
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import input_model, resources, scope
from manuel_release.rehearsal.emulator.codebuild import projects, report_groups, state
from manuel_release.rehearsal.emulator.resources import Made, Properties, ResourceType, physical_name
from manuel_release.rehearsal.emulator.targets import Caller, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {"ministack.services.cloudformation.provisioners._tag_map": ("tags",)}

_SPECIAL = {"BuildSpec": "buildspec", "TimeoutInMins": "timeoutInMins"}
_NUMBERS = {
    "timeoutInMinutes", "queuedTimeoutInMinutes", "gitCloneDepth", "concurrentBuildLimit", "autoRetryLimit",
    "maximumBuildsAllowed", "timeoutInMins",
}  # fmt: skip
_FLAGS = {
    "privilegedMode", "encryptionDisabled", "overrideArtifactName", "badgeEnabled", "insecureSsl", "reportBuildStatus",
    "fetchSubmodules", "combineArtifacts", "deleteReports",
}  # fmt: skip
_OTHERS = {"Triggers", "Visibility", "ResourceAccessRole"}


def as_request(value: Any, numbers: set[str], flags: set[str], member: str = "") -> Any:
    """Template properties as request members: another first letter; numbers and booleans may be given as text."""
    if isinstance(value, dict):
        named = {_SPECIAL.get(name, name[:1].lower() + name[1:]): item for name, item in value.items()}
        return {name: as_request(item, numbers, flags, name) for name, item in named.items()}
    if isinstance(value, list):
        return [as_request(item, numbers, flags) for item in value]
    if member in flags:
        return resources.as_flag(value)
    if member in numbers and str(value).lstrip("-").isdigit():
        return int(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def call(service: str, name: str, operation: Callable[..., Properties], request: Properties, code: str) -> Properties:
    """Ask a service on behalf of CloudFormation; raises ValueError in the words that a stack's event has."""
    account_id, region = scope.current()
    try:
        input_model.check(service.removeprefix("AWS").lower(), name, request, code)
        return operation(request, Caller(f"arn:aws:iam::{account_id}:root", account_id, region))
    except ServiceError as error:
        raise ValueError(
            f"{error.message} (Service: {service}; Status Code: {error.status}; Error Code: {error.code}; "
            f"Request ID: {uuid.uuid4()}; Proxy: null)"
        ) from error


def tags(properties: Properties) -> list[dict[str, str]]:
    """Tags as the API has them, with those of the stack."""
    found = provisioners._tag_map(properties.get("Tags"))
    return [{"key": key, "value": value} for key, value in found.items() if not key.startswith("aws:")]


def _call(name: str, operation: Callable[..., Properties], request: Properties) -> Properties:
    return call("AWSCodeBuild", name, operation, request, "InvalidInputException")


def _project(properties: Properties, name: str) -> Properties:
    triggers = properties.get("Triggers") or {}
    if resources.as_flag(triggers.get("Webhook", False)):
        raise ValueError("Triggers.Webhook: builds are not started by webhooks here; let a pipeline start them")
    given = {key: value for key, value in properties.items() if key not in {*_OTHERS, "Tags", "Name"}}
    request: Properties = as_request(given, _NUMBERS, _FLAGS)
    return {**request, "name": name, "tags": tags(properties)}


def _create_project(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "Name", logical_id, stack_name, 150)
    _call("CreateProject", projects.create, _project(properties, name))
    return name, {"Arn": state.arn("project", name), "Id": name}


def _update_project(name: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    _call("UpdateProject", projects.update, _project(new, name))
    return name, {"Arn": state.arn("project", name), "Id": name}


def _delete_project(name: str, _properties: Properties) -> None:
    _call("DeleteProject", projects.delete, {"name": name})


def _group(properties: Properties) -> Properties:
    export = as_request(properties.get("ExportConfig") or {}, _NUMBERS, _FLAGS)
    return {"exportConfig": export, "tags": tags(properties)}


def _create_group(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "Name", logical_id, stack_name, 128)
    request = {**_group(properties), "name": name, "type": properties.get("Type")}
    arn = _call("CreateReportGroup", report_groups.create, request)["reportGroup"]["arn"]
    return arn, {"Arn": arn}


def _update_group(arn: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    _call("UpdateReportGroup", report_groups.update, {**_group(new), "arn": arn})
    return arn, {"Arn": arn}


def _delete_group(arn: str, properties: Properties) -> None:
    request = {"arn": arn, "deleteReports": resources.as_flag(properties.get("DeleteReports", False))}
    _call("DeleteReportGroup", report_groups.delete, request)


TYPES = {
    "AWS::CodeBuild::Project": ResourceType(
        _create_project, _delete_project, _update_project, replacing=("Name",), name="Name", tags=("Tags", "list")
    ),
    "AWS::CodeBuild::ReportGroup": ResourceType(
        _create_group, _delete_group, _update_group, replacing=("Name", "Type"), name="Name", tags=("Tags", "list")
    ),
}
