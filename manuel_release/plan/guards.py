"""When a stack may be changed; each guard answers None or a refusal with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model import dead_end
from manuel_release.model.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.caller import Caller
    from manuel_release.model.deploy import DeployState
    from manuel_release.model.entry import Freeze
    from manuel_release.model.environment import Environment


def foreign_account(environment: Environment, caller: Caller) -> Refusal | None:
    """The settings name another account for this environment."""
    wanted = environment.account_id
    if not wanted or wanted == caller.account_id:
        return None
    return Refusal(
        f"{environment.name} belongs to account {wanted}, and the credentials are of {caller.account_id} "
        f"({caller.arn})",
        "Choose the right profile with --profile or AWS_PROFILE; `aws configure list-profiles` lists them, "
        "`aws sts get-caller-identity --profile PROFILE` shows whose one is.",
    )


def wrong_account(state: DeployState) -> Refusal | None:
    """The credentials are of another account than the environment's."""
    return foreign_account(state.environment, state.caller)


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


def frozen_by(environment: Environment, freeze: Freeze | None) -> Refusal | None:
    """Somebody stopped all changes of the environment."""
    if freeze is None:
        return None
    until = f" until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until is not None else ""
    return Refusal(
        f"{environment.name} is frozen{until} by {freeze.by} since {freeze.since:%Y-%m-%d %H:%M} UTC: {freeze.reason}",
        f'`manuel-release freeze off --env {environment.name} --reason "WHY"` ends it; a rollback is possible all '
        "the time.",
    )


def frozen(state: DeployState) -> Refusal | None:
    """The same, for a deploy."""
    return frozen_by(state.environment, state.freeze)


def quarantined(state: DeployState) -> Refusal | None:
    """The code was rolled back, here or in another environment."""
    found = state.quarantine
    if found is None:
        return None
    return Refusal(
        f"this code was rolled back as {found.release} in {found.environment} on {found.since:%Y-%m-%d %H:%M} UTC by "
        f"{found.by}: {found.reason}",
        "Correct it and deploy other code; if the code was not the cause, "
        f'`manuel-release quarantine lift {found.code_digest[:12]} --reason "WHY"` allows it again.',
    )


def stack_busy(state: DeployState) -> Refusal | None:
    """CloudFormation works on the stack, and not for a release that this command may go on with."""
    if state.stack is None or not state.stack.busy or state.running is not None:
        return None
    return Refusal(
        f"CloudFormation is working on {state.stack.name} ({state.stack.status}), and no deploy in the ledger began "
        "that",
        f"Wait until it has settled (`{_deploy(state)} --attach` follows it), then run the same command again.",
    )


def stack_stuck(state: DeployState) -> Refusal | None:
    """The stack is in a state that AWS does not update."""
    stack = state.stack
    if stack is None or stack.busy or stack.never_created or stack.updatable:
        return None
    end = dead_end.of(stack, state.events, {}, state.caller.region)
    return Refusal(end.reason, end.hint)


def canary_active(state: DeployState) -> Refusal | None:
    """The stage splits traffic, or could at once."""
    if state.stage is None or state.stage.canary is None:
        return None
    canary = state.stage.canary
    what = f"{canary.release} gets {canary.percent:g} % of the traffic" if canary.release else "the stage has a canary"
    return Refusal(
        f"a canary is active: {what}; a stack update now would change both sides of it",
        f"End the canary first (to 100 %, or back; `{_status(state)}` shows it), then deploy.",
    )


def pinned(state: DeployState) -> Refusal | None:
    """The stage calls a release's own alias instead of `live`."""
    if state.stage is None or state.stage.pinned is None:
        return None
    return Refusal(
        f"the API is pinned to {state.stage.pinned}: a new release would not reach its users",
        f"Finish what pinned it (a rollback that did not end; `{_status(state)}` shows it), then deploy.",
    )


def deployment_active(state: DeployState) -> Refusal | None:
    """CodeDeploy moves an alias, and not for a release that this command may go on with."""
    if not state.deploying or state.unfinished is not None:
        return None
    first = state.deploying[0]
    return Refusal(
        f"CodeDeploy is moving aliases ({', '.join(state.deploying)})",
        f"Wait until it has ended, or stop it (`aws deploy stop-deployment --deployment-id {first} "
        f"--auto-rollback-enabled --region {state.caller.region}`), then deploy.",
    )


def other_work(state: DeployState, digest: str) -> Refusal | None:
    """An unfinished release of other code, template or parameters is still being worked on by AWS."""
    under_way = state.unfinished if state.running is not None or state.deploying else None
    if under_way is None or under_way.digest == digest:
        return None
    return Refusal(
        f"AWS is still at work on {under_way.name}, which {under_way.by} began and which is another code, template or "
        "set of parameters than yours",
        f"`{_deploy(state)} --attach` follows it; when it has settled, run the same command again.",
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
        f"'{{\"AdditionalVersionWeights\":{{}}}}' --region {state.caller.region}`, then deploy.",
    )


def _deploy(state: DeployState) -> str:
    return f"manuel-release deploy --env {state.environment.name}"


def _status(state: DeployState) -> str:
    return f"manuel-release status --env {state.environment.name}"


GUARDS: tuple[Callable[[DeployState], Refusal | None], ...] = (
    wrong_account,
    other_stage,
    frozen,
    quarantined,
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
