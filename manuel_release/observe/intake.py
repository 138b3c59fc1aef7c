"""From answers that come late and in pieces to intervals that are judged once; pure.

An interval is judged when it has been over for `delay_seconds`. What arrives later (embedded metrics behind time, and
AWS/Lambda's minutes, which always are) is added to the next interval, for both arms alike: nothing is lost, and the
arms stay comparable, because delay does not depend on the arm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from manuel_release.observe.agreement import disagreements, is_stray, stray_failures
from manuel_release.observe.counts import (
    MINUTE,
    fast_metrics,
    interval_counts,
    logged_metric,
    minute_metrics,
    unseen,
)
from manuel_release.verdict import ArmCounts
from manuel_release.verdict.replay import RecordedInterval

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.metric import Metric, MetricAnswers
    from manuel_release.observe.counts import Source

WARMUP_SECONDS = 1800
COMPARED_MINUTES = 5
LATE_SECONDS = 300
"""How far back an answer is asked for again; a longer window costs nothing more."""
UNCONFIRMED_SECONDS = 240
"""Without a minute that AWS's own counts confirm for so long, the counts are in doubt."""
NOTHING = (ArmCounts(), ArmCounts())


@dataclass(frozen=True)
class Timing:
    """How long data takes to be there, in seconds: embedded metrics, and AWS's own by the minute."""

    delay_seconds: float = 20.0
    minute_delay_seconds: float = 90.0


@dataclass(frozen=True)
class Mark:
    """How far an earlier observer came: the end of its last interval and of its last whole minute, since 1970."""

    judged_until: int
    minutes_until: int


class Intake:
    """Collects answers about one canary, beginning at `began` (seconds since 1970, a multiple of the interval).

    `after`: where an earlier observer ended, to go on from there.
    """

    def __init__(self, source: Source, began: int, timing: Timing, after: Mark | None = None) -> None:
        self.source = source
        self.began = began
        self.doubts: tuple[str, ...] = ()
        self._timing = timing
        self._known: dict[Metric, dict[int, float]] = {}
        self._next = after.judged_until if after is not None else began
        self._told: dict[tuple[str, int], tuple[ArmCounts, ArmCounts]] = {}
        self._minutes_from = after.minutes_until if after is not None else began // MINUTE * MINUTE
        self._minutes_until = self._minutes_from
        self._broken: tuple[str, ...] = ()

    def wanted(self, now: float) -> tuple[tuple[Metric, ...], int]:
        """What to ask for, and from when; nothing while no interval is over, AWS's minutes only when one is due."""
        behind = min(self._next, self._minutes_until, int(now)) - LATE_SECONDS
        first = not self._known and self._next == self.began
        start = (self.began - WARMUP_SECONDS if first else behind) // MINUTE * MINUTE
        if self._ends(self._next) > now:
            return (), start
        again = not self._known and not first  # what confirmed the last minutes is asked for once more
        slow = minute_metrics(self.source) if self._minute_due(now) or again else ()
        return (*fast_metrics(self.source), *slow), start

    def warmup(self) -> list[RecordedInterval]:
        """The stable arm before the canary, from the first interval in which it had requests."""
        found: list[RecordedInterval] = []
        for at in range(self.began - WARMUP_SECONDS, self.began, self.source.interval_seconds):
            stable = interval_counts(self._known, self.source, self.source.stable, at)
            if stable.requests or found:
                found.append(RecordedInterval(float(at - self.began), stable, None))
        return found

    def take(
        self,
        answers: MetricAnswers,
        now: float,
        weight: Callable[[float, float], float],
        read_log: Callable[[int, int], tuple[int, int]] | None = None,
    ) -> list[RecordedInterval]:
        """Add answers; returns the intervals that can be judged now, stamped with their ends.

        `weight` tells the canary's share (0-1) between two moments; the larger one when it changed in between.
        `read_log` counts the access log's 5xx of stable and canary between two moments; it is called once for a minute
        in which the API failed more often than the arms account for.
        """
        for metric, values in answers.values.items():
            self._known.setdefault(metric, {}).update(values)
        self._broken = tuple(sorted({f"{m.namespace} {m.name}: {why}" for m, why in answers.failed.items()}))
        if self._minute_due(now) and not any(metric.period == MINUTE for metric in answers.failed):
            fresh = range(self._minutes_until, self._last_minute(now), MINUTE)
            self._minutes_until = self._last_minute(now)
            if read_log is not None:
                self._attribute(fresh, read_log)
        self.doubts = self._doubts(now)
        late = self._late() if self._ends(self._next) <= now else NOTHING
        ready: list[RecordedInterval] = []
        while self._ends(self._next) <= now:
            counts = self._tell("interval", self._next)
            if not ready:
                counts = _plus(counts, late)
            end = self._next + self.source.interval_seconds
            share = weight(self._next, end)
            stable, canary = (replace(one, weight=share, complete=not self.doubts) for one in counts)
            ready.append(RecordedInterval(float(end - self.began), stable, canary))
            self._next = end
        return ready

    @property
    def mark(self) -> Mark:
        """How far this came."""
        return Mark(self._next, self._minutes_until)

    def next_look(self) -> float:
        """When the next interval can be judged, seconds since 1970."""
        return self._ends(self._next)

    def _ends(self, at: int) -> float:
        return at + self.source.interval_seconds + self._timing.delay_seconds

    def _last_minute(self, now: float) -> int:
        return int((now - self._timing.minute_delay_seconds) // MINUTE * MINUTE)

    def _minute_due(self, now: float) -> bool:
        return self._last_minute(now) > self._minutes_until

    def _attribute(self, minutes: range, read_log: Callable[[int, int], tuple[int, int]]) -> None:
        """Ask the access log whose the failures are that reached no function."""
        for minute in minutes:
            if is_stray(*stray_failures(self._known, self.source, (minute,))):
                counted = read_log(max(minute, self.began), minute + MINUTE)
                for canary, number in zip((False, True), counted, strict=True):
                    self._known.setdefault(logged_metric(canary=canary), {})[minute] = number

    def _doubts(self, now: float) -> tuple[str, ...]:
        whole = math.ceil(self.began / MINUTE) * MINUTE
        minutes = range(max(whole, self._minutes_until - COMPARED_MINUTES * MINUTE), self._minutes_until, MINUTE)
        if not minutes:
            return (*self._broken, "AWS's own counts of a whole minute are not there yet.")
        found = [*self._broken, *(one.sentence for one in disagreements(self._known, self.source, minutes))]
        if now - self._minutes_until > UNCONFIRMED_SECONDS:
            found.append(f"AWS's own counts are {now - self._minutes_until:.0f} s behind.")
        return tuple(found)

    def _tell(self, kind: str, at: int) -> tuple[ArmCounts, ArmCounts]:
        """Both arms' counts, and remember that they were told."""
        count = interval_counts if kind == "interval" else unseen
        stable, canary = (count(self._known, self.source, arm, at) for arm in self.source.arms)
        self._told[kind, at] = stable, canary
        return stable, canary

    def _late(self) -> tuple[ArmCounts, ArmCounts]:
        """What intervals that were judged, and AWS's minutes, hold more than was told."""
        late = NOTHING
        since = self._next - LATE_SECONDS - COMPARED_MINUTES * MINUTE
        keys = [key for key in self._told if key[1] >= since]
        minutes = range(self._minutes_from, self._minutes_until, MINUTE)
        keys += [("minute", at) for at in minutes if ("minute", at) not in self._told]
        for kind, at in keys:
            before = self._told.get((kind, at), NOTHING)
            late = _plus(late, _minus(self._tell(kind, at), before))
        return late


def _plus(one: tuple[ArmCounts, ArmCounts], other: tuple[ArmCounts, ArmCounts]) -> tuple[ArmCounts, ArmCounts]:
    return _combined(one, other, 1)


def _minus(one: tuple[ArmCounts, ArmCounts], other: tuple[ArmCounts, ArmCounts]) -> tuple[ArmCounts, ArmCounts]:
    return _combined(one, other, -1)


def _combined(
    one: tuple[ArmCounts, ArmCounts], other: tuple[ArmCounts, ArmCounts], sign: int
) -> tuple[ArmCounts, ArmCounts]:
    """Sum or difference, number by number, never below 0: CloudWatch may correct itself downwards."""

    def number(a: int, b: int) -> int:
        return max(0, a + sign * b)

    def arm(a: ArmCounts, b: ArmCounts) -> ArmCounts:
        return ArmCounts(
            requests=number(a.requests, b.requests),
            errors_4xx=number(a.errors_4xx, b.errors_4xx),
            errors_5xx=number(a.errors_5xx, b.errors_5xx),
            hist=tuple(number(x, y) for x, y in zip_longest(a.hist, b.hist, fillvalue=0)),
            counters={
                name: number(a.counters.get(name, 0), b.counters.get(name, 0))
                for name in sorted({*a.counters, *b.counters})
            },
        )

    return arm(one[0], other[0]), arm(one[1], other[1])
