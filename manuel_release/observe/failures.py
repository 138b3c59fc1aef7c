"""What a stack's last operation did, for somebody who wants to know why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.dead_end import failures_in

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.stack import Stack, StackEvent


def observe_last_operation(aws: Aws, stack: Stack) -> tuple[StackEvent, ...]:
    """Its events, oldest first, and where none is a resource's failure, what AWS's validation objects to.

    Raises ReleaseError when AWS cannot be asked.
    """
    latest = aws.stacks.latest_event(stack.id)
    events = aws.stacks.events(stack.id, token=latest.token) if latest is not None else ()
    return events if failures_in(stack, events) else (*events, *aws.stacks.objections(stack=stack.id))
