"""CloudFormation actions: a stack is made, changed or deleted through ministack's CloudFormation.

The action's role needs the calls and PassRole; what the stack's own role may do is not checked, as ministack's
CloudFormation provisions without.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import contextlib
import io
import json
import urllib.parse
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from ministack import app
from ministack.services import cloudformation

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Outcome

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.job import Job

REQUIRES = {
    "ministack.app.call_service_handler_sync": (
        "handler", "method", "path", "headers", "body", "query_params", "timeout",
    ),
    "ministack.services.cloudformation.handle_request": ("method", "path", "headers", "body", "query_params"),
}  # fmt: skip
POLL_SECONDS = 0.2
CALL_SECONDS = 120.0
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


def run(job: Job) -> Outcome:
    """Do what ActionMode says and wait until the stack is still."""
    mode = job.setting("ActionMode")
    modes = {
        "CREATE_UPDATE": _create_or_update,
        "CHANGE_SET_REPLACE": _replace_change_set,
        "CHANGE_SET_EXECUTE": _execute_change_set,
        "DELETE_ONLY": _delete,
    }
    role = job.setting("RoleArn")
    if role:
        job.actor.require("iam:PassRole", role, iam__passedtoservice="cloudformation.amazonaws.com")
    summary = modes[mode](job)
    outputs = {} if mode in {"DELETE_ONLY", "CHANGE_SET_REPLACE"} else _outputs(job)
    name = job.setting("OutputFileName")
    if name and job.run.outputs:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, json.dumps(outputs))
        (place,) = job.run.outputs.values()
        job.write(place, packed.getvalue())
    return Outcome(outputs, summary)


def _ask(job: Job, action: str, **parameters: Any) -> ET.Element:
    """One call of CloudFormation's API with the action's role; raises ActionFailed with its sentence."""
    account_id, region = scope.current()
    stack = f"arn:aws:cloudformation:{region}:{account_id}:stack/{job.setting('StackName')}/*"
    job.actor.require(f"cloudformation:{action}", stack)
    body = {"Action": action, "Version": "2010-05-15", "StackName": job.setting("StackName"), **parameters}
    status, _headers, answer = app.call_service_handler_sync(
        cloudformation.handle_request,
        "POST",
        "/",
        {"content-type": "application/x-www-form-urlencoded"},
        urllib.parse.urlencode({name: value for name, value in body.items() if value != ""}).encode(),
        {},
        CALL_SECONDS,
    )
    root = ET.fromstring(answer)  # noqa: S314 - ministack's own answer
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if status >= 400:
        raise ActionFailed(root.findtext(".//Message") or f"HTTP {status}")
    return root


def _status(job: Job) -> str:
    """The stack's status, empty when there is none."""
    try:
        return _ask(job, "DescribeStacks").findtext(".//StackStatus") or ""
    except ActionFailed:
        return ""


def _settled(job: Job) -> str:
    while (status := _status(job)).endswith("_IN_PROGRESS"):
        job.pause(POLL_SECONDS)
    return status


def _template(job: Job) -> dict[str, str]:
    """Template, parameters, tags and capabilities of a request."""
    configuration = json.loads(_file(job, job.setting("TemplateConfiguration")) or "{}")
    if not isinstance(configuration, dict) or set(configuration) - {"Parameters", "Tags", "StackPolicy"}:
        raise ActionFailed(
            'The template configuration is not {"Parameters": {...}, "Tags": {...}, "StackPolicy": {...}}',
            code="ConfigurationError",
        )
    overrides = json.loads(job.setting("ParameterOverrides") or "{}")
    request = {"TemplateBody": _file(job, job.setting("TemplatePath")), "RoleARN": job.setting("RoleArn")}
    parameters = {**(configuration.get("Parameters") or {}), **overrides}
    for number, (name, value) in enumerate(parameters.items(), 1):
        request[f"Parameters.member.{number}.ParameterKey"] = name
        request[f"Parameters.member.{number}.ParameterValue"] = str(value)
    for number, (name, value) in enumerate((configuration.get("Tags") or {}).items(), 1):
        request[f"Tags.member.{number}.Key"], request[f"Tags.member.{number}.Value"] = name, str(value)
    capabilities = [one.strip() for one in job.setting("Capabilities").split(",") if one.strip()]
    for number, capability in enumerate(capabilities, 1):
        request[f"Capabilities.member.{number}"] = capability
    return request


def _file(job: Job, reference: str) -> str:
    """A file of an input artifact, named ARTIFACT::PATH; empty for no reference."""
    if not reference:
        return ""
    artifact, _colons, path = reference.partition("::")
    with zipfile.ZipFile(io.BytesIO(job.read(job.run.inputs[artifact]))) as packed:
        try:
            return packed.read(path).decode()
        except KeyError as error:
            raise ActionFailed(
                f"File [{path}] does not exist in artifact [{artifact}]", code="ConfigurationError"
            ) from error


def _create_or_update(job: Job) -> str:
    before = _settled(job)
    action = "UpdateStack" if before else "CreateStack"
    try:
        _ask(job, action, **_template(job))
    except ActionFailed as failed:
        if any(words in str(failed) for words in NO_CHANGES):
            return "No updates are to be performed."
        raise
    wanted = "UPDATE_COMPLETE" if before else "CREATE_COMPLETE"
    return _expect(job, wanted)


def _expect(job: Job, *wanted: str) -> str:
    status = _settled(job)
    if status not in wanted:
        raise ActionFailed(f"Stack {job.setting('StackName')} is in state {status or 'DELETED'}")
    return f"Stack is in state {status}" if status else "Stack was deleted"


def _replace_change_set(job: Job) -> str:
    name, before = job.setting("ChangeSetName"), _settled(job)
    if before:
        with contextlib.suppress(ActionFailed):  # there may be none
            _ask(job, "DeleteChangeSet", ChangeSetName=name)
    kind = "CREATE" if before in {"", "REVIEW_IN_PROGRESS"} else "UPDATE"
    _ask(job, "CreateChangeSet", ChangeSetName=name, ChangeSetType=kind, **_template(job))
    while True:
        found = _ask(job, "DescribeChangeSet", ChangeSetName=name)
        status, reason = found.findtext(".//Status") or "", found.findtext(".//StatusReason") or ""
        if status == "FAILED" and not any(words in reason for words in NO_CHANGES):
            raise ActionFailed(f"Change set {name} failed: {reason}")
        if status in {"CREATE_COMPLETE", "FAILED"}:
            return reason or f"Change set {name} was created"
        job.pause(POLL_SECONDS)


def _execute_change_set(job: Job) -> str:
    name = job.setting("ChangeSetName")
    found = _ask(job, "DescribeChangeSet", ChangeSetName=name)
    if found.findtext(".//Status") == "FAILED":
        return "No updates are to be performed."
    _ask(job, "ExecuteChangeSet", ChangeSetName=name)
    return _expect(job, "CREATE_COMPLETE", "UPDATE_COMPLETE")


def _delete(job: Job) -> str:
    if _settled(job):
        _ask(job, "DeleteStack")
    return _expect(job, "", "DELETE_COMPLETE")


def _outputs(job: Job) -> dict[str, str]:
    found = _ask(job, "DescribeStacks").findall(".//Outputs/member")
    return {one.findtext("OutputKey") or "": one.findtext("OutputValue") or "" for one in found}
