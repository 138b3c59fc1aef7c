"""The one place that joins the stages of a mutating command: observe, plan, show, ask, apply, record.

`deploy` is the longest of them. Its lease begins before the release gets its number and ends when the outcome is in the
ledger; a process that dies in between leaves an entry `deploy_started`, from which the same command goes on, also on
another machine and while AWS still works on what was begun.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.apply import prepare
from manuel_release.errors import Pending, Refused
from manuel_release.lease import LeaseKeeper, leased
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.plan import DeployPlan, FollowDeployments, FollowStack, NothingToDo, Refusal
from manuel_release.model.progress import StepResult
from manuel_release.model.release import release_name
from manuel_release.observe.deploy import observe_deploy
from manuel_release.perform import Recorder, context_of, follow, perform
from manuel_release.plan import deploy as planning
from manuel_release.plan import guards

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.model.deploy import DeployRequest, DeployState
    from manuel_release.model.progress import Progress

__all__ = ["LeaseKeeper", "PlanRefused", "deploy", "leased"]

CHANGE_SET_TITLE = "Package and compute the change set"


class PlanRefused(Refused):
    """What would change must not be done; the plan says what it is."""

    def __init__(self, plan: DeployPlan, answer: Refusal) -> None:
        super().__init__(answer.reason, hint=answer.hint)
        self.plan = plan


@dataclass(frozen=True)
class _Run:
    """What one deploy carries from its beginning to its plan."""

    app: App
    request: DeployRequest
    progress: Progress
    deadline: datetime | None


def _refuse(answer: Refusal | NothingToDo | None) -> NothingToDo | None:
    if isinstance(answer, Refusal):
        raise Refused(answer.reason, hint=answer.hint)
    return answer


def deploy(
    app: App,
    request: DeployRequest,
    progress: Progress,
    show: Callable[[DeployPlan], None],
    agree: Callable[[DeployPlan], bool],
) -> DeployOutcome:
    """Deploy a release; `show` puts the plan on the screen, `agree` asks the person.

    Raises UsageError for wrong parameters, Refused by a guard (PlanRefused by what would change), ReleaseError when a
    step failed and the old release still serves, GateFailed when the new one was taken back, Partial when that failed
    too, Pending when the time of the request is up.
    """
    deadline = None if request.timeout is None else app.now() + timedelta(seconds=request.timeout)
    run = _Run(app, request, progress, deadline)
    if app.environment.account_id:
        _refuse(guards.foreign_account(app.environment, app.caller))
    values = prepare.checked_parameters(app, request)
    api_stage = values["ApiVersionStage"]
    observe = _observer(app, api_stage)
    _refuse(planning.admit(observe()))

    progress.start("Build")
    began = time.monotonic()
    what = prepare.candidate(app, request, values)
    progress.end(_result("Build", began, f"code {what.code_digest[:12]}"))
    observe = _observer(app, api_stage, what.code_digest)
    _in_time(app, deadline, "built, and nothing was changed")

    nothing = _refuse(planning.admit(observe(), what.digest))
    if nothing is not None:
        return _nothing(app, api_stage, nothing)
    if request.dry_run:
        return _rehearsed(run, what, _still(observe()), show)

    with leased(app, api_stage, request.reason or f"deploy {what.commit[:12]}".strip()) as keeper:
        state = observe()
        nothing = _refuse(planning.admit(state, what.digest))
        if nothing is not None:
            return _nothing(app, api_stage, nothing)
        context = context_of(app, progress, keeper.pause, deadline)
        step = _under_way(state, what)
        if step is not None and state.unfinished is not None:
            begun = state.unfinished.name
            follow(step, _recorder(app, api_stage, begun, request), context, planning.forget(state, begun))
            state = observe()
            _refuse(planning.admit(state, what.digest))
        release = planning.unfinished(state, what.digest) or app.ledger.reserve(
            app.environment.name, api_stage, app.holder, app.now()
        )
        plan = _planned(run, what, state, release)
        if not _agreed(app, plan, show, agree):
            return _shown(plan, "nobody agreed, and nothing was changed")
        return perform(plan, _recorder(app, api_stage, release, request), context)


def _recorder(app: App, api_stage: str, release: str, request: DeployRequest) -> Recorder:
    return Recorder(app, app.environment.name, api_stage, release, request.reason)


def _in_time(app: App, deadline: datetime | None, so_far: str) -> float:
    """Seconds that are left; raises Pending when none are."""
    left = prepare.CHANGE_SET_SECONDS if deadline is None else (deadline - app.now()).total_seconds()
    if left <= 0:
        raise Pending(f"the time is up: {so_far}", hint="Run the same command again with a longer --timeout.")
    return left


def _under_way(state: DeployState, what: prepare.Candidate) -> FollowStack | FollowDeployments | None:
    """What AWS still does for the release that is gone on with."""
    if state.running is not None:
        return FollowStack(state.environment.stack, state.running.token, what.descriptions)
    return FollowDeployments(tuple(state.deploying)) if state.deploying else None


def _still(state: DeployState) -> DeployState:
    """The state, when nothing is at work; raises Refused: a change set cannot be computed meanwhile."""
    if state.running is not None or state.deploying:
        raise Refused(
            f"AWS is still at work on an unfinished release of {state.environment.name}, and no change can be computed "
            "meanwhile",
            hint=f"`manuel-release deploy --env {state.environment.name} --attach` follows it; then run this again.",
        )
    return state


def _agreed(
    app: App, plan: DeployPlan, show: Callable[[DeployPlan], None], agree: Callable[[DeployPlan], bool]
) -> bool:
    """Show the plan and ask; whatever keeps it from being done, its change set is taken back.

    Raises PlanRefused when it must not be done.
    """
    done = False
    try:
        show(plan)
        if plan.refusal is not None:
            raise PlanRefused(plan, plan.refusal)
        done = agree(plan)
    finally:
        if not done:
            prepare.discard(app, plan.change_set)
    return done


def _nothing(app: App, api_stage: str, answer: NothingToDo) -> DeployOutcome:
    return DeployOutcome(
        app.environment.name, api_stage, answer.release, OutcomeStatus.NOTHING_TO_DO, message=answer.reason
    )


def _shown(plan: DeployPlan, message: str) -> DeployOutcome:
    return DeployOutcome(
        plan.environment,
        plan.api_stage,
        plan.release,
        OutcomeStatus.PLANNED,
        previous=plan.previous,
        message=message,
        plan=plan,
    )


def _observer(app: App, api_stage: str, code_digest: str = "") -> Callable[[], DeployState]:
    return lambda: observe_deploy(app.aws, app.ledger, app.environment, api_stage, app.caller, code_digest)


def _result(title: str, began: float, detail: str = "") -> StepResult:
    return StepResult(title, "done", time.monotonic() - began, detail)


def _planned(run: _Run, what: prepare.Candidate, state: DeployState, release: str) -> DeployPlan:
    within = _in_time(run.app, run.deadline, "nothing was changed")
    run.progress.start(CHANGE_SET_TITLE)
    began = time.monotonic()
    triggers = () if state.first else planning.rollback_triggers(tuple(state.alarms))
    values = run.request.details
    found = prepare.change_set(run.app, state, what, release, triggers, values=values, within=within)
    run.progress.end(_result(CHANGE_SET_TITLE, began, f"{len(found.changes)} changes"))
    return planning.plan_deploy(
        state,
        release=release,
        digest=what.digest,
        code_digest=what.code_digest,
        commit=what.commit,
        change_set=found,
        descriptions=what.descriptions,
        override_shared=run.request.override_shared,
    )


def _rehearsed(
    run: _Run, what: prepare.Candidate, state: DeployState, show: Callable[[DeployPlan], None]
) -> DeployOutcome:
    """Show what would happen: the change set is computed by AWS and deleted again."""
    following = release_name(run.app.ledger.last_number(run.app.environment.name) + 1)
    plan = _planned(run, what, state, planning.unfinished(state, what.digest) or following)
    _agreed(run.app, plan, show, lambda _: False)
    return _shown(plan, "dry run: nothing was changed")
