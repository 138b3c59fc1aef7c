"""An environment as a deploy finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.deploy import DeployState
from manuel_release.observe import service as parts
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.caller import Caller
    from manuel_release.model.environment import Environment
    from manuel_release.record.ledger import Ledger


def observe_deploy(aws: Aws, ledger: Ledger, environment: Environment, api_stage: str, caller: Caller) -> DeployState:
    """Read everything that the decision about a deploy needs; raises ReleaseError when AWS cannot be asked."""
    history = releases(ledger.entries(environment.name, api_stage))
    stack = aws.stacks.describe(environment.stack)
    service = parts.observe_service(aws, environment.stack) if stack is not None else None
    if service is None:
        return DeployState(environment, api_stage, caller, stack, releases=history)
    return DeployState(
        environment=environment,
        api_stage=api_stage,
        caller=caller,
        stack=service.stack,
        stage=parts.observe_stage(aws, service),
        live=parts.observe_live(aws, service),
        deploying=parts.observe_deploying(aws, service),
        alarms=aws.alarms.by_prefix(f"{environment.stack}-"),
        releases=history,
    )
