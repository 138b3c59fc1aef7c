"""CloudFormation's types of CodeBuild, made through the functions that answer the API.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CodeBuild.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import input_model, resources
from manuel_release.rehearsal.emulator.codebuild import projects, report_groups, state
from manuel_release.rehearsal.emulator.resources import Made, Properties, ResourceType, physical_name

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Operation

REQUIRES = resources.REQUIRES
MEMBERS = resources.Members(
    numbers={
        "timeoutInMinutes", "queuedTimeoutInMinutes", "gitCloneDepth", "concurrentBuildLimit", "autoRetryLimit",
        "maximumBuildsAllowed", "timeoutInMins",
    },
    flags={
        "privilegedMode", "encryptionDisabled", "overrideArtifactName", "badgeEnabled", "insecureSsl",
        "reportBuildStatus", "fetchSubmodules", "combineArtifacts", "deleteReports",
    },
    renamed={"BuildSpec": "buildspec", "TimeoutInMins": "timeoutInMins"},
)  # fmt: skip
_OTHERS = {"Triggers", "Visibility", "ResourceAccessRole"}


def _call(name: str, operation: Operation, request: Properties) -> Properties:
    asked = input_model.checked("codebuild", name, operation, "InvalidInputException")
    return resources.ask("AWSCodeBuild", asked, request)


def _project(properties: Properties, name: str) -> Properties:
    triggers = properties.get("Triggers") or {}
    if resources.as_flag(triggers.get("Webhook", False)):
        raise ValueError("Triggers.Webhook: builds are not started by webhooks here; let a pipeline start them")
    given = {key: value for key, value in properties.items() if key not in {*_OTHERS, "Tags", "Name"}}
    request: Properties = MEMBERS.of(given)
    return {**request, "name": name, "tags": resources.tags(properties)}


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
    export = MEMBERS.of(properties.get("ExportConfig") or {})
    return {"exportConfig": export, "tags": resources.tags(properties)}


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
