"""A change set that is computed to be looked at, with what only the templates themselves tell."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.artifact import interface, template
from manuel_release.errors import ReleaseError
from manuel_release.model.stack import Action

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.stack import Change, ChangeSet

TEMPLATE_BYTES = 1_000_000
"""What CloudFormation takes from S3; botocore's CreateChangeSet says 1 MB, the service's message 1000000 bytes."""


def small_enough(text: str, deploy: str) -> bytes:
    """The template as bytes; raises ReleaseError when CloudFormation would refuse it, `deploy` being what to repeat."""
    body = text.encode()
    if len(body) > TEMPLATE_BYTES:
        raise ReleaseError(
            f"the template has {len(body):,} bytes, and CloudFormation takes {TEMPLATE_BYTES:,}",
            hint="Split off what changes rarely into a stack of its own, as operations.yaml is; "
            f"`wc -c .aws-sam/packaged-template.yaml` shows the size, `{deploy}` tries again.",
        )
    return body


def compared(aws: Aws, found: ChangeSet, text: str) -> ChangeSet:
    """The change set with what only the running template tells: sentences of what is removed, and what is taken away.

    It is read only where it tells something.
    """
    if not any(interface.comparable(change) or _nameless(change) for change in found.changes):
        return found
    running = aws.stacks.template(found.stack)
    if not running:
        return found
    before, after = template.loads(running, f"the template of {found.stack}"), template.loads(text, "the new template")
    sentences = template.descriptions(before)
    return replace(
        found,
        changes=tuple(
            replace(change, description=sentences.get(change.logical_id, ""))
            if _nameless(change)
            else interface.compared(change, before, after)
            for change in found.changes
        ),
    )


def _nameless(change: Change) -> bool:
    return change.action is Action.REMOVE and not change.description


def clear_away(aws: Aws, stack: str) -> None:
    """Delete the empty stack that a change set leaves which AWS could not compute; what went wrong is told already."""
    with suppress(ReleaseError):
        aws.stacks.delete_stack(stack)
