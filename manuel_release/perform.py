"""Doing what was planned: the ledger has the plan before the first step and the outcome after the last."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from manuel_release.apply.context import Context
from manuel_release.apply.executor import StepFailed, execute
from manuel_release.errors import AccessError, GateFailed, Partial, Pending, Refused, ReleaseError
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.plan import DeployPlan, ExecuteChangeSet
from manuel_release.observe.service import observe_stage_deployment, observe_versions, service_of
from manuel_release.pruning import prune_after_deploy
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.model.plan import FollowDeployments, FollowStack, Step
    from manuel_release.model.progress import Progress


@dataclass(frozen=True)
class Recorder:
    """Appends entries about one release to the ledger."""

    app: App
    environment: str
    api_stage: str
    release: str
    reason: str

    def __call__(self, kind: EntryKind, **details: object) -> None:
        """Write down that this happened now."""
        now = self.app.now()
        self.app.ledger.append(
            Entry(
                id=entry_id(now),
                environment=self.environment,
                api_stage=self.api_stage,
                at=now,
                kind=kind,
                release=self.release,
                by=self.app.holder,
                reason=self.reason,
                details=details,
            )
        )


def context_of(
    app: App, progress: Progress, sleep: Callable[[float], None], deadline: datetime | None = None
) -> Context:
    """What the steps get to work with."""
    return Context(app.aws, app.settings, progress, app.now, sleep, app.aws.session.region, deadline)


def perform(plan: DeployPlan, record: Recorder, context: Context) -> DeployOutcome:
    """Do the steps of a plan; raises as `flow.deploy`."""
    app = record.app
    titles = [step.title for step in plan.steps]
    begun = {
        key: value
        for step in plan.steps
        if isinstance(step, ExecuteChangeSet)
        for key, value in {"token": step.token, "change_set": step.change_set_id}.items()
    }
    overridden = {"override_shared": plan.override} if plan.override else {}
    record(
        EntryKind.DEPLOY_STARTED,
        digest=plan.digest,
        code_digest=plan.code_digest,
        commit=plan.commit,
        steps=titles,
        **begun,
        **overridden,
    )
    try:
        results = execute(plan.steps, context)
    except StepFailed as failed:
        _take_back(plan, failed, context, record)
        raise unfinished(failed.error, record) from failed
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
    pruned = prune_after_deploy(record, context, service)
    return DeployOutcome(
        plan.environment,
        plan.api_stage,
        plan.release,
        OutcomeStatus.LIVE if plan.serves_at_end else OutcomeStatus.STAGED,
        previous=plan.previous,
        results=(*results, *pruned),
        url=app.settings.public_url(service.rest_api_id, service.api_stage, app.aws.session.region),
        message="" if plan.serves_at_end else f"{plan.previous} serves; {plan.release} is held at 0 % of the traffic",
        next_command="" if plan.serves_at_end else f"manuel-release canary start --env {plan.environment}",
        plan=plan,
    )


def follow(
    step: FollowStack | FollowDeployments, record: Recorder, context: Context, forget: Sequence[Step] = ()
) -> None:
    """Wait for what an earlier run of this deploy began; a failure is written down as that release's.

    forget: what makes the API's stage forget a release that failed.
    """
    try:
        execute((step,), context)
    except StepFailed as failed:
        if not _goes_on(failed.error):
            _forget(forget, failed, context)
            record(EntryKind.DEPLOY_FAILED, step=failed.step.title, message=failed.error.message)
        raise unfinished(failed.error, record) from failed


def unfinished(error: ReleaseError, record: Recorder) -> ReleaseError:
    """The error with how to go on, where the release was neither finished nor given up."""
    if not _goes_on(error):
        return error
    deploy = f"manuel-release deploy --env {record.environment}"
    again = f"The same command goes on with {record.release}"
    if isinstance(error, Pending):
        hint = f"{again}; `{deploy} --attach` only follows it."
    else:
        minutes = record.app.settings.lease_seconds / 60
        hint = f"{error.hint} {again}; its lease ends by itself after {minutes:.0f} minutes at the latest."
    return type(error)(f"{record.release} is unfinished: {error.message}", hint=hint)


def _goes_on(error: ReleaseError) -> bool:
    """Whether nothing failed: somebody only stopped waiting, or has to sign in again."""
    return isinstance(error, Pending | AccessError)


def _forget(steps: Sequence[Step], failed: StepFailed, context: Context) -> None:
    """Do the steps; what cannot be done is told, and is no failure of its own. Nothing without the lease."""
    if isinstance(failed.error, Refused):
        return
    try:
        execute(steps, replace(context, deadline=None))
    except StepFailed as again:
        context.progress.note(again.error.message)


def _take_back(plan: DeployPlan, failed: StepFailed, context: Context, record: Recorder) -> None:
    """Return the traffic to the release before, when the new one had some already.

    Without the lease nothing is done: whoever took it goes on.

    Raises GateFailed when that worked, Partial when it did not; returns when there was nothing to take back.
    """
    message = failed.error.message
    early = failed.index < plan.point_of_traffic or not plan.undo
    if isinstance(failed.error, Pending | Refused) or (early and _goes_on(failed.error)):
        return
    if failed.index < plan.point_of_traffic:
        _forget(plan.forget, failed, context)
    if early:
        record(EntryKind.DEPLOY_FAILED, step=failed.step.title, message=message)
        return
    try:
        execute(plan.undo, replace(context, deadline=None))
    except StepFailed as again:
        told = f"{message}; taking it back: {again.error.message}"
        with suppress(AccessError):  # said below; the ledger cannot be written either
            record(EntryKind.DEPLOY_FAILED, step=again.step.title, message=told)
        raise Partial(
            f"{plan.release} failed and could not be taken back: {message}\n  then: {again.error.message}",
            hint=f"`manuel-release status --env {plan.environment}` shows which release each function serves.",
        ) from again
    record(EntryKind.TRAFFIC_RETURNED, to=plan.previous or "", message=message)
    raise GateFailed(
        f"{plan.release} was taken back and {plan.previous} serves again: {message}",
        hint="Correct what failed and deploy again; `manuel-release history` keeps the record.",
    )
