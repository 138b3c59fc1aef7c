"""Doing what was planned with a canary: the steps, the entry in the ledger, the sign of life, and the way out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.apply.canary import CanaryStepFailed, Hands, execute
from manuel_release.apply.rollout import Interrupted
from manuel_release.errors import GateFailed, Pending, Refused, ReleaseError
from manuel_release.model.canary_change import ALL, Move, RollOut
from manuel_release.model.entry import EntryKind
from manuel_release.model.notice import NoticeKind
from manuel_release.notify import notify
from manuel_release.observe.service import observe_stage_deployment, observe_versions
from manuel_release.perform import Recorder, context_of
from manuel_release.taking_back import take_back

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.lease import LeaseKeeper
    from manuel_release.model.canary_change import CanaryPlan, CanaryRequest, CanaryState
    from manuel_release.model.progress import Progress, StepResult
    from manuel_release.observe.service import Service


def perform(  # noqa: PLR0917 - what is done, where, why and how
    app: App,
    plan: CanaryPlan,
    state: CanaryState,
    service: Service,
    reason: str,
    progress: Progress,
    keeper: LeaseKeeper,
) -> tuple[StepResult, ...]:
    """Do the steps of a plan and write down what they did; raises as `canary.promote`."""
    record = Recorder(app, plan.environment, plan.api_stage, plan.release, reason)
    rollout = any(isinstance(step, RollOut) for step in plan.steps)
    if rollout and not plan.resumed:
        order = str(plan.order) if plan.order is not None else ""
        record(EntryKind.ROLLOUT_STARTED, **_told(plan), stable=plan.stable, order=order)
    try:
        results = execute(plan.steps, Hands(context_of(app, progress, keeper.pause), service, keeper.confirm))
    except CanaryStepFailed as failed:
        if not rollout:
            raise failed.error from failed
        raise _taken_back(app, plan, failed, progress) from failed
    _write(app, plan, state, service, record)
    return results


def _write(app: App, plan: CanaryPlan, state: CanaryState, service: Service, record: Recorder) -> None:
    match plan.move:
        case Move.START:
            record(EntryKind.CANARY_STARTED, percent=plan.percent, stable=plan.stable)
        case Move.PROMOTE if plan.percent < ALL:
            record(EntryKind.CANARY_PROMOTED, **_told(plan), percent=plan.percent, stable=plan.stable)
        case Move.PROMOTE:
            known = state.release(plan.release)
            record(
                EntryKind.RELEASE_LIVE,
                digest=known.digest if known is not None else "",
                previous=plan.stable,
                versions=observe_versions(app.aws, service, plan.release),
                api_deployment_id=observe_stage_deployment(app.aws, service),
            )
        case _:
            record(EntryKind.CANARY_ENDED, to=plan.stable)
            return
    _begin(app, plan.api_stage, plan.release)


def _told(plan: CanaryPlan) -> dict[str, str]:
    told = {"verdict": plan.verdict}
    return told | ({"override": plan.override} if plan.override else {})


def adopt(app: App, request: CanaryRequest, move: Move, state: CanaryState, release: str) -> None:
    """Write down what an earlier run of the command did and could not write down; nothing when nothing is missing."""
    run, stage = state.run, state.stage
    if stage is None:
        return
    record = Recorder(app, state.environment.name, stage.name, release, request.reason)
    known = run.percent if run is not None and run.release == release else None
    if move is Move.ABORT:
        if run is not None and run.active and stage.canary is None:
            record(EntryKind.CANARY_ENDED, to=state.stable or "")
    elif state.percent and state.percent != known:
        started = run is None or not run.active or run.release != release
        kind = EntryKind.CANARY_STARTED if started else EntryKind.CANARY_PROMOTED
        record(kind, percent=state.percent, stable=state.stable or "", found=True)
        _begin(app, stage.name, release)


def beat(app: App, api_stage: str, release: str, until: datetime) -> None:
    """Say in the ledger until when the canary is looked after, unless a longer time was said before."""
    now = app.now()
    known = app.ledger.heartbeat(app.environment.name, api_stage)
    longer = known.until if known is not None and known.release == release else now
    app.ledger.beat(app.environment.name, api_stage, release, now, max(until, longer), app.holder)


def _begin(app: App, api_stage: str, release: str) -> None:
    """Whoever moved a canary has as long as a heartbeat to observe it, whatever was said of the share before."""
    now = app.now()
    until = now + timedelta(seconds=app.settings.heartbeat_seconds)
    app.ledger.beat(app.environment.name, api_stage, release, now, until, app.holder)


def _taken_back(app: App, plan: CanaryPlan, failed: CanaryStepFailed, progress: Progress) -> ReleaseError:
    """Roll back what a failed rollout has moved so far; the error to end with. Raises Partial as `take_back`."""
    error, where = failed.error, plan.environment
    if isinstance(error, Interrupted):
        return GateFailed(
            f"{plan.release} was rolled back by somebody else while it was rolled out: {error.message}",
            hint=f"`manuel-release incident list --env {where}` tells more.",
        )
    if isinstance(error, Pending | Refused):
        return error
    receipt = take_back(app, plan.release, "rollout", error.message, progress)
    incident = f"show {receipt.incident_id}" if receipt.incident_id else "list"
    return GateFailed(
        f"{plan.release} was taken back and {receipt.to_release} serves again: {error.message}",
        hint=f"`manuel-release incident {incident} --env {where}` has the receipt.",
    )


def notified(app: App, plan: CanaryPlan, reason: str) -> tuple[str, ...]:
    """Tell people; the sentences about what did not work."""
    kind = NoticeKind.DEPLOYMENT_COMPLETED if plan.percent == ALL else NoticeKind.CANARY_DEPLOYED
    share = "all requests" if plan.percent == ALL else f"{plan.percent:g} % of the requests"
    text = f"{plan.release} gets {share} in {plan.environment}."
    if plan.move is Move.ABORT:
        text = f"The canary of {plan.release} in {plan.environment} was ended; {plan.stable} gets all requests."
    details = {
        "by": app.holder,
        "reason": reason,
        "verdict": plan.verdict,
        "override": plan.override,
        "next": next_command(plan),
    }
    problem = notify(app, kind, plan.environment, plan.release, text, {k: v for k, v in details.items() if v})
    return (problem,) if problem else ()


def next_command(plan: CanaryPlan) -> str:
    """What to run after it."""
    where = f"--env {plan.environment}"
    if plan.move is Move.ABORT:
        return f"manuel-release canary start {where}"
    return f"manuel-release canary watch --observe {where}"
