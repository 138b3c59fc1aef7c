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
from manuel_release.observe.counts import EDGES_MS, ArmSource, Source
from manuel_release.observe.intake import Intake, Timing
from manuel_release.verdict import Judge, LimitsMode, Settings, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.aws import Aws
    from manuel_release.model.environment import Environment
    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.service import Service
    from manuel_release.settings import Settings as ToolSettings
    from manuel_release.verdict import Verdict

LOOK_BACK = timedelta(hours=3) - timedelta(minutes=5)
"""CloudWatch keeps data of less than a minute for three hours."""
BUSINESS = ("query_failures", "transcription_failures", "quota_failures")
"""Counters that are judged; throttles are 5xx already."""

FAILED = '{ $.status = "5*" }'
"""Lines of the access log that are server errors; template.yaml has its format."""

PERIODS = (1, 5, 10, 20, 30, 60)
"""Intervals that CloudWatch can count in, seconds."""


@dataclass(frozen=True)
class Subject:
    """Whose canary it is: the environment, its service and stage, and the release that serves everybody else."""

    environment: Environment
    service: Service
    stage: ApiStage
    stable_release: str

    @property
    def release(self) -> str:
        """The release that the canary's requests go to."""
        canary = self.stage.canary
        return (canary.release if canary is not None else None) or ""


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


def find_canary(aws: Aws, environment: Environment, live_release: str | None = None) -> Subject:
    """The environment's canary as its stage has it; `live_release` is what the ledger knows to hold 100 %.

    Raises ReleaseError when there is none, or nothing to compare it with.
    """
    service = parts.service_of(aws, environment.stack)
    stage = parts.observe_stage(aws, service)
    canary = stage.canary if stage is not None else None
    where = f"{environment.name} ({service.api_stage})"
    if stage is None or canary is None or canary.percent == 0:
        raise ReleaseError(
            f"{where} has no canary: all requests get the same release",
            hint=f"`manuel-release status --env {environment.name}` shows what runs there.",
        )
    if canary.release is None:
        raise ReleaseError(
            f"the canary of {where} names no release: both sides run the same, and there is nothing to compare",
            hint="A canary needs the stage-variable override `release`, such as release=r-13.",
        )
    stable = stage.pinned or stage.current or live_release
    if stable is None:
        raise ReleaseError(
            f"which release serves {where} outside the canary is not known: neither the stage nor the ledger says it",
            hint=f"Run `manuel-release deploy --env {environment.name}` once, or set the stage variable `current`.",
        )
    return Subject(environment, service, stage, stable)


class CanaryObserver:
    """Looks at one canary as often as asked, and judges every interval once."""

    def __init__(
        self,
        aws: Aws,
        subject: Subject,
        settings: ToolSettings,
        now: datetime,
        held_by: str = "",
    ) -> None:
        """Begin where the stage was last changed: since then the canary has had the share that it has now.

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
        self._held_by = held_by
        changed = subject.stage.updated_at or now
        self.started_at = max(changed.astimezone(UTC), now - LOOK_BACK)
        # AWS tells whole seconds, and an interval with the time before in it would compare unequal things
        began = math.ceil((math.floor(self.started_at.timestamp()) + 1) / interval) * interval
        self._shares: list[tuple[float, float]] = [(0.0, self._share(subject.stage))]
        source = Source(
            functions=subject.service.functions,
            stable=ArmSource(subject.stage.serving, subject.stable_release),
            canary=ArmSource(subject.release, subject.release),
            api_name=aws.gateway.name(subject.stage.rest_api_id),
            api_stage=subject.stage.name,
            interval_seconds=interval,
        )
        self._intake = Intake(
            source, began, Timing(settings.canary_delay_seconds, settings.canary_minute_delay_seconds)
        )
        self._judge = Judge(settings=Settings(business=BUSINESS, edges_ms=EDGES_MS, limits=LimitsMode(settings.limits)))
        self._warm = False

    def look(self, now: datetime) -> CanaryStatus:
        """Read the stage and the counts, judge what is new, and say how things are; raises ReleaseError."""
        stage = parts.observe_stage(self._aws, self._subject.service)
        ended = self._end_of(stage)
        if stage is not None and not ended:
            if self._share(stage) != self._shares[-1][1]:
                self._shares.append(((stage.updated_at or now).timestamp(), self._share(stage)))
            self._subject = replace(self._subject, stage=stage)
        metrics, start = self._intake.wanted(now.timestamp())
        if metrics:
            answers = self._aws.metrics.read(metrics, datetime.fromtimestamp(start, UTC), now)
            ready = self._intake.take(answers, now.timestamp(), self._weight, self._logged_failures)
            if not self._warm:
                self._warm = True
                for before in self._intake.warmup():
                    if before.stable is not None:
                        self._judge.warmup(before.t, before.stable)
            for interval in ready:
                self._judge.update(interval.t, interval.stable, interval.canary)
        return self._status(ended)

    @property
    def _all_requests(self) -> str:
        return f"{self._subject.release} was given all requests."

    def _share(self, stage: ApiStage) -> float:
        return stage.canary.percent / 100.0 if stage.canary is not None else 0.0

    def _weight(self, start: float, end: float) -> float:
        """The canary's largest share (0-1) between two moments: what favours it when the share changed in between."""
        before = [share for at, share in self._shares if at <= start]
        within = [share for at, share in self._shares if start < at < end]
        return max([*before[-1:], *within])

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
        following = next_percent(percent)
        latency = next((s for s in verdict.signals if s.metric == "latency"), None) if verdict is not None else None
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
        )
        return replace(status, next_command=_next_command(status, stage))


def _actual(verdict: Verdict | None) -> float | None:
    """The canary's share of the counted requests, in percent, at the present weight where that is known."""
    if verdict is None:
        return None
    if verdict.split.actual_percent is not None:
        return verdict.split.actual_percent
    total = verdict.stable.requests + verdict.canary.requests
    return 100.0 * verdict.canary.requests / total if total else None


def _next_command(status: CanaryStatus, stage: ApiStage) -> str:
    """What moves the canary on, or ends it, by AWS's own command line."""
    value = status.verdict.value if status.verdict is not None else Value.CONTINUE
    patch = (
        f"aws apigateway update-stage --rest-api-id {stage.rest_api_id} --stage-name {stage.name} --patch-operations "
    )
    if status.ended:
        return f"manuel-release status --env {status.environment}"
    following = next_percent(status.desired_percent)
    if value is Value.ROLLBACK:
        return f"{patch}op=remove,path=/canarySettings"
    if value is Value.PROMOTE and following is not None and following < 100:
        return f"{patch}op=replace,path=/canarySettings/percentTraffic,value={following:g}"
    return f"manuel-release canary watch --env {status.environment}"
