"""When a canary may be moved, and how; pure. A guard answers None or a refusal with the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.model.canary_change import (
    ALL,
    CanaryPlan,
    CanaryRequest,
    CanaryState,
    EndCanary,
    GiveShare,
    HoldAll,
    Move,
    Order,
    RollOut,
)
from manuel_release.model.plan import CheckHealth, NothingToDo, Refusal
from manuel_release.model.release import LIVE, ReleaseState
from manuel_release.plan import canary_guards as guards

if TYPE_CHECKING:
    from collections.abc import Sequence

    Steps = Sequence[GiveShare | RollOut | HoldAll | EndCanary | CheckHealth]

Decision = CanaryPlan | Refusal | NothingToDo

STARTABLE = (ReleaseState.STAGED, ReleaseState.CANARY, ReleaseState.ROLLED_BACK)
"""What a canary may begin with; a release that was rolled back only once its quarantine is lifted."""


def candidate(state: CanaryState, request: CanaryRequest) -> str | None:
    """The release that a canary is meant for: the one that is named, has one, or was deployed last."""
    if request.release:
        return request.release
    stage, newest = state.stage, state.releases[0] if state.releases else None
    known = state.canary_release or (stage.candidate if stage is not None else None)
    if known is None and state.run is not None and state.run.rolling_out:
        known = state.run.release
    return known or (newest.name if newest is not None and newest.state in STARTABLE else None)


def plan_start(state: CanaryState, request: CanaryRequest, steps: Sequence[float]) -> Decision:
    """Give a staged release its first share of the traffic."""
    where, release = state.environment.name, candidate(state, request)
    percent = steps[0] if request.percent is None else request.percent
    if not state.environment.canary:
        return Refusal(
            f"{where} has no canary: a release serves as soon as it is deployed there",
            f"Set environments.{where}.canary = true in the settings to hold releases at 0 % first.",
        )
    if release is None:
        return Refusal(
            f"no release of {where} waits for a canary",
            f"Deploy one with `manuel-release deploy --env {where}`.",
        )
    if state.canary_release == release and state.percent:
        return NothingToDo(release, f"{release} gets {state.percent:g} % of the requests already")
    no = guards.first(state, release, guards.STARTING)
    if no is None and percent != steps[0] and not request.allow_step:
        no = _other_step(state, percent, steps[0])
    if no is None and not 0 < percent < ALL:
        no = Refusal(
            f"{percent:g} % is no share for the start of a canary", "Give it more than 0 % and less than 100 %."
        )
    if no is not None:
        return no
    plan = _plan(state, Move.START, release, percent, (GiveShare(release, percent, None),))
    note = f"{release} was never compared with {plan.stable} on real requests; nothing bounds what {percent:g} % cost"
    return replace(plan, before=0.0, notes=(note,), way_back=state.way_back)


def plan_promote(
    state: CanaryState,
    request: CanaryRequest,
    steps: Sequence[float],
    *,
    on_call: bool,
    alarms: Sequence[str] = (),
) -> Decision:
    """Give the canary its next share, or all requests.

    Args:
        state: the environment.
        request: what was asked for.
        steps: the environment's shares, rising to 100.
        on_call: whether the caller has the on-call role, which overriding a verdict needs.
        alarms: names of the release's alarms, for CodeDeploy.
    """
    release, run = candidate(state, request), state.run
    under_way = run.release if run is not None and run.rolling_out else None
    if release is None or not (state.percent or under_way):
        return _held(state, request) or _no_canary(state)
    if release == under_way:
        return _go_on(state, release, alarms)
    now = state.percent or 0.0
    following = next((step for step in steps if step > now), ALL)
    percent = following if request.percent is None else request.percent
    if percent == now:
        return NothingToDo(release, f"{release} gets {now:g} % of the requests already")
    no = guards.first(state, release, guards.PROMOTING) or _not_this(state, release, percent, following, request)
    no = no or guards.verdict(state, request.override, on_call=on_call)
    return no if no is not None else _promotion(state, request, release, percent, alarms)


def _held(state: CanaryState, request: CanaryRequest) -> NothingToDo | None:
    """The canary got all requests before."""
    run, asked = state.run, request.percent
    if run is None or run.done is None or asked not in {None, ALL} or request.release not in {None, run.release}:
        return None
    if state.stage is None or state.stage.current != run.release:
        return None
    return NothingToDo(run.release, f"{run.release} holds 100 % already")


def _not_this(
    state: CanaryState, release: str, percent: float, following: float, request: CanaryRequest
) -> Refusal | None:
    """A share that is not the next step, or takes something away."""
    now, where = state.percent or 0.0, state.environment.name
    if percent != following and not request.allow_step:
        return _other_step(state, percent, following)
    if now < percent <= ALL:
        return None
    return Refusal(
        f"{release} gets {now:g} %, and a promotion to {percent:g} % would take some of it away",
        f"`manuel-release canary abort --env {where}` ends the canary.",
    )


def _promotion(
    state: CanaryState, request: CanaryRequest, release: str, percent: float, alarms: Sequence[str]
) -> CanaryPlan:
    status, order = state.status, None
    needed = guards.verdict(state, "", on_call=False) is not None
    notes: list[str] = []
    if request.override and not needed:
        notes.append("--override was given, and nothing here needs it")
    steps: Steps = (GiveShare(release, percent, state.percent, title="Give the canary its next share"),)
    if percent == ALL:
        order = Order.FLIP if state.differing else Order.GRADUAL
        notes += _order_notes(state, order)
        steps = _full(state, release, order, alarms)
    return replace(
        _plan(state, Move.PROMOTE, release, percent, steps),
        order=order,
        verdict=status.word if status is not None else "cannot tell yet",
        risk=status.worst_case.sentence if status is not None and status.worst_case is not None else "",
        notes=tuple(notes),
        way_back=state.way_back,
        override=request.override if needed else "",
    )


def _full(state: CanaryState, release: str, order: Order, alarms: Sequence[str]) -> Steps:
    """The steps to 100 %; those that are done already do nothing when they are done again."""
    stack, stable = state.environment.stack, state.stable or LIVE
    flip = order is Order.FLIP
    share = ALL if flip else state.percent or 0.0
    first: tuple[GiveShare, ...] = ()
    if flip and state.percent != ALL:
        first = (GiveShare(release, ALL, state.percent, title="Give the canary all requests at once"),)
    return (
        *first,
        RollOut(release, share, at_once=flip, alarms=tuple(alarms)),
        CheckHealth(stack, release),
        HoldAll(release, stable, share),
        EndCanary(release),
    )


def _go_on(state: CanaryState, release: str, alarms: Sequence[str]) -> Decision:
    """What an interrupted rollout has left to do; it passed its gate when it began."""
    no = guards.first(state, release, guards.GOING_ON)
    if no is not None:
        return no
    run, stage = state.run, state.stage
    begun = run.rollout if run is not None else None
    details = dict(begun.details) if begun is not None else {}
    order = Order(str(details.get("order") or Order.GRADUAL))
    held = stage is not None and stage.current == release
    steps = (EndCanary(release),) if held else _full(state, release, order, alarms)
    return replace(
        _plan(state, Move.PROMOTE, release, ALL, steps),
        order=order,
        verdict=str(details.get("verdict") or ""),
        notes=(f"goes on with the rollout of {release} that {begun.by if begun is not None else 'somebody'} began",),
        way_back=state.way_back,
        override=str(details.get("override") or ""),
        resumed=True,
    )


def plan_abort(state: CanaryState, request: CanaryRequest) -> Decision:
    """End the canary without blaming its release, which waits at 0 % again."""
    if state.stage is None or state.stage.canary is None:
        run = state.run
        if run is not None and run.active and not run.rolling_out:
            return NothingToDo(run.release, f"the canary of {run.release} is gone already")
        return _no_canary(state)
    release = state.canary_release or ""
    no = guards.first(state, release, guards.ABORTING)
    if no is None and request.release and request.release != release:
        no = Refusal(f"the canary is {release or 'without a release'}, not {request.release}", _status_hint(state))
    if no is not None:
        return no
    return _plan(state, Move.ABORT, release, 0.0, (EndCanary(release),))


def _plan(state: CanaryState, move: Move, release: str, percent: float, steps: Steps) -> CanaryPlan:
    """What every plan says of the environment as it is."""
    return CanaryPlan(
        move=move,
        environment=state.environment.name,
        api_stage=state.stage.name if state.stage is not None else "",
        release=release,
        stable=state.stable or LIVE,
        percent=percent,
        before=state.percent or 0.0,
        steps=steps,
    )


def _order_notes(state: CanaryState, order: Order) -> list[str]:
    if order is Order.FLIP:
        named = ", ".join(state.differing)
        note = (
            f"execution role or dead-letter queue of {named} differ between the two releases, and Lambda splits no "
            "alias between such versions: the API gives all requests to the release at once, then CodeDeploy moves "
            "`live` all at once; there is no half step"
        )
        return [note]
    return ["while CodeDeploy moves `live`, a request may meet either release, function by function"]


def _other_step(state: CanaryState, percent: float, following: float) -> Refusal:
    return Refusal(
        f"{percent:g} % is not the next step of {state.environment.name}, which is {following:g} %",
        "Leave the percentage out, or add --allow-step when this share is meant.",
    )


def _no_canary(state: CanaryState) -> Refusal:
    where = state.environment.name
    return Refusal(
        f"{where} has no canary: all requests get the same release",
        f"`manuel-release canary start --env {where}` gives the release that was deployed last its first share.",
    )


def _status_hint(state: CanaryState) -> str:
    return f"`manuel-release canary status --env {state.environment.name}` shows it."
