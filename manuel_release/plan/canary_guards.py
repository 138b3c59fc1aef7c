"""What forbids to move a canary; each guard answers None or a refusal with the way out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.plan import Refusal
from manuel_release.model.release import LIVE, ReleaseState
from manuel_release.plan.guards import foreign_account, frozen_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from manuel_release.model.canary_change import CanaryState

    Guard = Callable[[CanaryState, str], Refusal | None]


def account(state: CanaryState, _release: str) -> Refusal | None:
    """The credentials are of another account than the environment's."""
    return foreign_account(state.environment, state.caller)


def frozen(state: CanaryState, _release: str) -> Refusal | None:
    """Somebody stopped all changes."""
    return frozen_by(state.environment, state.frozen)


def quarantined(state: CanaryState, release: str) -> Refusal | None:
    """The release's code was rolled back."""
    found = state.quarantine
    if found is None:
        return None
    return Refusal(
        f"{release} is the code that was rolled back as {found.release} in {found.environment}: {found.reason}",
        f"Deploy other code, or lift it: `manuel-release quarantine lift {found.code_digest[:12]} --reason TEXT`.",
    )


def stage_there(state: CanaryState, _release: str) -> Refusal | None:
    """The API has no stage."""
    if state.stage is not None:
        return None
    return Refusal(f"the API of {state.environment.name} has no stage", _deploy(state))


def pinned(state: CanaryState, _release: str) -> Refusal | None:
    """A rollback did not end."""
    stage = state.stage
    if stage is None or stage.pinned is None:
        return None
    return Refusal(
        f"the API is pinned to {stage.pinned}: a rollback did not end",
        f"`manuel-release rollback --env {state.environment.name}` finishes it.",
    )


def stack_busy(state: CanaryState, _release: str) -> Refusal | None:
    """CloudFormation changes the service meanwhile."""
    if not state.stack.busy:
        return None
    return Refusal(
        f"CloudFormation is working on {state.stack.name} ({state.stack.status})",
        f"`manuel-release deploy --env {state.environment.name} --attach` follows it; then run this again.",
    )


def on_trial(state: CanaryState, _release: str) -> Refusal | None:
    """The release with 100 % has to prove itself first: the guard takes back the newest release on trial only."""
    if state.trial_until is None:
        return None
    return Refusal(
        f"{state.stable} holds 100 % and is on trial until {state.trial_until:%Y-%m-%d %H:%M:%S} UTC",
        f"Wait until then; `manuel-release canary watch --observe --env {state.environment.name}` watches its alarms.",
    )


def other_canary(state: CanaryState, release: str) -> Refusal | None:
    """The stage has a canary of another release."""
    stage = state.stage
    if stage is None or stage.canary is None or stage.canary.release == release:
        return None
    canary = stage.canary
    return Refusal(
        f"there is a canary already: {canary.release or 'one without a release'} at {canary.percent:g} %",
        f"`manuel-release canary abort --env {state.environment.name}` ends it.",
    )


def other_candidate(state: CanaryState, release: str) -> Refusal | None:
    """Another release was deployed since."""
    known = state.stage.candidate if state.stage is not None else None
    if known in {None, release}:
        return None
    return Refusal(
        f"{known} is what was deployed last in {state.environment.name}, not {release}",
        f"Start the canary of {known}, or deploy the code of {release} again.",
    )


def startable(state: CanaryState, release: str) -> Refusal | None:
    """The release was not proven, serves already, or is gone."""
    known = state.release(release)
    if known is None:
        return Refusal(
            f"the ledger knows no release {release} in {state.environment.name}",
            f"`manuel-release history --env {state.environment.name}` lists them.",
        )
    if known.state in {ReleaseState.STAGED, ReleaseState.CANARY, ReleaseState.ROLLED_BACK}:
        return None
    return Refusal(
        f"{release} is {known.state.value.replace('_', ' ')}, and a canary needs a staged one", _deploy(state)
    )


def aliases_there(state: CanaryState, release: str) -> Refusal | None:
    """A function would answer the canary's requests with an error."""
    missing = sorted(name for name, aliases in state.functions.items() if release not in aliases)
    if not missing:
        return None
    return Refusal(
        f"{', '.join(missing)} has no alias {release}: the canary's requests would fail there",
        _deploy(state),
    )


def live_there(state: CanaryState, _release: str) -> Refusal | None:
    """A function has no alias `live`, or its alias splits traffic and nothing moves it."""
    missing = sorted(name for name, aliases in state.functions.items() if LIVE not in aliases)
    if missing:
        return Refusal(f"{', '.join(missing)} has no alias `live`", _deploy(state))
    if state.deploying:
        return None
    weighted = sorted(name for name, aliases in state.functions.items() if aliases[LIVE].weights)
    if not weighted:
        return None
    return Refusal(
        f"`live` of {', '.join(weighted)} splits traffic between two versions and nothing is moving it",
        f"`manuel-release rollback --env {state.environment.name}` puts it right, on the release that serves.",
    )


def deploying(state: CanaryState, _release: str) -> Refusal | None:
    """CodeDeploy moves an alias."""
    if not state.deploying:
        return None
    return Refusal(
        f"CodeDeploy is moving aliases ({', '.join(state.deploying)})",
        f"Wait until it has ended; `manuel-release status --env {state.environment.name}` shows what serves.",
    )


def rolling_out(state: CanaryState, release: str) -> Refusal | None:
    """`live` is on its way, and no part of that may be taken away."""
    run = state.run
    if not state.deploying and not (run is not None and run.rolling_out and run.release == release):
        return None
    return Refusal(
        f"{release} is on its way to 100 %: ending the canary alone would leave `live` where it is",
        f"`manuel-release rollback --env {state.environment.name}` takes everything back.",
    )


def way_back(state: CanaryState, _release: str) -> Refusal | None:
    """A rollback would not find what it needs."""
    found = state.way_back
    if found is None or not found.closed:
        return None
    return Refusal(
        f"there would be no way back to {found.stable}: {'; '.join(check.sentence for check in found.closed)}",
        f"Put that right first; `manuel-release doctor --env {state.environment.name}` looks at aliases and roles.",
    )


def verdict(state: CanaryState, override: str, *, on_call: bool) -> Refusal | None:
    """The judge has not called the canary good, and nobody who may says to go on all the same."""
    status, where = state.status, state.environment.name
    if status is None:
        reason, hint = "the canary could not be judged", f"`manuel-release canary status --env {where}` says why."
    elif status.word == "good" and not (status.verdict is not None and status.verdict.hold):
        return None
    else:
        said = status.verdict.sentence if status.verdict is not None else "No interval is over."
        reason = f"the verdict on {status.release} is {status.word}: {said}"
        hint = f"`manuel-release canary watch --env {where}` waits for it."
        if status.word == "bad":
            hint = f"`manuel-release rollback --env {where}` takes it back."
    if not override:
        waits = status is not None and status.word == "cannot tell yet"
        return Refusal(reason, f"{hint} Somebody on call may go on with --override REASON.", passing=waits)
    if not on_call:
        return Refusal(
            f"{reason}; and {state.caller.arn} is not on call, so the verdict is not overridden",
            "Ask somebody whose principal matches people.on_call in the settings.",
        )
    return None


_ALWAYS: tuple[Guard, ...] = (account, stage_there)
STARTING: tuple[Guard, ...] = (
    *_ALWAYS,
    frozen,
    startable,
    quarantined,
    pinned,
    stack_busy,
    on_trial,
    other_canary,
    other_candidate,
    deploying,
    live_there,
    aliases_there,
    way_back,
)
PROMOTING: tuple[Guard, ...] = (
    *_ALWAYS,
    frozen,
    quarantined,
    pinned,
    stack_busy,
    other_canary,
    other_candidate,
    deploying,
    live_there,
    aliases_there,
    way_back,
)
GOING_ON: tuple[Guard, ...] = (*_ALWAYS, quarantined, pinned, other_canary, live_there, aliases_there)
"""For a rollout that began: it is safer at its end than in its middle, also under a freeze."""
ABORTING: tuple[Guard, ...] = (*_ALWAYS, pinned, rolling_out)


def first(state: CanaryState, release: str, guards: Sequence[Guard]) -> Refusal | None:
    """The first guard that says no."""
    return next((no for guard in guards if (no := guard(state, release)) is not None), None)


def _deploy(state: CanaryState) -> str:
    return f"Deploy again with `manuel-release deploy --env {state.environment.name}`."
