"""When a stack may be changed; each guard answers None or a refusal with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.deploy import DeployState


def wrong_account(state: DeployState) -> Refusal | None:
    """The settings name another account for this environment."""
    wanted = state.environment.account_id
    if not wanted or wanted == state.caller.account_id:
        return None
    return Refusal(
        f"{state.environment.name} belongs to account {wanted}, the credentials are of {state.caller.account_id}",
        "Choose the right profile with --profile or AWS_PROFILE.",
    )


def other_stage(state: DeployState) -> Refusal | None:
    """The parameters name another API stage than the one that the stack serves."""
    running = state.stack.outputs.get("ApiStage") if state.stack is not None else None
    if running in (None, state.api_stage):
        return None
    return Refusal(
        f"{state.environment.stack} serves the API stage {running}, the parameters ask for {state.api_stage}: "
        "the update would replace the stage under its users",
        "Keep ApiVersionStage as it is; a new API version gets a stack of its own.",
    )


def stack_busy(state: DeployState) -> Refusal | None:
    """CloudFormation works on the stack."""
    if state.stack is None or not state.stack.busy:
        return None
    return Refusal(
        f"CloudFormation is working on {state.stack.name} ({state.stack.status})",
        "Wait until it has settled (`manuel-release status` shows it), then run the same command again.",
    )


def stack_stuck(state: DeployState) -> Refusal | None:
    """The stack is in a state that AWS does not update."""
    stack = state.stack
    if stack is None or stack.busy or stack.never_created or stack.updatable:
        return None
    if stack.status == "ROLLBACK_COMPLETE":
        return Refusal(
            f"the creation of {stack.name} failed earlier and AWS updates no stack in ROLLBACK_COMPLETE",
            f"Delete what is left with `aws cloudformation delete-stack --stack-name {stack.name}`, then deploy again.",
        )
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        return Refusal(
            f"an update of {stack.name} failed and CloudFormation could not put the old state back ({stack.reason})",
            "Correct the resource it names, then run "
            f"`aws cloudformation continue-update-rollback --stack-name {stack.name}` and deploy again.",
        )
    return Refusal(
        f"{stack.name} is {stack.status}, which AWS does not update ({stack.reason or 'no reason given'})",
        f"See why with `aws cloudformation describe-stack-events --stack-name {stack.name}`.",
    )


def canary_active(state: DeployState) -> Refusal | None:
    """The stage splits traffic, or could at once."""
    if state.stage is None or state.stage.canary is None:
        return None
    canary = state.stage.canary
    what = f"{canary.release} gets {canary.percent:g} % of the traffic" if canary.release else "the stage has a canary"
    return Refusal(
        f"a canary is active: {what}; a stack update now would change both sides of it",
        "End the canary first (to 100 %, or back), then deploy.",
    )


def pinned(state: DeployState) -> Refusal | None:
    """The stage calls a release's own alias instead of `live`."""
    if state.stage is None or state.stage.pinned is None:
        return None
    return Refusal(
        f"the API is pinned to {state.stage.pinned}: a new release would not reach its users",
        "Finish what pinned it (a rollback that did not end), then deploy.",
    )


def deployment_active(state: DeployState) -> Refusal | None:
    """CodeDeploy moves an alias."""
    if not state.deploying:
        return None
    return Refusal(
        f"CodeDeploy is moving aliases ({', '.join(state.deploying)})",
        "Wait until it has ended, or stop it in CodeDeploy, then deploy.",
    )


def alias_weighted(state: DeployState) -> Refusal | None:
    """An alias `live` splits traffic although no deployment is under way; CodeDeploy would refuse it."""
    weighted = sorted(name for name, alias in state.live.items() if alias.weights)
    if not weighted or state.deploying:
        return None
    return Refusal(
        f"the alias `live` of {', '.join(weighted)} splits traffic between two versions and nothing is moving it: "
        "a CodeDeploy deployment was stopped half-way, or somebody set weights by hand",
        f"Clear it with `aws lambda update-alias --function-name {weighted[0]} --name live --routing-config "
        "'{\"AdditionalVersionWeights\":{}}'`, then deploy.",
    )


GUARDS: tuple[Callable[[DeployState], Refusal | None], ...] = (
    wrong_account,
    other_stage,
    stack_busy,
    stack_stuck,
    canary_active,
    pinned,
    deployment_active,
    alias_weighted,
)


def refusal(state: DeployState) -> Refusal | None:
    """The first guard that says no."""
    return next((no for guard in GUARDS if (no := guard(state)) is not None), None)
