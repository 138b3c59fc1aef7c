"""Executing a change set, and saying in the failing resource's own words why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import Pending, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from manuel_release.model.plan import ExecuteChangeSet
    from manuel_release.model.stack import Stack, StackEvent

WORTH_A_LINE = ("_COMPLETE", "_FAILED")


def execute_change_set(step: ExecuteChangeSet, context: Context) -> Done:
    """Execute and follow until the stack has settled.

    Raises ReleaseError when the stack did not reach what was asked for, Pending when it is still working after
    `stack_seconds` (the operation goes on; running the command again picks it up).
    """
    aws = context.aws
    began = context.now()
    earlier = aws.stacks.events(step.stack)
    seen = {event.id for event in earlier}
    last = earlier[-1].at if earlier else None  # AWS's clock, not this machine's
    aws.stacks.execute(step.change_set_id, step.token)
    failures: list[StackEvent] = []
    while True:
        stack = aws.stacks.describe(step.stack)
        for event in aws.stacks.events(step.stack, last):
            if event.id in seen:
                continue
            seen.add(event.id)
            if event.failed:
                failures.append(event)
            if event.status.endswith(WORTH_A_LINE) and event.physical_id != (stack.id if stack else ""):
                context.progress.note(line(event, step))
        if stack is None:
            raise ReleaseError(f"the stack {step.stack} disappeared while it was being changed")
        if not stack.busy and not stack.never_created:
            return _settled(stack, step, failures)
        _give_up_in_time(context, began, stack)
        context.sleep(context.settings.poll_seconds)


def line(event: StackEvent, step: ExecuteChangeSet) -> str:
    """One event as a person reads it."""
    what = step.descriptions.get(event.logical_id) or f"{event.logical_id} ({event.type})"
    word = event.status.replace("_", " ").lower()
    return f"{word}: {what}" + (f" - {event.reason}" if event.failed and event.reason else "")


def _settled(stack: Stack, step: ExecuteChangeSet, failures: Iterable[StackEvent]) -> Done:
    if not stack.failed:
        return Done(stack.status)
    causes = [line(event, step) for event in failures if event.physical_id != stack.id]
    why = "\n".join(f"  {cause}" for cause in causes) or f"  {stack.reason or 'CloudFormation gives no reason'}"
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        raise ReleaseError(
            f"the update of {stack.name} failed and CloudFormation put the old state back:\n{why}",
            hint="The release that served before still serves. Correct the resource and run the same command again.",
        )
    if stack.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}:
        raise ReleaseError(
            f"the creation of {stack.name} failed ({stack.status}):\n{why}",
            hint=f"Delete what is left with `aws cloudformation delete-stack --stack-name {stack.name}`, correct the "
            "resource, and run the same command again.",
        )
    raise ReleaseError(
        f"the update of {stack.name} failed and its old state is not back ({stack.status}):\n{why}",
        hint=f"Correct the resource, then run `aws cloudformation continue-update-rollback --stack-name {stack.name}`.",
    )


def _give_up_in_time(context: Context, began: datetime, stack: Stack) -> None:
    waited = (context.now() - began).total_seconds()
    if waited > context.settings.stack_seconds:
        raise Pending(
            f"{stack.name} is still {stack.status} after {waited:.0f} s: CloudFormation goes on by itself",
            hint="Run the same command again when `manuel-release status` shows that it has settled.",
        )
