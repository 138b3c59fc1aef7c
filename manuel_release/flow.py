"""The one place that joins the stages of a mutating command: observe, plan, show, ask, apply, record.

`deploy` is the longest of them. Its lease begins before the release gets its number and ends when the outcome is in the
ledger; a process that dies in between leaves an entry `deploy_started`, from which the same command goes on.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.apply import prepare
from manuel_release.apply.context import Context
from manuel_release.apply.executor import StepFailed, execute
from manuel_release.errors import GateFailed, Partial, Pending, Refused
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.plan import DeployPlan, NothingToDo, Refusal
from manuel_release.model.progress import StepResult
from manuel_release.model.release import release_name
from manuel_release.observe.deploy import observe_deploy
from manuel_release.observe.service import observe_stage_deployment, observe_versions, service_of
from manuel_release.plan import deploy as planning
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from manuel_release.app import App
    from manuel_release.model.deploy import DeployRequest, DeployState
    from manuel_release.model.entry import Lease
    from manuel_release.model.progress import Progress


@dataclass
class LeaseKeeper:
    """Holds a lease and renews it whenever a third of its time has passed; `pause` is the sleep of everything below."""

    app: App
    lease: Lease

    def __post_init__(self) -> None:
        self.renewed = time.monotonic()

    def keep(self) -> None:
        """Renew the lease when it is time; raises Refused when somebody took it over."""
        if time.monotonic() - self.renewed > self.app.settings.lease_seconds / 3:
            self.lease = self.app.ledger.renew(self.lease, self.app.settings.lease_seconds)
            self.renewed = time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep, and keep the lease."""
        self.app.sleep(seconds)
        self.keep()


@contextmanager
def leased(app: App, api_stage: str, reason: str) -> Iterator[LeaseKeeper]:
    """The right to change an environment, given back at the end; raises Refused with who holds it."""
    ledger = app.ledger
    lease = ledger.acquire(
        app.environment.name, api_stage, app.holder, reason, app.settings.lease_seconds, secrets.token_hex(8)
    )
    keeper = LeaseKeeper(app, lease)
    try:
        yield keeper
    finally:
        ledger.release(keeper.lease)


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

    Raises UsageError for wrong parameters, Refused by a guard, ReleaseError when a step failed and the old release
    still serves, GateFailed when the new one was taken back, Partial when that failed too.
    """
    values = prepare.checked_parameters(app, request)
    api_stage = values["ApiVersionStage"]
    observe = _observer(app, api_stage)
    _refuse(planning.admit(observe()))

    progress.start("Build")
    began = time.monotonic()
    what = prepare.candidate(app, request, values)
    progress.end(_result("Build", began, f"code {what.code_digest[:12]}"))

    nothing = _refuse(planning.admit(observe(), what.digest))
    if nothing is not None:
        return _nothing(app, api_stage, nothing)
    if request.dry_run:
        return _rehearsed(app, what, observe(), progress, show)

    with leased(app, api_stage, request.reason or f"deploy {what.commit[:12]}".strip()) as keeper:
        state = observe()
        nothing = _refuse(planning.admit(state, what.digest))
        if nothing is not None:
            return _nothing(app, api_stage, nothing)
        release = planning.unfinished(state, what.digest) or app.ledger.reserve(
            app.environment.name, api_stage, app.holder, app.now()
        )
        plan = _planned(app, what, state, release, progress)
        show(plan)
        if not agree(plan):
            prepare.discard(app, plan.change_set)
            return _shown(plan, "nobody agreed, and nothing was changed")
        return _perform(app, plan, request, progress, keeper)


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


def _observer(app: App, api_stage: str) -> Callable[[], DeployState]:
    return lambda: observe_deploy(app.aws, app.ledger, app.environment, api_stage, app.caller)


def _result(title: str, began: float, detail: str = "") -> StepResult:
    return StepResult(title, "done", time.monotonic() - began, detail)


def _planned(app: App, what: prepare.Candidate, state: DeployState, release: str, progress: Progress) -> DeployPlan:
    progress.start("Package and compute the change set")
    began = time.monotonic()
    triggers = () if state.first else planning.rollback_triggers(tuple(state.alarms))
    found = prepare.change_set(app, state, what, release, triggers)
    progress.end(_result("Package and compute the change set", began, f"{len(found.changes)} changes"))
    return planning.plan_deploy(
        state,
        release=release,
        digest=what.digest,
        code_digest=what.code_digest,
        commit=what.commit,
        change_set=found,
        descriptions=what.descriptions,
    )


def _rehearsed(
    app: App,
    what: prepare.Candidate,
    state: DeployState,
    progress: Progress,
    show: Callable[[DeployPlan], None],
) -> DeployOutcome:
    """Show what would happen: the change set is computed by AWS and deleted again."""
    release = release_name(app.ledger.last_number(app.environment.name) + 1)
    plan = _planned(app, what, state, release, progress)
    try:
        show(plan)
    finally:
        prepare.discard(app, plan.change_set)
    return _shown(plan, "dry run: nothing was changed")


def _perform(
    app: App, plan: DeployPlan, request: DeployRequest, progress: Progress, keeper: LeaseKeeper
) -> DeployOutcome:
    """Do the steps of a plan that is written down first, and write down how it ended."""
    context = Context(app.aws, app.settings, progress, app.now, keeper.pause, app.aws.session.region)
    record = _Recorder(app, plan, request.reason)
    titles = [step.title for step in plan.steps]
    record(EntryKind.DEPLOY_STARTED, digest=plan.digest, code_digest=plan.code_digest, commit=plan.commit, steps=titles)
    try:
        results = execute(plan.steps, context)
    except StepFailed as failed:
        _take_back(plan, failed, context, record)
        raise failed.error from failed
    except KeyboardInterrupt as stopped:
        stopped.add_note(
            f"{plan.release} is unfinished: what AWS has begun goes on by itself, and the same command finishes it."
        )
        raise
    service = service_of(app.aws, app.environment.stack)
    kind = EntryKind.RELEASE_LIVE if plan.serves_at_end else EntryKind.RELEASE_STAGED
    record(
        kind,
        digest=plan.digest,
        previous=plan.previous or "",
        versions=observe_versions(app.aws, service, plan.release),
        api_deployment_id=observe_stage_deployment(app.aws, service),
    )
    return DeployOutcome(
        plan.environment,
        plan.api_stage,
        plan.release,
        OutcomeStatus.LIVE if plan.serves_at_end else OutcomeStatus.STAGED,
        previous=plan.previous,
        results=results,
        url=app.settings.public_url(service.rest_api_id, service.api_stage, app.aws.session.region),
        message="" if plan.serves_at_end else f"{plan.previous} serves; {plan.release} is held at 0 % of the traffic",
        plan=plan,
    )


@dataclass(frozen=True)
class _Recorder:
    """Appends entries about one plan to the ledger."""

    app: App
    plan: DeployPlan
    reason: str

    def __call__(self, kind: EntryKind, **details: object) -> None:
        plan, now = self.plan, self.app.now()
        self.app.ledger.append(
            Entry(
                id=entry_id(now),
                environment=plan.environment,
                api_stage=plan.api_stage,
                at=now,
                kind=kind,
                release=plan.release,
                by=self.app.holder,
                reason=self.reason,
                details=details,
            )
        )


def _take_back(plan: DeployPlan, failed: StepFailed, context: Context, record: _Recorder) -> None:
    """Return the traffic to the release before, when the new one had some already.

    Raises GateFailed when that worked, Partial when it did not; returns when there was nothing to take back.
    """
    message = failed.error.message
    if failed.index < plan.point_of_traffic or not plan.undo or isinstance(failed.error, Pending):
        record(EntryKind.DEPLOY_FAILED, step=failed.step.title, message=message)
        return
    try:
        execute(plan.undo, context)
    except StepFailed as again:
        record(
            EntryKind.DEPLOY_FAILED, step=again.step.title, message=f"{message}; taking it back: {again.error.message}"
        )
        raise Partial(
            f"{plan.release} failed and could not be taken back: {message}\n  then: {again.error.message}",
            hint=f"`manuel-release status --env {plan.environment}` shows which release each function serves.",
        ) from again
    record(EntryKind.TRAFFIC_RETURNED, to=plan.previous or "", message=message)
    raise GateFailed(
        f"{plan.release} was taken back and {plan.previous} serves again: {message}",
        hint="Correct what failed and deploy again; `manuel-release history` keeps the record.",
    )
