"""A stack: whether it can be updated, and the way out when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.doctor.results import error, ok, warning
from manuel_release.errors import ReleaseError
from manuel_release.model import dead_end
from manuel_release.observe.failures import observe_last_operation
from manuel_release.plan import guards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.aws import Aws
    from manuel_release.doctor.subject import Subject
    from manuel_release.model.check import Check
    from manuel_release.model.stack import Stack

TITLE = "Stack"


def stack_check(title: str, aws: Aws, stack: Stack, command: str) -> Check:
    """The state of a stack; `command` is what changes it."""
    if stack.busy:
        return warning(
            title, f"CloudFormation is working on {stack.name} ({stack.status})", "Wait, and run this again."
        )
    if stack.never_created:
        return warning(
            title,
            f"{stack.name} holds nothing: the change set that would create it was never executed",
            f"Run `{command}`; it makes a new one.",
        )
    if not stack.failed and stack.updatable:
        return ok(title, f"{stack.name} is {stack.status}")
    try:
        events = observe_last_operation(aws, stack)
    except ReleaseError:
        events = ()  # the state is told all the same
    end = dead_end.of(stack, events, {}, aws.session.region)
    hint = end.hint.replace("run the same command again", f"run `{command}`")
    return warning(title, end.reason, hint) if stack.updatable else error(title, end.reason, hint)


def stack_state(subject: Subject) -> Iterator[Check]:
    """The environment's account and stack."""
    refusal = guards.foreign_account(subject.environment, subject.app.caller)
    if refusal is not None:
        yield error("Account", refusal.reason, refusal.hint, access=True)
    stack = subject.stack
    command = f"manuel-release deploy --env {subject.environment.name}"
    if stack is None:
        yield ok(TITLE, f"{subject.environment.stack} does not exist yet; `{command}` makes it")
    else:
        yield stack_check(TITLE, subject.app.aws, stack, command)
