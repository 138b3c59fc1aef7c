"""How exposed a release is: what the guard has to know before it decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.alarm import ReleaseAlarm, Signal
from manuel_release.model.canary_run import CanaryRun, newest_run
from manuel_release.model.decision import Exposure, Phase, Situation
from manuel_release.model.rollback import Past
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from manuel_release.aws import Aws
    from manuel_release.model.entry import Entry
    from manuel_release.model.environment import Environment
    from manuel_release.model.heartbeat import Heartbeat
    from manuel_release.model.traffic import ApiStage
    from manuel_release.record.ledger import Ledger
    from manuel_release.settings import Settings

MOST_ENTRIES = 200
"""So many of the newest entries hold the newest release's life, and are read every minute."""


@dataclass(frozen=True)
class Scene:
    """An environment at one moment: the API's stage, and what the ledger says of it.

    problem: why the ledger could not be asked; then `entries` is empty and what it would tell is not known.
    """

    environment: Environment
    stage: ApiStage
    entries: Sequence[Entry] = ()
    problem: str = ""

    @property
    def run(self) -> CanaryRun | None:
        """The newest canary that the ledger knows."""
        return newest_run(self.entries)

    @property
    def unfinished(self) -> bool:
        """Whether a rollback was begun and not ended, to the release that still holds 100 %."""
        begun = Past(releases(self.entries)).unfinished
        return self.stage.pinned is not None or (begun is not None and begun[1].to == self.stage.current)

    @property
    def exposed(self) -> str | None:
        """The release that has traffic and has not proven itself, whatever it has been on trial for; None for none."""
        stage, run = self.stage, self.run
        if stage.pinned is not None:
            return None
        if stage.canary is not None and stage.canary.percent > 0 and stage.canary.release not in {None, stage.current}:
            return stage.canary.release
        if run is None or not (run.rolling_out or (run.done is not None and stage.current == run.release)):
            return None
        return run.release

    def exposure(self, release: str, settings: Settings, now: datetime, beat: Heartbeat | None = None) -> Exposure:
        """How exposed that release is now; `beat`: the newest sign of life of an observer."""
        stage = self.stage
        run = self.run if self.run is not None and self.run.release == release else None
        since = run.started_at if run is not None else None
        if stage.pinned is not None:
            return Exposure(release, Phase.PROVEN if stage.pinned == release else Phase.NONE)
        if run is not None and run.rolling_out:
            return Exposure(release, Phase.ROLLING_OUT, 100.0, since or (run.rollout.at if run.rollout else None))
        canary = stage.canary
        if canary is not None and canary.release == release and canary.percent > 0 and stage.current != release:
            return Exposure(release, Phase.CANARY, canary.percent, since)
        if stage.current != release:
            return Exposure(release, Phase.NONE)
        until = trial_until(run, beat, settings)
        if run is not None and run.done is not None and until is not None and now < until:
            return Exposure(release, Phase.UNPROVEN, 100.0, since or run.done.at)
        return Exposure(release, Phase.PROVEN, 100.0)


def trial_until(run: CanaryRun | None, beat: Heartbeat | None, settings: Settings) -> datetime | None:
    """To when the release of a canary that got 100 % is on trial with it.

    None when it did not get 100 %, or when its observer ended with it proven: with a sign of life that lasts no longer.
    """
    if run is None or run.done is None:
        return None
    if beat is not None and beat.release == run.release and beat.until <= beat.at:
        return None
    return run.done.at + timedelta(seconds=settings.canary_observe_seconds[-1])


def observe_scene(ledger: Ledger | None, environment: Environment, stage: ApiStage) -> Scene:
    """The environment's scene; a ledger that does not answer (None: that cannot be found) is part of it."""
    if ledger is None:
        return Scene(environment, stage, problem="there is no ledger")
    try:
        return Scene(environment, stage, ledger.entries(environment.name, stage.name, MOST_ENTRIES))
    except ReleaseError as error:
        return Scene(environment, stage, problem=error.message)


def weigh(  # noqa: PLR0917 - where to look, at what, and when
    aws: Aws,
    ledger: Ledger | None,
    settings: Settings,
    scene: Scene,
    release: str,
    signal: Signal | None,
    now: datetime,
) -> Situation:
    """What decides about something that happened to a release; `signal` when it was one of its alarms.

    What cannot be read does not excuse the release: a ledger or an alarm that does not answer counts as nothing said.
    """
    environment, stage = scene.environment, scene.stage
    stable = stage.current if stage.current != release else None
    rings = _stable_rings(aws, environment, stable, signal) if stable and signal is not None else None
    lease, beat = _looked_after(ledger, environment, stage)
    return Situation(
        exposure=scene.exposure(release, settings, now, beat),
        now=now,
        limits=settings.limits,
        stable_rings=rings,
        lease=lease,
        looked_after_until=beat.until if beat is not None and beat.release == release else None,
        heartbeat_seconds=settings.heartbeat_seconds,
    )


def red_alarms(aws: Aws, prefix: str) -> tuple[tuple[str, str], ...]:
    """Name and reason of the alarms of that prefix that ring."""
    return tuple((alarm.name, alarm.reason) for alarm in aws.alarms.by_prefix(prefix) if alarm.state == "ALARM")


_CRASHES = (Signal.SERVER_ERRORS, Signal.FUNCTION_ERRORS)


def _stable_rings(aws: Aws, environment: Environment, stable: str, signal: Signal) -> bool | None:
    """Whether the stable release's alarm of the same signal rings; None when that is not known.

    Its requests come through `live`, so crashes of it are seen by the alarm on that alias, not by the one on its own.
    """
    same = (signal, Signal.LIVE_FUNCTION_ERRORS) if signal in _CRASHES else (signal,)
    found = [_rings(aws, ReleaseAlarm(environment.short, stable, one)) for one in same]
    known = [rings for rings in found if rings is not None]
    return any(known) if known else None


def _rings(aws: Aws, alarm: ReleaseAlarm) -> bool | None:
    try:
        found = [one for one in aws.alarms.by_prefix(alarm.name) if one.name == alarm.name]
    except ReleaseError:
        return None
    return found[0].state == "ALARM" if found else None


def _looked_after(ledger: Ledger | None, environment: Environment, stage: ApiStage) -> tuple[str, Heartbeat | None]:
    """Who changes the environment now, and the newest sign of life of an observer."""
    if ledger is None:
        return "", None
    try:
        lease = ledger.lease(environment.name, stage.name)
        beat = ledger.heartbeat(environment.name, stage.name)
    except ReleaseError:
        return "", None
    return (lease.holder if lease is not None else "", beat)
