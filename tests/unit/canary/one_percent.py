"""A canary under random requests, second by second: the observing loop, the judge, the release alarms and the guard.

Everything is the product's own but AWS, which is in memory. The alarms are those that a deploy makes, evaluated every
minute by the embedded AWS's alarm code on the same counts that the judge reads; a change of state calls the guard.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from unit.canary.canary_world import CanaryWorld

from manuel_release import observing
from manuel_release.model.alarm import parse
from manuel_release.model.entry import EntryKind
from manuel_release.model.metric import MetricAnswers
from manuel_release.rehearsal.emulator.alarm_evaluation import COMPARISONS, EXTRA_PERIODS, next_state
from manuel_release.rehearsal.emulator.metric_queries import compute, parse_queries
from operations.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pytest

    from manuel_release.model.alarm import AlarmDefinition
    from manuel_release.model.metric import Metric
    from manuel_release.observing import Observed
    from manuel_release.rehearsal.emulator.metric_queries import MetricStat

    Period = Callable[[int, int], float | None]

WARMUP_SECONDS = 1800
MILLISECONDS = 75.0
"""Every answer takes so long."""
MINUTE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@dataclass(frozen=True)
class Traffic:
    """Requests per second in the mean, and the share of each arm's that fail, in percent."""

    per_second: float
    stable_percent: float
    canary_percent: float
    seed: int = 1


class Requests:
    """Every second's requests and failures of both releases, drawn one by one; CloudWatch's answers about them.

    A second is the same whatever happens around it, as long as the canary's share of it is the same.
    """

    def __init__(self, traffic: Traffic, function: str, begin: int) -> None:
        self.traffic, self.function, self.begin = traffic, function, begin
        self.sums: dict[tuple[str, str], list[int]] = {
            (release, name): [0] for release in ("r-1", "r-2") for name in ("Requests", "Errors5xx")
        }
        self._known: dict[Metric, Period | None] = {}

    def second(self, at: int, share: float) -> None:
        """One more second, in which r-2 gets that share (0-1) of the requests."""
        random = Random(f"{self.traffic.seed} {at}")
        seen = dict.fromkeys(self.sums, 0)
        moment = random.expovariate(self.traffic.per_second)
        while moment < 1.0:
            release = "r-2" if random.random() < share else "r-1"
            percent = self.traffic.canary_percent if release == "r-2" else self.traffic.stable_percent
            seen[release, "Requests"] += 1
            seen[release, "Errors5xx"] += 100.0 * random.random() < percent
            moment += random.expovariate(self.traffic.per_second)
        for key, number in seen.items():
            self.sums[key].append(self.sums[key][-1] + number)

    def count(self, release: str, name: str, start: int, end: int) -> int:
        """How many between two seconds."""
        sums = self.sums[release, name]
        first, last = (min(max(at - self.begin, 0), len(sums) - 1) for at in (start, end))
        return sums[last] - sums[first]

    def series(self, namespace: str, name: str, named: Mapping[str, str], statistic: str) -> Period | None:
        """What tells a metric's value between two seconds, None where it has no datapoint; None for no such metric."""
        if namespace == "AWS/ApiGateway":
            return lambda *span: sum(self.count(release, "Errors5xx", *span) for release in ("r-1", "r-2")) or None
        alias = named.get("Resource", "").partition(":")[2]
        release = named.get("release") or {"live": "r-1"}.get(alias, alias)
        other = self.function not in {named.get("service"), named.get("FunctionName")} or "ExecutedVersion" in named
        if other or (release, "Requests") not in self.sums:
            return None

        def requests(start: int, end: int) -> int | None:
            return self.count(release, "Requests", start, end) or None

        known: dict[tuple[str, str], Period] = {
            ("Requests", "Sum"): requests,
            ("Invocations", "Sum"): requests,
            ("Errors5xx", "Sum"): lambda *span: self.count(release, name, *span) if requests(*span) else None,
            ("Duration", "TC(50:100)"): requests,
            ("Duration", "p95"): lambda *span: MILLISECONDS if requests(*span) else None,
        }
        return known.get((name, statistic))

    def read(self, metrics: Sequence[Metric], start: datetime, end: datetime) -> MetricAnswers:
        """As `manuel_release.aws.metrics`."""
        found: dict[Metric, dict[int, float]] = {}
        for metric in metrics:
            if metric not in self._known:
                named = dict(metric.dimensions)
                self._known[metric] = self.series(metric.namespace, metric.name, named, metric.statistic)
            period = self._known[metric]
            if period is None:
                continue
            step = metric.period
            first = int(start.timestamp()) // step * step
            values = {at: period(at, at + step) for at in range(first, int(end.timestamp()) - step + 1, step)}
            found[metric] = {at: value for at, value in values.items() if value is not None}
        return MetricAnswers(found, {})


def rings(alarm: AlarmDefinition, requests: Requests, end: int) -> bool:
    """Whether the alarm's datapoints until then break it, by the embedded AWS's metric math and M out of N."""
    stats = [_query(name, metric) for name, metric in alarm.metrics.items()]
    queries = parse_queries([{"Id": "watched", "Expression": alarm.expression}, *stats])
    period = next(metric.period for metric in alarm.metrics.values())
    count = alarm.periods + EXTRA_PERIODS
    starts = [end - period * (count - index) for index in range(count)]

    def fetch(stat: MetricStat) -> list[float | None]:
        told = requests.series(stat.namespace, stat.name, stat.dimensions, stat.statistic)
        return [told(start, start + period) if told is not None else None for start in starts]

    breaches = COMPARISONS[alarm.comparison.value]
    values = compute(queries, fetch, count, float(period))["watched"]
    points = [None if value is None else breaches(value, alarm.threshold) for value in values]
    state = next_state(points, "OK", periods=alarm.periods, to_alarm=alarm.periods, treatment="notBreaching")
    return state == "ALARM"


def _query(name: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions]
    what = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {
        "Id": name,
        "ReturnData": False,
        "MetricStat": {"Metric": what, "Period": metric.period, "Stat": metric.statistic},
    }


@dataclass
class Ring:
    """An alarm that went to ALARM, seconds after the canary's start, and what the guard did about it."""

    name: str
    seconds: float
    action: str


@dataclass
class End:
    """How a trial ended: the trigger of the rollback (empty for none), and what the canary had served until then."""

    trigger: str = ""
    reason: str = ""
    seconds: float = 0.0
    requests: int = 0
    failures: int = 0
    rings: list[Ring] = field(default_factory=list)
    observed: Observed | None = None


class Trial:
    """r-2 at 10 %. `observe` is what the pipeline does; `wait` lets time pass without it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, traffic: Traffic, **settings: Any) -> None:
        self.world = CanaryWorld(folder, monkeypatch)
        self.world.settings |= settings
        aws, clock = self.world.aws, self.world.clock
        clock.at = clock.at.replace(second=0, microsecond=0)
        self.requests = Requests(traffic, min(aws.functions.all), int(clock.at.timestamp()))
        aws.metrics = self.requests  # type: ignore[assignment]
        self._counted = int(clock.at.timestamp())
        clock.sleep, clock.now = self.sleep, self.now  # type: ignore[method-assign]
        self.guard = Guard(lambda _: self.world.app())
        self.watches = False
        self.end = End()
        self.sleep(WARMUP_SECONDS)
        self.world.start()
        self.started = clock.at

    @property
    def seconds(self) -> float:
        """Since the canary's start."""
        return (self.world.clock.at - self.started).total_seconds()

    @property
    def over(self) -> bool:
        """Whether r-2 has no traffic any more."""
        canary = self.world.stage.canary
        return canary is None or not canary.percent

    def now(self) -> datetime:
        """The time; two entries of the ledger are never of the same moment."""
        self.world.clock.at += timedelta(milliseconds=1)
        return self.world.clock.at

    def sleep(self, seconds: float) -> None:
        """Time passes: every whole second has its requests, every minute its alarms and its look of the guard."""
        clock = self.world.clock
        until = clock.at + timedelta(seconds=seconds)
        while (at := self._counted + 1) <= until.timestamp():
            canary = self.world.stage.canary
            self.requests.second(self._counted, canary.percent / 100.0 if canary is not None else 0.0)
            self._counted = at
            clock.at = max(clock.at, datetime.fromtimestamp(at, UTC))
            if at % 60 == 0 and self.watches:
                self.watches = False  # what the guard waits for is part of this minute
                self._minute(at)
                self.watches = True
        clock.at = max(clock.at, until)

    def _minute(self, at: int) -> None:
        """CloudWatch evaluates, and EventBridge calls the guard."""
        alarms = self.world.aws.alarms
        for name, definition in alarms.made.items():
            known = next(each for each in alarms.all if each.name == name)
            now = "ALARM" if rings(definition, self.requests, at) else "OK"
            alarms.all = tuple(replace(known, state=now) if each is known else each for each in alarms.all)
            if now == "ALARM" and known.state != "ALARM" and not self.over:
                detail = {"alarmName": name, "state": {"value": now, "reason": "Threshold Crossed."}}
                for done in self._told({"source": "aws.cloudwatch", "detail": detail}):
                    if parse(name).release == "r-2":
                        self.end.rings.append(Ring(name, self.seconds, done))
        if not self.over:
            self._told(MINUTE)

    def _told(self, event: Mapping[str, Any]) -> list[str]:
        return [one["action"] for one in self.guard.handle(event)]

    def observe(self) -> End:
        """The observing loop to its end, with alarms and guard beside it."""
        self.watches = True
        self.end.observed = observing.observe(self.world.app(), lambda _: None, lambda _: None, self.world.progress)
        return self._ended()

    def wait(self, seconds: float) -> End:
        """Until the guard took the release back, or the time is over; nobody observes, and nobody is missed."""
        self.watches = True
        until = self.seconds + seconds
        while not self.over and self.seconds < until:
            self.sleep(10)
        return self._ended()

    def _ended(self) -> End:
        """What the ledger says about it."""
        end = self.end
        began = [entry for entry in self.world.entries() if entry.kind is EntryKind.ROLLBACK_STARTED]
        end.seconds = self.seconds
        if began:
            end.trigger, end.reason = str(began[0].details["trigger"]), began[0].reason
            end.seconds = (began[0].at - self.started).total_seconds()
        end.requests, end.failures = self.served(end.seconds)
        return end

    def served(self, seconds: float) -> tuple[int, int]:
        """The canary's requests and failures in its first seconds."""
        begin = int(self.started.timestamp())
        span = begin, begin + int(seconds)
        return self.requests.count("r-2", "Requests", *span), self.requests.count("r-2", "Errors5xx", *span)
