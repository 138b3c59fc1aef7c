"""Moving a canary from its first share to all requests, or ending it: observe, plan, show, ask, apply, record.

What is done is written to the ledger right after it was done, and a command that died in between is run again: it finds
the stage as it wanted it and writes down what is missing. Only the rollout to 100 % is written down before it begins,
because it is made of many calls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.apply.release_alarms import alarm_names
from manuel_release.canary_perform import adopt, beat, next_command, notified, perform
from manuel_release.errors import Refused
from manuel_release.judging import judged_state
from manuel_release.lease import leased
from manuel_release.model.canary_change import (
    ALL,
    CanaryOutcome,
    CanaryPlan,
    CanaryRequest,
    CanaryState,
    ChangeStatus,
    Move,
)
from manuel_release.model.canary_run import newest_run
from manuel_release.model.entry import EntryKind
from manuel_release.model.location import Location
from manuel_release.model.plan import NothingToDo, Refusal
from manuel_release.model.release import LIVE
from manuel_release.observe import location as locations
from manuel_release.observe.canary_state import observe_canary_state, with_release
from manuel_release.observe.exposure import trial_until
from manuel_release.observe.service import service_of
from manuel_release.perform import Recorder
from manuel_release.plan import canary as planning
from manuel_release.plan.prune import prunable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.model.progress import Progress, StepResult
    from manuel_release.observe.service import Service
    from manuel_release.plan.canary import Decision

    Show = Callable[[CanaryPlan], None]
    Agree = Callable[[CanaryPlan], bool]

GATE_SECONDS = 7200.0
"""People have so long to decide at a gate; nobody has to observe the canary meanwhile."""


def start(app: App, request: CanaryRequest, progress: Progress, show: Show, agree: Agree) -> CanaryOutcome:
    """Give the release that was deployed last its first share of the traffic.

    `show` puts the plan on the screen, `agree` asks the person. Raises Refused, ReleaseError.
    """
    return _Change(app, request, progress, show, agree, Move.START).do(
        lambda state: planning.plan_start(state, request, app.settings.canary_steps)
    )


def promote(app: App, request: CanaryRequest, progress: Progress, show: Show, agree: Agree) -> CanaryOutcome:
    """Give the canary its next share, or all requests.

    Raises Refused by a guard, the verdict among them; GateFailed when CodeDeploy or the health check failed and the
    traffic was rolled back; Partial when that needs a person; Pending when CodeDeploy is still at work.
    """
    change = _Change(app, request, progress, show, agree, Move.PROMOTE)

    def plan(state: CanaryState) -> Decision:
        on_call = app.settings.people.has("on_call", app.caller.arn)
        release = planning.candidate(state, request)
        alarms = change.existing_alarms(release) if release else ()
        return planning.plan_promote(state, request, app.settings.canary_steps, on_call=on_call, alarms=alarms)

    return change.do(plan)


def abort(app: App, request: CanaryRequest, progress: Progress, show: Show, agree: Agree) -> CanaryOutcome:
    """End the canary without blaming its release; raises Refused, ReleaseError."""
    return _Change(app, request, progress, show, agree, Move.ABORT).do(
        lambda state: planning.plan_abort(state, request)
    )


def extend(app: App, request: CanaryRequest, seconds: float) -> CanaryOutcome:
    """Have the present step observed `seconds` longer than it would be; raises Refused, ReleaseError."""
    service = service_of(app.aws, app.environment.stack)
    with leased(app, service.api_stage, request.reason or "extend the canary"):
        entries = app.ledger.entries(app.environment.name, service.api_stage)
        run = newest_run(entries)
        if run is None or not run.active or run.last is None:
            raise Refused(
                f"{app.environment.name} has no canary that the ledger knows of",
                hint=f"`manuel-release canary status --env {app.environment.name}` shows what there is.",
            )
        step = step_end(run.last.at, run.last.percent, app.settings.canary_steps, app.settings.canary_observe_seconds)
        until = max(app.now(), step, run.last.until or step) + timedelta(seconds=seconds)
        if not request.dry_run:
            record = Recorder(app, app.environment.name, service.api_stage, run.release, request.reason)
            record(EntryKind.CANARY_EXTENDED, until=until.isoformat(), seconds=seconds)
            beat(app, service.api_stage, run.release, until)
    return CanaryOutcome(
        Move.EXTEND,
        app.environment.name,
        service.api_stage,
        run.release,
        run.stable,
        run.last.percent,
        ChangeStatus.PLANNED if request.dry_run else ChangeStatus.DONE,
        message=f"{run.release} is observed at {run.last.percent:g} % until {until:%Y-%m-%d %H:%M:%S} UTC",
        next_command=f"manuel-release canary watch --observe --env {app.environment.name}",
    )


def step_end(begun: datetime, percent: float, steps: Sequence[float], seconds: Sequence[float]) -> datetime:
    """When the observation of a step ends that was not extended; a share that is no step has the one before's time."""
    number = max((i for i, step in enumerate(steps) if step <= percent), default=0)
    return begun + timedelta(seconds=seconds[number])


class _Change:
    """One change of a canary, from the look at the world to the entry in the ledger."""

    def __init__(  # noqa: PLR0917 - what the commands have in common
        self, app: App, request: CanaryRequest, progress: Progress, show: Show, agree: Agree, move: Move
    ) -> None:
        self.app, self.request, self.progress = app, request, progress
        self.show, self.agree, self.move = show, agree, move
        self.service: Service = service_of(app.aws, app.environment.stack)
        where = Location(self.service.rest_api_id, self.service.api_stage)
        locations.remember(app.memory, app.environment, where)

    def do(self, plan: Callable[[CanaryState], Decision]) -> CanaryOutcome:
        if self.request.dry_run:
            state = self._observed()
            decided = self._admitted(plan(state))
            if isinstance(decided, NothingToDo):
                return self._outcome(decided.release, state, ChangeStatus.NOTHING_TO_DO, message=decided.reason)
            self.show(decided)
            return self._planned(decided, "dry run: nothing was changed")
        with leased(self.app, self.service.api_stage, self.request.reason or f"canary {self.move.value}") as keeper:
            state = self._observed()
            decided = self._admitted(plan(state))
            if isinstance(decided, NothingToDo):
                adopt(self.app, self.request, self.move, state, decided.release)
                return self._outcome(decided.release, state, ChangeStatus.NOTHING_TO_DO, message=decided.reason)
            self.show(decided)
            if not self.agree(decided):
                return self._planned(decided, "nobody agreed, and nothing was changed")
            results = perform(self.app, decided, state, self.service, self.request.reason, self.progress, keeper)
        return self._outcome(
            decided.release,
            state,
            ChangeStatus.DONE,
            percent=decided.percent,
            results=results,
            notes=notified(self.app, decided, self.request.reason),
            plan=decided,
            next_command=next_command(decided),
        )

    def existing_alarms(self, release: str) -> tuple[str, ...]:
        """The release's alarms that are there, for CodeDeploy, which fails on one that is not."""
        wanted = alarm_names(self.service, release)
        if not wanted:
            return ()
        prefix = wanted[0][: wanted[0].index(f"-{release}-") + len(release) + 2]
        there = {alarm.name for alarm in self.app.aws.alarms.by_prefix(prefix)}
        return tuple(name for name in wanted if name in there)

    def _observed(self) -> CanaryState:
        app = self.app
        state = observe_canary_state(app.aws, app.ledger, app.environment, self.service, app.caller)
        release = planning.candidate(state, self.request)
        if release is None or self.move is Move.ABORT:
            return state
        if self.move is Move.START:
            state = replace(state, trial_until=self._trial_until(state))
        keep = app.settings.retained_releases
        state = with_release(
            state,
            app.aws,
            app.ledger,
            self.service,
            release,
            prunable=lambda live: prunable(state.releases, state.stage, live, keep),
        )
        judges = self.move is Move.PROMOTE and not (state.run is not None and state.run.rolling_out)
        return judged_state(app, state, self.service, self.progress) if judges else state

    def _trial_until(self, state: CanaryState) -> datetime | None:
        run, stage, app = state.run, state.stage, self.app
        if run is None or stage is None or stage.current != run.release:
            return None
        until = trial_until(run, app.ledger.heartbeat(state.environment.name, stage.name), app.settings)
        return until if until is not None and app.now() < until else None

    def _admitted(self, decided: Decision) -> CanaryPlan | NothingToDo:
        if isinstance(decided, Refusal):
            refused = Refused(decided.reason, hint=decided.hint)
            refused.passing = decided.passing
            raise refused
        return decided

    def _planned(self, plan: CanaryPlan, message: str) -> CanaryOutcome:
        return CanaryOutcome(
            plan.move,
            plan.environment,
            plan.api_stage,
            plan.release,
            plan.stable,
            plan.before,
            ChangeStatus.PLANNED,
            message=message,
            plan=plan,
        )

    def _outcome(
        self,
        release: str,
        state: CanaryState,
        status: ChangeStatus,
        *,
        percent: float | None = None,
        results: Sequence[StepResult] = (),
        message: str = "",
        notes: Sequence[str] = (),
        plan: CanaryPlan | None = None,
        next_command: str = "",
    ) -> CanaryOutcome:
        held = state.stage is not None and state.stage.current == release
        now = (ALL if held else state.percent or 0.0) if percent is None else percent
        return CanaryOutcome(
            self.move,
            self.app.environment.name,
            self.service.api_stage,
            release,
            (plan.stable if plan is not None else state.stable) or LIVE,
            now,
            status,
            results=results,
            message=message,
            next_command=next_command,
            notes=notes,
            plan=plan,
        )
