"""A canary, observed: the stage, the counts of both arms, and the judge that reads them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError, SettingsError
from manuel_release.model.canary import CanaryStatus, next_percent
from manuel_release.model.release import LIVE
from manuel_release.observe import service as parts
from manuel_release.observe.counts import ArmSource, Source
from manuel_release.observe.intake import Intake, Timing
from manuel_release.observe.judged import Judged, Past, judged_by, kept_interval, kept_warmup
from manuel_release.observe.subject import Subject, find_canary
from manuel_release.verdict import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.aws import Aws
    from manuel_release.model.traffic import ApiStage
    from manuel_release.settings import Settings as ToolSettings
    from manuel_release.verdict import Verdict

__all__ = ["CanaryObserver", "Subject", "find_canary", "logged_failures"]

LOOK_BACK = timedelta(hours=3) - timedelta(minutes=5)
"""CloudWatch keeps data of less than a minute for three hours."""
MOST_WARMUP = 600
"""So many intervals of the stable arm before the canary are kept; an item of the ledger holds 400 KB."""


FAILED = '{ $.status = "5*" }'
"""Lines of the access log that are server errors; template.yaml has its format."""

PERIODS = (1, 5, 10, 20, 30, 60)
"""Intervals that CloudWatch can count in, seconds."""


def logged_failures(lines: Iterable[str]) -> tuple[int, int]:
    """How many of an access log's lines are 5xx of stable and of the canary; other formats count for neither."""
    found = [0, 0]
    for line in lines:
        try:
            said = json.loads(line)
            failed = 500 <= int(said["status"]) <= 599
            arm = ("false", "true").index(said["isCanaryRequest"])
        except (ValueError, KeyError, TypeError):
            continue
        found[arm] += failed
    return found[0], found[1]


@dataclass
class _Shares:
    """The canary's share (0-1) over time, `at` in seconds since 1970."""

    known: list[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.known[-1][1]

    def weight(self, start: float, end: float) -> float:
        """The largest share between two moments: what favours the canary when it changed in between."""
        before = [share for at, share in self.known if at <= start] or [self.known[0][1]]
        within = [share for at, share in self.known if start < at < end]
        return max([before[-1], *within])


class CanaryObserver:
    """Looks at one canary as often as asked, and judges every interval once.

    With the past that the ledger keeps it goes on where an earlier observer ended and comes to the same verdict. What
    it judges newly is handed out by `fresh`.
    """

    def __init__(  # noqa: PLR0917 - AWS, whose, how, when, and what was before
        self,
        aws: Aws,
        subject: Subject,
        settings: ToolSettings,
        now: datetime,
        held_by: str = "",
        past: Past | None = None,
        drift: str = "",
    ) -> None:
        """Begin where the canary started by the ledger; without one in the ledger, where the stage was last changed.

        Raises ReleaseError, SettingsError.
        """
        interval = int(settings.canary_interval_seconds)
        if interval not in PERIODS or interval != settings.canary_interval_seconds:
            raise SettingsError(
                f"canary_interval_seconds = {settings.canary_interval_seconds:g}: CloudWatch cannot count in that",
                hint=f"Set it to one of {', '.join(map(str, PERIODS))}.",
            )
        self._aws = aws
        self._subject = subject
        self._settings = settings
        self._interval = interval
        self._held_by, self._drift = held_by, drift
        run = past.run if past is not None else None
        self._run = run if run is not None and run.release == subject.release and run.active else None
        self._past = past if past is not None and self._run is not None else Past()
        begun = self._run.started_at if self._run is not None else None
        changed = max((subject.stage.updated_at or now).astimezone(UTC), now - LOOK_BACK)
        self.started_at = begun.astimezone(UTC) if begun is not None else changed
        self._shares = _Shares(self._shares_so_far())
        self._judge = Judge(settings=judged_by(settings))
        self._began = self._past.began or self._beginning(now)
        self._fresh: list[Judged] = []
        self._warm = bool(self._past.intervals)
        self._intake = self._resumed(now)

    def _shares_so_far(self) -> list[tuple[float, float]]:
        stage, run = self._subject.stage, self._run
        if run is None:
            return [(0.0, self._share(stage))]
        known = [(share.at.timestamp(), share.percent / 100.0) for share in run.shares]
        if self._share(stage) != known[-1][1]:  # moved by hand, or by a rollout that gives it all requests
            known.append(((stage.updated_at or self.started_at).timestamp(), self._share(stage)))
        return known

    def _beginning(self, now: datetime) -> int:
        # AWS tells whole seconds, and an interval with the time before in it would compare unequal things
        first = max(self.started_at, now - LOOK_BACK).timestamp()
        return math.ceil((math.floor(first) + 1) / self._interval) * self._interval

    def _resumed(self, now: datetime) -> Intake:
        """Judge again what is known, and go on after it; what CloudWatch has forgotten in between is missing data."""
        past, mark = self._past, self._past.mark
        for before in past.warmup if self._warm else ():
            if before.stable is not None:
                self._judge.warmup(before.t, before.stable)
        for interval in past.intervals:
            self._judge.update(interval.t, interval.stable, interval.canary)
        if mark is not None:
            oldest = math.ceil((now - LOOK_BACK).timestamp() / self._interval) * self._interval
            if mark.judged_until < oldest:
                mark = replace(mark, judged_until=oldest, minutes_until=oldest // 60 * 60)
                self._judge.update(float(oldest - self._began), None, None)
        subject = self._subject
        source = Source(
            functions=subject.service.functions,
            stable=ArmSource(subject.stage.serving, subject.stable_release),
            canary=ArmSource(subject.release, subject.release),
            api_name=self._aws.gateway.name(subject.stage.rest_api_id),
            api_stage=subject.stage.name,
            interval_seconds=self._interval,
        )
        timing = Timing(self._settings.canary_delay_seconds, self._settings.canary_minute_delay_seconds)
        return Intake(source, self._began, timing, mark)

    def look(self, now: datetime) -> CanaryStatus:
        """Read the stage and the counts, judge what is new, and say how things are; raises ReleaseError."""
        stage = parts.observe_stage(self._aws, self._subject.service)
        ended = self._end_of(stage)
        if stage is not None and not ended:
            if self._share(stage) != self._shares.last:
                self._shares.known.append(((stage.updated_at or now).timestamp(), self._share(stage)))
            self._subject = replace(self._subject, stage=stage)
        metrics, start = self._intake.wanted(now.timestamp())
        if metrics:
            answers = self._aws.metrics.read(metrics, datetime.fromtimestamp(start, UTC), now)
            ready = self._intake.take(answers, now.timestamp(), self._shares.weight, self._logged_failures)
            self._warm_up()
            for interval in ready:
                self._judge.update(interval.t, interval.stable, interval.canary)
                kept = kept_interval(self._began, interval, self._intake.mark.minutes_until)
                if kept is not None:
                    self._fresh.append(kept)
        return self._status(ended)

    def fresh(self) -> tuple[Judged, ...]:
        """What was judged since this was asked last, for the ledger."""
        found, self._fresh = tuple(self._fresh), []
        return found

    def _warm_up(self) -> None:
        if self._warm:
            return
        self._warm = True
        warmup = self._intake.warmup()[-MOST_WARMUP:]
        for before in warmup:
            if before.stable is not None:
                self._judge.warmup(before.t, before.stable)
        self._fresh.append(kept_warmup(self._began, warmup))

    @property
    def _all_requests(self) -> str:
        return f"{self._subject.release} was given all requests."

    def _share(self, stage: ApiStage) -> float:
        return stage.canary.percent / 100.0 if stage.canary is not None else 0.0

    def _logged_failures(self, start: int, end: int) -> tuple[int, int]:
        """The access log's 5xx of stable and canary between two moments; none when it cannot be read."""
        group = self._subject.stage.access_log
        if not group:
            return 0, 0
        moments = (datetime.fromtimestamp(at, UTC) for at in (start, end))
        try:
            return logged_failures(self._aws.logs.matching(group, FAILED, *moments))
        except ReleaseError:
            return 0, 0  # the failures stay unexplained, and that is shown as a doubt

    def _end_of(self, stage: ApiStage | None) -> str:
        """How the canary ended, a sentence; empty while it runs."""
        release = self._subject.release
        if stage is None:
            return "The stage is gone."
        if stage.serving == release or (stage.serving == LIVE and stage.current == release):
            return self._all_requests
        canary = stage.canary
        if canary is None or canary.percent == 0:
            return f"The canary was ended: {stage.current or stage.serving} gets all requests."
        if canary.release != release:
            return f"Another canary took its place: {canary.release or 'one without a release'}."
        return ""

    def _status(self, ended: str) -> CanaryStatus:
        verdict, stage = self._judge.verdict, self._subject.stage
        percent = stage.canary.percent if stage.canary is not None else 0.0
        steps = self._settings.canary_steps
        following = next_percent(percent, steps)
        latency = next((s for s in verdict.signals if s.metric == "latency"), None) if verdict is not None else None
        last = self._run.last if self._run is not None else None
        status = CanaryStatus(
            environment=self._subject.environment.name,
            api_stage=stage.name,
            release=self._subject.release,
            stable_release=self._subject.stable_release,
            desired_percent=percent,
            actual_percent=_actual(verdict),
            started_at=self.started_at,
            observed_seconds=verdict.t if verdict is not None else 0.0,
            verdict=verdict,
            stable_p95_ms=latency.stable.p95_ms if latency is not None else None,
            canary_p95_ms=latency.canary.p95_ms if latency is not None else None,
            worst_case=(
                self._judge.worst_case(following / 100.0)
                if following is not None and verdict is not None and verdict.canary.requests
                else None
            ),
            next_look_at=datetime.fromtimestamp(self._intake.next_look(), UTC),
            next_command="",
            doubts=self._intake.doubts,
            ended=ended,
            promoted=ended == self._all_requests,
            held_by=self._held_by,
            steps=steps,
            step_started_at=last.at if last is not None else self.started_at,
            extended_until=last.until if last is not None else None,
            drift=self._drift,
        )
        return replace(status, next_command=next_command(status))


def _actual(verdict: Verdict | None) -> float | None:
    """The canary's share of the counted requests, in percent, at the present weight where that is known."""
    if verdict is None:
        return None
    if verdict.split.actual_percent is not None:
        return verdict.split.actual_percent
    total = verdict.stable.requests + verdict.canary.requests
    return 100.0 * verdict.canary.requests / total if total else None


def next_command(status: CanaryStatus) -> str:
    """What a person can run now."""
    where = f"--env {status.environment}"
    if status.ended:
        return f"manuel-release status {where}"
    following = next_percent(status.desired_percent, status.steps)
    held = status.verdict is not None and status.verdict.hold
    match status.word:
        case "bad":
            return f"manuel-release rollback {where}"
        case "good" if following is not None and not held:
            return f"manuel-release canary promote {following:g} {where}"
    return f"manuel-release canary watch {where}"
