"""An environment as a deploy finds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.model.deploy import DeployState, RunningUpdate
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.observe import service as parts
from manuel_release.observe.failures import observe_last_operation
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from manuel_release.aws import Aws
    from manuel_release.model.caller import Caller
    from manuel_release.model.entry import Entry
    from manuel_release.model.environment import Environment
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack
    from manuel_release.record.ledger import Ledger


def observe_deploy(  # noqa: PLR0917 - where to look, for what, and as whom
    aws: Aws, ledger: Ledger, environment: Environment, api_stage: str, caller: Caller, code_digest: str = ""
) -> DeployState:
    """Read everything that the decision about a deploy needs; raises ReleaseError when AWS cannot be asked.

    `code_digest`: of the code that is to be deployed; empty while that is not known.
    """
    entries = ledger.entries(environment.name, api_stage)
    history = releases(entries)
    stack = aws.stacks.describe(environment.stack)
    service = parts.observe_service(aws, environment.stack) if stack is not None else None
    state = DeployState(
        environment,
        api_stage,
        caller,
        stack,
        releases=history,
        freeze=ledger.frozen(environment.name),
        quarantine=ledger.quarantined(code_digest),
    )
    if stack is not None and stack.busy:
        state = replace(state, running=observe_running(aws, stack, history, entries))
    elif stack is not None and not stack.never_created and not stack.updatable:
        state = replace(state, events=observe_last_operation(aws, stack))
    if service is None:
        return state
    return replace(
        state,
        stack=service.stack,
        stage=parts.observe_stage(aws, service),
        api_deployment=service.api_deployment,
        live=parts.observe_live(aws, service),
        deploying=parts.observe_deploying(aws, service),
        alarms=aws.alarms.by_prefix(f"{environment.stack}-"),
    )


def observe_running(
    aws: Aws, stack: Stack, history: Sequence[Release], entries: Iterable[Entry]
) -> RunningUpdate | None:
    """The newest release, when its deploy never ended and began what CloudFormation is doing now; else None.

    A stack operation is known by its token or its change set, which a deploy writes to the ledger before it begins.
    """
    newest = history[0] if history else None
    if newest is None or newest.state is not ReleaseState.DEPLOYING:
        return None
    latest = aws.stacks.latest_event(stack.id)
    for entry in entries:
        token = str(entry.details.get("token", ""))
        if entry.kind is not EntryKind.DEPLOY_STARTED or entry.release != newest.name or not token:
            continue
        if stack.change_set_id == entry.details.get("change_set") or (latest is not None and latest.token == token):
            return RunningUpdate(newest.name, token)
    return None
