"""Observing a step of a release until it is proven, bad, or its time is over; what the pipeline runs after every move.

A canary is judged (docs/verdict.md). After 100 % there is no second arm any more: the release's alarms are watched
instead. Whoever observes says so in the ledger, and a release that nobody observes is taken back by the guard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.apply.release_alarms import alarm_names
from manuel_release.canary import GATE_SECONDS, step_end
from manuel_release.canary_perform import beat
from manuel_release.errors import AccessError, Refused, ReleaseError
from manuel_release.judging import keep, observation
from manuel_release.model.canary_run import newest_run
from manuel_release.observe.follow import follow
from manuel_release.observe.service import observe_stage, service_of
from manuel_release.taking_back import take_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.judging import Observation
    from manuel_release.model.canary import CanaryStatus
    from manuel_release.model.canary_run import CanaryRun
    from manuel_release.model.progress import Progress
    from manuel_release.model.rollback import Receipt
    from manuel_release.observe.service import Service


@dataclass(frozen=True)
class Observed:
    """How an observation ended: one sentence, an exit code (0 good, 5 taken back, 8 neither), and what is next."""

    environment: str
    release: str
    exit_code: int
    message: str
    next_command: str
    receipt: Receipt | None = None


def watch(
    app: App,
    found: Observation,
    until: Callable[[], datetime],
    look: Callable[[CanaryStatus], None],
    warn: Callable[[str], None],
    *,
    least: Callable[[], datetime] | None = None,
) -> CanaryStatus | None:
    """Look at a canary until it is decided or its time is over; the last look.

    Every judged interval and a sign of life go into the ledger; where several observe, whoever is first with an
    interval counts. `until` is asked at every look, because an observation can be extended; a canary that is
    good is looked at until `least` all the same. Raises as `observe.follow.follow`.
    """
    writer = _Writer(app, found, warn)
    last = None
    for last in follow(found.observer, until, app.now, app.sleep, warn, least=least):
        writer.write()
        look(last)
    return last


class _Writer:
    """Writes what is observed into the ledger; a ledger that cannot be written does not end the observation."""

    def __init__(self, app: App, found: Observation, warn: Callable[[str], None]) -> None:
        self._app, self._found, self._warn = app, found, warn
        self._told = False

    def write(self) -> None:
        """Keep what was judged newly, and give a sign of life."""
        app, found = self._app, self._found
        judged = found.observer.fresh()
        if found.run is None or not found.run.active:
            return  # a canary that the ledger does not know is nobody's
        where, stage = app.environment.name, found.subject.stage.name
        until = app.now() + timedelta(seconds=app.settings.heartbeat_seconds)
        try:
            keep(app, where, found.subject.release, judged)
            beat(app, stage, found.subject.release, until)
        except AccessError:
            raise
        except ReleaseError as error:
            if not self._told:
                self._warn(f"the ledger cannot be written, so the guard does not see this observation: {error.message}")
            self._told = True


def observe(
    app: App,
    look: Callable[[CanaryStatus], None],
    warn: Callable[[str], None],
    progress: Progress,
    release: str = "",
) -> Observed:
    """Observe the step that the environment's release is at, to its end; a bad release is rolled back.

    release: which one it has to be; empty for whichever it is.

    Raises Refused when it is another release, ReleaseError when there is nothing to observe, and as
    `taking_back.take_back`.
    """
    environment = app.environment
    service = service_of(app.aws, environment.stack)
    stage = observe_stage(app.aws, service)
    run = newest_run(app.ledger.entries(environment.name, service.api_stage))
    proving = run is not None and run.done is not None and stage is not None and stage.current == run.release
    if run is not None and proving and (stage is None or stage.canary is None or not stage.canary.percent):
        _same(app, release, run.release)
        return _prove(app, service, run, progress)
    found = observation(app, environment, warn)
    _same(app, release, found.subject.release)
    return _judge(app, found, look, warn, progress)


def _same(app: App, wanted: str, found: str) -> None:
    if wanted and wanted != found:
        raise Refused(
            f"{found} is on trial in {app.environment.name} and not {wanted}, which was to be observed",
            hint=f"`manuel-release history --env {app.environment.name}` says what happened to {wanted}.",
        )


def _judge(
    app: App,
    found: Observation,
    look: Callable[[CanaryStatus], None],
    warn: Callable[[str], None],
    progress: Progress,
) -> Observed:
    name, where = app.environment.name, f"--env {app.environment.name}"
    last = watch(app, found, lambda: _step_until(app, found), look, warn, least=lambda: _step_least(app, found))
    release = found.subject.release
    if last is None:
        return Observed(name, release, 8, "there was nothing to look at", f"manuel-release status {where}")
    if last.ended:
        return _ended(app, found, last)
    said = last.verdict.sentence if last.verdict is not None else "No interval is over."
    if last.word == "bad":
        return _rolled_back(app, release, "verdict", said, progress)
    stage = found.subject.stage.name
    beat(app, stage, release, app.now() + timedelta(seconds=GATE_SECONDS))
    if last.word == "good":
        return Observed(name, release, 0, f"{release} is good: {said}", last.next_command)
    return Observed(
        name,
        release,
        8,
        f"the time of this step is over, and the verdict on {release} is {last.word}: {said}",
        f"manuel-release canary extend 15m {where}",
    )


def _step_until(app: App, found: Observation) -> datetime:
    """When this step's time is over, by the ledger as it is now."""
    run = _run_now(app, found)
    last = run.last if run is not None else None
    if last is None:
        return found.observer.started_at + timedelta(seconds=app.settings.canary_observe_seconds[0])
    end = step_end(last.at, last.percent, app.settings.canary_steps, app.settings.canary_observe_seconds)
    return max(end, last.until or end)


def _step_least(app: App, found: Observation) -> datetime:
    """Until when this step is observed at least: what was good with few requests has to be good with more."""
    last = found.run.last if found.run is not None else None
    begun = last.at if last is not None else found.observer.started_at
    return begun + timedelta(seconds=app.settings.canary_least_seconds)


def _run_now(app: App, found: Observation) -> CanaryRun | None:
    if found.run is None:
        return None
    try:
        run = newest_run(app.ledger.entries(app.environment.name, found.subject.stage.name))
    except AccessError:
        raise
    except ReleaseError:
        return found.run
    return run if run is not None and run.release == found.run.release else found.run


def _ended(app: App, found: Observation, last: CanaryStatus) -> Observed:
    """The canary ended while it was observed, by somebody else's hand."""
    name, release = app.environment.name, found.subject.release
    run = _run_now(app, found)
    back = run is not None and run.ended is not None and run.ended.kind.value.startswith("roll")
    code = 0 if last.promoted else (5 if back else 8)
    return Observed(name, release, code, last.ended, f"manuel-release status --env {name}")


def _prove(app: App, service: Service, run: CanaryRun, progress: Progress) -> Observed:
    """Watch the alarms of a release that holds 100 % until its time is over; the last sign of life ends its trial."""
    name, release = app.environment.name, run.release
    begun = run.done.at if run.done is not None else app.now()
    until = begun + timedelta(seconds=app.settings.canary_observe_seconds[-1])
    wanted = frozenset(alarm_names(service, release))
    title = f"Watch the alarms of {release} until {until:%H:%M:%S} UTC"
    progress.start(title)
    while True:
        red = [alarm for alarm in app.aws.alarms.by_prefix(_prefix(wanted)) if alarm.state == "ALARM"]
        if red:
            first = red[0]
            return _rolled_back(app, release, first.name, f"{first.name}: {first.reason or 'in alarm'}", progress)
        stage = observe_stage(app.aws, service)
        if stage is None or stage.current != release or stage.pinned is not None:
            return Observed(name, release, 5, f"{release} was taken back meanwhile", _status(name))
        left = (until - app.now()).total_seconds()
        if left <= 0:
            app.ledger.beat(name, service.api_stage, release, app.now(), app.now(), app.holder)
            return Observed(name, release, 0, f"{release} holds 100 %, and none of its alarms rang", _status(name))
        beat(app, service.api_stage, release, app.now() + timedelta(seconds=app.settings.heartbeat_seconds))
        app.sleep(min(left, max(1.0, app.settings.canary_interval_seconds)))


def _prefix(names: frozenset[str]) -> str:
    """What all names begin with."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def _rolled_back(app: App, release: str, trigger: str, why: str, progress: Progress) -> Observed:
    receipt = take_back(app, release, trigger, why, progress)
    name = app.environment.name
    if receipt.from_release is None:
        return Observed(name, release, 5, f"{release} is bad and had lost its traffic already: {why}", _status(name))
    message = f"{release} is bad and was rolled back to {receipt.to_release}: {why}"
    return Observed(name, release, 5, message, f"manuel-release incident show {receipt.incident_id}", receipt)


def _status(environment: str) -> str:
    return f"manuel-release status --env {environment}"
