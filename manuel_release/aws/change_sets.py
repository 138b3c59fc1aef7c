"""CloudFormation: change sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from manuel_release.aws import stack_answers
from manuel_release.aws.errors import code_of, message_of, translated
from manuel_release.aws.masking import masked
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.dead_end import taken_name_hint
from manuel_release.model.stack import ChangeSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        CreateChangeSetInputTypeDef,
        DescribeChangeSetInputPaginateTypeDef,
        DescribeEventsInputPaginateTypeDef,
        ParameterTypeDef,
    )

    from manuel_release.aws.session import Session
    from manuel_release.model.stack import Change, StackEvent

STACK_ROLE_VARIABLE = "MANUEL_STACK_ROLE"
"""ARN of the role with which CloudFormation changes a stack, so that whoever deploys needs fewer permissions."""

CHANGE_SET_SECONDS = 600.0
_FIRST_POLL_SECONDS = 0.2
_LONGEST_POLL_SECONDS = 5.0
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_TOO_LARGE = re.compile(
    r"may not exceed \d+ bytes|'templateBody' failed .* less than or equal to \d+|"
    r"[Nn]umber of resources, \d+, is greater than"
)
_BUSY_HINT = "Another operation is under way; `manuel-release status` shows when it is over."
TOO_LARGE_HINT = (
    "Make it smaller: split off what changes rarely into a stack of its own, as operations.yaml is. "
    "`wc -c .aws-sam/packaged-template.yaml` shows its size, `manuel-release deploy` tries again."
)


class ChangeSets:
    """Plans, executes and deletes change sets of one account and region."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = session
        self._sleep = sleep

    @property
    def _client(self) -> CloudFormationClient:
        return self._session.client("cloudformation")

    def create_change_set(
        self,
        *,
        stack: str,
        template_url: str | None,
        template_body: str | None,
        parameters: Mapping[str, str | None],
        creates: bool,
        name: str,
        description: str,
        rollback_alarms: Sequence[str],
        tags: Mapping[str, str],
        values: bool = False,
        within: float = CHANGE_SET_SECONDS,
    ) -> ChangeSet:
        """Have AWS compute a change set and wait for it; one without changes is deleted at once.

        Args:
            stack: name of the stack.
            template_url: where the template is in S3; or None and
            template_body: the template itself, at most 51,200 bytes.
            parameters: a value for each parameter, None for the one that it has now; one that is left out gets the
                template's default.
            creates: whether the stack is new (or only has a change set that was never executed).
            name: of the change set; letters, digits and hyphens, beginning with a letter.
            description: for people who look at it in the console, at most 1,024 characters.
            rollback_alarms: ARNs of at most 5 alarms, each of which undoes the update when it fires meanwhile.
            tags: of the stack and everything in it.
            values: ask for the values of properties before and after, too.
            within: seconds to wait for it.

        CloudFormation acts as the role that MANUEL_STACK_ROLE names, and keeps it for later operations on the stack;
        where the variable is not set, as the role of the stack's last operation or as the caller.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html

        Raises:
            ReleaseError: AWS refuses it, in AWS's words; the change set is deleted.
            Pending: it is not computed after `within`.
        """
        asked: CreateChangeSetInputTypeDef = {
            "StackName": stack,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if creates else "UPDATE",
            "Description": description,
            "Parameters": [_parameter(key, value) for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            # Always sent: left out, the triggers of an earlier update would stay.
            "RollbackConfiguration": {
                "RollbackTriggers": [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in rollback_alarms],
                "MonitoringTimeInMinutes": 0,
            },
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        role = os.environ.get(STACK_ROLE_VARIABLE)
        if role:
            asked["RoleARN"] = role
        if template_url is not None:
            asked["TemplateURL"] = template_url
        if template_body is not None:
            asked["TemplateBody"] = template_body
        with translated(f"cannot plan the change of stack {stack}"):
            try:
                change_set = self._client.create_change_set(**asked)["Id"]
            except self._client.exceptions.ClientError as error:
                hint = _way_out(error, template_url)
                if not hint:
                    raise
                raise ReleaseError(
                    f"cannot plan the change of stack {stack}: {message_of(error)}", hint=hint
                ) from error
        return self._computed(change_set, stack, creates=creates, values=values, within=within)

    def _computed(self, change_set: str, stack: str, *, creates: bool, values: bool, within: float) -> ChangeSet:
        waited, pause = 0.0, _FIRST_POLL_SECONDS
        while True:
            with translated(f"cannot read the change set of stack {stack}"):
                answer = self._client.describe_change_set(ChangeSetName=change_set)
            if answer["Status"] == "CREATE_COMPLETE":
                return ChangeSet(change_set, stack, self.changes(change_set, values=values), creates, values)
            if answer["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            if waited >= within:
                self.delete_change_set(change_set)
                raise Pending(
                    f"the change set of stack {stack} is not computed after {waited:.0f} s: {answer['Status']}",
                    hint="Run the command again; it makes a new one.",
                )
            self._sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, _LONGEST_POLL_SECONDS)
        reason = answer.get("StatusReason", "") or answer["Status"]
        empty = any(words in reason for words in _NO_CHANGES)
        objections = () if empty else self.objections(change_set=change_set)
        self.delete_change_set(change_set)
        if empty:
            return ChangeSet(change_set, stack, (), creates)
        raise ReleaseError(
            "\n  ".join([f"AWS refuses the change of stack {stack}: {masked(reason)}", *map(_told, objections)]),
            hint=TOO_LARGE_HINT if _TOO_LARGE.search(reason) else taken_name_hint(objections, self._session.region),
        )

    def objections(self, *, change_set: str = "", stack: str = "") -> tuple[StackEvent, ...]:
        """What AWS's validation and hooks objected to in a change set, or in a stack's last operation.

        Their own events are the only place that says it. Empty as well when they cannot be read.
        """
        asked: DescribeEventsInputPaginateTypeDef = {"Filters": {"FailedEvents": True}}
        if change_set:
            asked["ChangeSetName"] = change_set
        if stack:
            asked["StackName"] = stack
        try:
            with translated("cannot read why AWS refuses it"):
                pages = self._client.get_paginator("describe_events").paginate(**asked)
                events = [event for page in pages for event in page["OperationEvents"]]
        except ReleaseError:
            return ()  # what is known without them is still told
        last = events[0].get("OperationId") if events else None
        return tuple(
            stack_answers.objection(event)
            for event in events
            if event.get("OperationId") == last
            and (event.get("ValidationStatusReason") or event.get("HookStatusReason"))
        )

    def changes(self, change_set_id: str, *, values: bool = False) -> tuple[Change, ...]:
        """What a change set does to each resource, in AWS's order; with the values of properties only if `values`."""
        asked: DescribeChangeSetInputPaginateTypeDef = {"ChangeSetName": change_set_id}
        if values:
            asked["IncludePropertyValues"] = True
        pages = self._client.get_paginator("describe_change_set").paginate(**asked)
        with translated("cannot read the change set"):
            return tuple(
                stack_answers.change(change["ResourceChange"])
                for page in pages
                for change in page.get("Changes", [])
                if "ResourceChange" in change
            )

    def execute(self, change_set_id: str, token: str) -> None:
        """Begin to apply a change set; AWS ignores a second call with the same token."""
        with translated("cannot execute the change set"):
            self._client.execute_change_set(ChangeSetName=change_set_id, ClientRequestToken=token)

    def delete_change_set(self, change_set_id: str) -> None:
        """Delete a change set that nobody is going to execute; harmless when it is gone."""
        with translated("cannot delete the change set"):
            try:
                self._client.delete_change_set(ChangeSetName=change_set_id)
            except self._client.exceptions.ChangeSetNotFoundException:
                return


def _parameter(key: str, value: str | None) -> ParameterTypeDef:
    if value is None:
        return {"ParameterKey": key, "UsePreviousValue": True}
    return {"ParameterKey": key, "ParameterValue": value}


def _told(objection: StackEvent) -> str:
    return f"{objection.logical_id} {objection.physical_id}: {objection.reason}".replace(" :", ":")


def _way_out(error: Exception, template_url: str | None) -> str:
    """What to do about a change set that AWS does not even begin to compute; empty when its message is all there is."""
    if "_IN_PROGRESS state and can not be updated" in message_of(error):
        return _BUSY_HINT
    if code_of(error) == "InsufficientCapabilitiesException":
        where = f"--template-url {template_url}" if template_url else "--template-body file://operations.yaml"
        return (
            "Something in the template needs more than IAM resources and transforms; `aws cloudformation "
            f"validate-template {where} --query CapabilitiesReason` names it. Take it out, then run the command again."
        )
    return TOO_LARGE_HINT if _TOO_LARGE.search(message_of(error)) else ""
