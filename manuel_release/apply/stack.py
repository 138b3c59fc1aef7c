"""Executing a change set or following one that runs, and saying in the failing resource's own words why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model import dead_end

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from manuel_release.model.plan import ExecuteChangeSet, FollowStack
    from manuel_release.model.stack import Stack, StackEvent

WORTH_A_LINE = ("_COMPLETE", "_FAILED")
BEGIN_SECONDS = 60.0
"""How long an operation may take until its first event; after that the stack's state is believed without one."""


def execute_change_set(step: ExecuteChangeSet, context: Context) -> Done:
    """Execute and follow until the stack has settled.

    Raises ReleaseError when the stack did not reach what was asked for, Pending when it is still working after
    `stack_seconds` (the operation goes on; running the command again picks it up).
    """
    context.aws.stacks.execute(step.change_set_id, step.token)
    return follow_stack(step, context)


def follow_stack(step: ExecuteChangeSet | FollowStack, context: Context) -> Done:
    """Follow the operation with the step's token, from its first event on, until the stack has settled.

    Raises as `execute_change_set`.
    """
    began = context.now()
    seen: dict[str, StackEvent] = {}
    while True:
        stack = context.aws.stacks.describe(step.stack)
        if stack is None:
            raise ReleaseError(f"the stack {step.stack} disappeared while it was being changed")
        for event in context.aws.stacks.events(stack.id, token=step.token):
            if event.id not in seen and event.status.endswith(WORTH_A_LINE) and event.physical_id != stack.id:
                context.progress.note(dead_end.told(event, step.descriptions))
            seen[event.id] = event
        # Without an event of this operation, the state may still be that of the one before.
        begun = seen or (context.now() - began).total_seconds() > BEGIN_SECONDS
        if begun and not stack.busy and not stack.never_created:
            return _settled(stack, step, tuple(seen.values()), context)
        _give_up_in_time(context, began, stack)
        context.sleep(context.settings.poll_seconds)


def _settled(
    stack: Stack, step: ExecuteChangeSet | FollowStack, events: Sequence[StackEvent], context: Context
) -> Done:
    if not stack.failed:
        return Done(stack.status)
    known = events if dead_end.failures_in(stack, events) else (*events, *context.aws.stacks.objections(stack=stack.id))
    end = dead_end.of(stack, known, step.descriptions, context.region)
    raise ReleaseError(end.reason, hint=end.hint)


def _give_up_in_time(context: Context, began: datetime, stack: Stack) -> None:
    waited = (context.now() - began).total_seconds()
    if waited > context.settings.stack_seconds:
        raise Pending(
            f"{stack.name} is still {stack.status} after {waited:.0f} s: CloudFormation goes on by itself",
            hint="Run the same command again: it follows the update and then goes on.",
        )
