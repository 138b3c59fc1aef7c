"""CloudFormation: stacks and their events.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from manuel_release.aws import stack_answers
from manuel_release.aws.change_sets import ChangeSets
from manuel_release.aws.errors import code_of, message_of, translated
from manuel_release.errors import Pending, Refused
from manuel_release.model.stack import Resource

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.model.stack import Stack, StackEvent

DELETE_SECONDS = 120.0


class Stacks(ChangeSets):
    """Reads and changes stacks of one account and region."""

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

    def template(self, name: str) -> str:
        """The text of the template that the stack was last given, before transforms; empty when there is no stack."""
        with translated(f"cannot read the template of stack {name}"):
            try:
                body = self._client.get_template(StackName=name, TemplateStage="Original").get("TemplateBody", "")
            except self._client.exceptions.ClientError as error:
                if _is_missing(error):
                    return ""
                raise
        text: object = body  # the stubs promise a dict; botocore makes one of JSON only
        return text if isinstance(text, str) else json.dumps(text)

    def latest_event(self, name: str) -> StackEvent | None:
        """The newest event; None when the stack does not exist, or nothing ever happened to it."""
        with translated(f"cannot read the events of stack {name}"):
            try:
                found = self._client.describe_stack_events(StackName=name)["StackEvents"]
            except self._client.exceptions.ClientError as error:
                if _is_missing(error):
                    return None
                raise
        return stack_answers.event(found[0]) if found else None

    def events(self, name: str, after: datetime | None = None, token: str | None = None) -> tuple[StackEvent, ...]:
        """The stack's events, oldest first; none when the stack does not exist.

        Args:
            name: the stack's name, or its id (which works for a deleted stack as well).
            after: leave out what happened before this moment. Events *at* it are kept, because several may share a
                moment: know the ones that were seen by their id. Take it from an event, not from this machine's clock.
            token: only those of the operation with this token, which is the last one.
        """
        found: list[StackEvent] = []
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=name)
        with translated(f"cannot read the events of stack {name}"):
            try:
                for page in pages:
                    events = [stack_answers.event(each) for each in page["StackEvents"]]
                    wanted = [e for e in events if (after is None or e.at >= after) and token in {None, e.token}]
                    found += wanted
                    if events and events[-1] not in wanted:  # newest first: everything further back is older still
                        break
            except self._client.exceptions.ClientError as error:
                if not _is_missing(error):
                    raise
        return tuple(reversed(found))

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
