"""CloudFormation: stacks, change sets and events.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.aws import stack_answers
from manuel_release.aws.errors import code_of, message_of, translated
from manuel_release.errors import Pending, Refused, ReleaseError
from manuel_release.model.stack import ChangeSet, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import CreateChangeSetInputTypeDef

    from manuel_release.aws.session import Session
    from manuel_release.model.stack import Change, Stack, StackEvent

CHANGE_SET_SECONDS = 600.0
DELETE_SECONDS = 120.0
_FIRST_POLL_SECONDS = 0.2
_LONGEST_POLL_SECONDS = 5.0
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_BUSY_HINT = "Another operation is under way; `manuel-release status` shows when it is over."


class Stacks:
    """Reads and changes stacks of one account and region."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = session
        self._sleep = sleep

    @property
    def _client(self) -> CloudFormationClient:
        return self._session.client("cloudformation")

    def describe(self, name: str) -> Stack | None:
        """The stack of that name or id; None when there is none, or only the memory of a deleted one."""
        with translated(f"cannot read stack {name}"):
            try:
                found = self._client.describe_stacks(StackName=name)["Stacks"]
            except self._client.exceptions.ClientError as error:
                if _is_missing(error):
                    return None
                raise
        stack = stack_answers.stack(found[0]) if found else None
        return None if stack is None or stack.status == "DELETE_COMPLETE" else stack

    def resources(self, name: str) -> tuple[Resource, ...]:
        """Every resource that the stack has or had in its last operation."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=name)
        with translated(f"cannot list the resources of stack {name}"):
            return tuple(
                Resource(
                    logical_id=each["LogicalResourceId"],
                    physical_id=each.get("PhysicalResourceId", ""),
                    type=each["ResourceType"],
                    status=each["ResourceStatus"],
                )
                for page in pages
                for each in page["StackResourceSummaries"]
            )

    def events(self, name: str, after: datetime | None = None) -> tuple[StackEvent, ...]:
        """The stack's events, oldest first; none when the stack does not exist.

        Args:
            name: the stack's name, or its id (which works for a deleted stack as well).
            after: leave out what happened before this moment. Events *at* it are kept, because several may share a
                moment: know the ones that were seen by their id. Take it from an event, not from this machine's clock.
        """
        found: list[StackEvent] = []
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=name)
        with translated(f"cannot read the events of stack {name}"):
            try:
                for page in pages:
                    events = [stack_answers.event(each) for each in page["StackEvents"]]
                    found += [each for each in events if after is None or each.at >= after]
                    if after is not None and events and events[-1].at < after:
                        break
            except self._client.exceptions.ClientError as error:
                if not _is_missing(error):
                    raise
        return tuple(reversed(found))

    def create_change_set(
        self,
        *,
        stack: str,
        template_url: str | None,
        template_body: str | None,
        parameters: Mapping[str, str],
        creates: bool,
        name: str,
        description: str,
        rollback_alarms: Sequence[str],
        tags: Mapping[str, str],
    ) -> ChangeSet:
        """Have AWS compute a change set and wait for it; one without changes is deleted at once.

        Args:
            stack: name of the stack.
            template_url: where the template is in S3; or None and
            template_body: the template itself, at most 51,200 bytes.
            parameters: a value for each parameter; one that is left out gets the template's default.
            creates: whether the stack is new (or only has a change set that was never executed).
            name: of the change set; letters, digits and hyphens, beginning with a letter.
            description: for people who look at it in the console, at most 1,024 characters.
            rollback_alarms: ARNs of at most 5 alarms, each of which undoes the update when it fires meanwhile.
            tags: of the stack and everything in it.

        Raises:
            ReleaseError: AWS refuses it, in AWS's words.
            Pending: it is not computed after CHANGE_SET_SECONDS.
        """
        asked: CreateChangeSetInputTypeDef = {
            "StackName": stack,
            "ChangeSetName": name,
            "ChangeSetType": "CREATE" if creates else "UPDATE",
            "Description": description,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            # Always sent: left out, the triggers of an earlier update would stay.
            "RollbackConfiguration": {
                "RollbackTriggers": [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in rollback_alarms],
                "MonitoringTimeInMinutes": 0,
            },
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        if template_url is not None:
            asked["TemplateURL"] = template_url
        if template_body is not None:
            asked["TemplateBody"] = template_body
        with translated(f"cannot plan the change of stack {stack}"):
            try:
                change_set = self._client.create_change_set(**asked)["Id"]
            except self._client.exceptions.ClientError as error:
                if "_IN_PROGRESS state and can not be updated" in message_of(error):
                    raise ReleaseError(
                        f"cannot plan the change of stack {stack}: {message_of(error)}", hint=_BUSY_HINT
                    ) from error
                raise
        return self._computed(change_set, stack, creates=creates)

    def _computed(self, change_set: str, stack: str, *, creates: bool) -> ChangeSet:
        waited, pause = 0.0, _FIRST_POLL_SECONDS
        while True:
            with translated(f"cannot read the change set of stack {stack}"):
                answer = self._client.describe_change_set(ChangeSetName=change_set)
            if answer["Status"] == "CREATE_COMPLETE":
                return ChangeSet(change_set, stack, self.changes(change_set), creates)
            if answer["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            if waited >= CHANGE_SET_SECONDS:
                raise Pending(
                    f"the change set of stack {stack} is not computed after {waited:.0f} s: {answer['Status']}",
                    hint="Run the command again; it makes a new one.",
                )
            self._sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, _LONGEST_POLL_SECONDS)
        reason = answer.get("StatusReason", "") or answer["Status"]
        empty = any(words in reason for words in _NO_CHANGES)
        findings = () if empty else self._findings(change_set, stack)
        self.delete_change_set(change_set)
        if empty:
            return ChangeSet(change_set, stack, (), creates)
        raise ReleaseError("\n  ".join([f"AWS refuses the change of stack {stack}: {reason}", *findings]))

    def _findings(self, change_set: str, stack: str) -> tuple[str, ...]:
        """What AWS's validation before the deployment objects to; the change set's own reason does not say it."""
        try:
            with translated(f"cannot read why the change set of stack {stack} failed"):
                pages = self._client.get_paginator("describe_events").paginate(
                    ChangeSetName=change_set, Filters={"FailedEvents": True}
                )
                events = [event for page in pages for event in page["OperationEvents"]]
        except ReleaseError:
            return ()  # the change set's own reason is still told
        return tuple(
            f"{event.get('LogicalResourceId', stack)} {event.get('ValidationPath', '')}: {reason}".replace(" :", ":")
            for event in events
            if (reason := event.get("ValidationStatusReason") or event.get("HookStatusReason"))
        )

    def changes(self, change_set_id: str) -> tuple[Change, ...]:
        """What a change set does to each resource, in AWS's order; property values are never asked for."""
        pages = self._client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id)
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

    def delete_stack(self, name: str) -> None:
        """Delete a stack that was never created (REVIEW_IN_PROGRESS) and wait until it is gone.

        Raises:
            Refused: the stack holds something.
            Pending: it is still there after DELETE_SECONDS.
        """
        stack = self.describe(name)
        waited = 0.0
        if stack is not None and not stack.never_created:
            raise Refused(
                f"stack {name} is not deleted: it is {stack.status}, and only an empty one is cleared away",
                hint=f"If it may really go: `aws cloudformation delete-stack --stack-name {name}`.",
            )
        while stack is not None:
            if waited == 0:
                with translated(f"cannot delete stack {name}"):
                    self._client.delete_stack(StackName=stack.id)
            elif waited >= DELETE_SECONDS:
                raise Pending(f"stack {name} is still {stack.status} after {waited:.0f} s", hint="Run it again later.")
            self._sleep(1.0)
            waited += 1.0
            stack = self.describe(stack.id)

    def update_termination_protection(self, name: str, on: bool) -> None:
        """Protect the stack from being deleted, or no longer."""
        with translated(f"cannot change the termination protection of stack {name}"):
            self._client.update_termination_protection(StackName=name, EnableTerminationProtection=on)


def _is_missing(error: Exception) -> bool:
    return code_of(error) == "ValidationError" and "does not exist" in message_of(error)
