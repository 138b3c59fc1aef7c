"""The judge: one value per interval, valid however often it is read."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from manuel_release.verdict.clock import Clock
from manuel_release.verdict.clustering import SplitRuns
from manuel_release.verdict.counts import ArmCounts, read
from manuel_release.verdict.evidence import Totals, Verdict, WorstCase
from manuel_release.verdict.exposure import worst_case
from manuel_release.verdict.findings import describe
from manuel_release.verdict.limits import LimitWatch
from manuel_release.verdict.routing import CanaryShare, SplitWatch
from manuel_release.verdict.ruling import Situation, rule
from manuel_release.verdict.settings import Routing, Settings
from manuel_release.verdict.signals import EventSignal, Interval, Kind
from manuel_release.verdict.slowness import LatencySignal

if TYPE_CHECKING:
    from manuel_release.verdict.counts import Arm
    from manuel_release.verdict.evidence import Breach

ALPHA_SHARES = {"5xx": 0.6, "latency": 0.3, "4xx": 0.1}
BUSINESS_SHARE = 0.15
"""Part of alpha that all business counters share when any is judged; the other signals are reduced in proportion."""
BUSINESS_REQUESTS = {"query_failures": "queries", "transcription_failures": "transcriptions"}
"""What a business counter is counted against; any other is counted against requests."""
MATERIAL_BUSINESS_PERCENT = 0.1
MOST_WEIGHT = 0.999


class Judge:
    """Judges a canary against the stable arm, interval by interval, over a whole release and all its steps.

    `alpha` bounds the probability that a canary that is not worse is ever rolled back, all signals, steps and looks
    together (default 1 %). The bound rests on the router's draw: each request (or, declared, each user) must be sent to
    an arm independently of its outcome. Use one judge for one release; feeding the recorded intervals again gives the
    same judge, so that only counts need to be stored.
    """

    def __init__(self, alpha: float = 0.01, settings: Settings | None = None) -> None:
        if not 0.0 < alpha < 1.0:
            message = f"alpha is not a probability between 0 and 1: {alpha!r}"
            raise ValueError(message)
        self.alpha = alpha
        self.settings = settings or Settings()
        kinds, latency_share = _kinds(self.settings)
        self._events = tuple(EventSignal(kind, alpha, self.settings.routing) for kind in kinds)
        self._latency = LatencySignal(latency_share, alpha, self.settings)
        self._runs = SplitRuns()
        self._clock = Clock()
        self._share = CanaryShare()
        self._split = SplitWatch()
        self._limits = LimitWatch(self.settings.limits, self.settings.edges_ms)
        self._stable = self._canary = Totals()
        self._at_weight = (0, 0)
        self._end = 0.0
        self._incomplete_until = -math.inf
        self._breaches: tuple[Breach, ...] = ()
        self._verdict: Verdict | None = None

    def warmup(self, t: float, stable: Arm | None) -> None:
        """Learn from an interval before the canary: what is slow, how many errors are usual, whether they come in runs.

        `t` is in seconds like update's, usually negative. Helps latency and *good*; the judge works without it. None is
        an interval without data. Raises ValueError like update.
        """
        self._clock.warmup(t)
        if stable is not None:
            self._learn(t, read(stable))

    def update(self, t: float, stable: Arm | None, canary: Arm | None) -> Verdict:
        """Judge one interval of both arms.

        `t` is in seconds since the canary started: the interval's end, or its beginning if the first `t` is 0. None
        for an arm, or `complete = False` on it, says that its counts are missing or in doubt: nothing is called good
        for the next `stale_seconds`. Raises ValueError for impossible counts, a change of the latency buckets, or time
        running backwards.
        """
        start, self._end = self._clock.interval(t)
        if stable is None or canary is None:
            self._incomplete_until = self._end + self.settings.stale_seconds
        else:
            self._judge(start, read(stable), read(canary, weighted=True))
        self._verdict = rule(self._situation(), self._verdict)
        return self._verdict

    @property
    def verdict(self) -> Verdict | None:
        """The last answer; None before the first interval. Reading changes nothing."""
        return self._verdict

    def worst_case(self, next_weight: float, seconds: float = 600.0) -> WorstCase:
        """What `seconds` at `next_weight` (0-1) cost at most in 5xx, if the canary is as bad as it could still be."""
        total = sum(self._at_weight) / max(1.0, self._end - self._share.changed_at)
        return worst_case(self._canary.errors_5xx, self._canary.requests, total, next_weight, seconds)

    def _judge(self, start: float, stable: ArmCounts, canary: ArmCounts) -> None:
        if not (stable.complete and canary.complete):
            self._incomplete_until = self._end + self.settings.stale_seconds
        weight_before = self._share.weight
        share = self._share.update(start, canary.weight, canary.requests, stable.requests)
        if canary.weight != weight_before:
            self._at_weight = (0, 0)
            self._split = SplitWatch()
            self._runs.restart()
            if canary.weight > weight_before:
                for proof in (*(signal.proof for signal in self._events), self._latency.proof):
                    if proof:
                        proof.weight_raised()
        interval = Interval(
            start=start,
            end=self._end,
            share=share,
            betting=0.0 < canary.weight < MOST_WEIGHT,
            settled=start >= self._share.settled_after,
            grace=start < self.settings.start_grace_seconds
            or start < self._share.raised_at + self.settings.step_grace_seconds
            or self._at_weight[1] < self.settings.grace_requests,
            split_phi=1.0 if self.settings.routing is Routing.PER_REQUEST else self._runs.phi,
            stable=stable,
            canary=canary,
        )
        for signal in self._events:
            signal.update(interval)
        declared = self.settings.routing is Routing.PER_USER
        self._latency.update(interval, self._events[0].phi if declared else interval.split_phi)
        if interval.betting and interval.settled:
            self._split.update(canary.weight, canary.requests, stable.requests, interval.split_phi)
            self._runs.update(canary.requests, stable.requests)
        self._breaches = self._limits.update(start, stable, canary, share[1])
        self._learn(start, stable)
        self._stable = _sum(self._stable, stable)
        self._canary = _sum(self._canary, canary)
        self._at_weight = (self._at_weight[0] + stable.requests, self._at_weight[1] + canary.requests)

    def _learn(self, start: float, stable: ArmCounts) -> None:
        for signal in self._events:
            signal.learn(start, stable)
        self._latency.learn(stable)

    def _situation(self) -> Situation:
        weight = self._share.weight
        elapsed = max(1.0, self._end - self._share.changed_at)
        target = math.log(1.0 / self.settings.promote_alpha)
        per_canary = (1.0 - weight) / weight if 0.0 < weight < 1.0 else None
        first, *rest = (describe(signal.facts(), target, per_canary) for signal in self._events)
        return Situation(
            t=self._end,
            weight=weight,
            signals=(first, describe(self._latency.facts(), target, per_canary), *rest),
            breaches=self._breaches,
            split=self._split.finding(weight, *self._at_weight),
            canary_per_second=self._at_weight[1] / elapsed,
            incomplete=self._end <= self._incomplete_until,
            mode=self.settings.limits,
            alpha=self.alpha,
            stable=self._stable,
            canary=self._canary,
        )


def _kinds(settings: Settings) -> tuple[list[Kind], float]:
    """The kinds of bad events to judge, and latency's share of alpha."""
    core = 1.0 - BUSINESS_SHARE if settings.business else 1.0
    kinds = [
        Kind(
            "5xx",
            core * ALPHA_SHARES["5xx"],
            lambda arm: (arm.errors_5xx, arm.requests),
            settings.material_5xx_percent,
            settings.margin_5xx_percent,
        ),
        Kind(
            "4xx",
            core * ALPHA_SHARES["4xx"],
            lambda arm: (arm.errors_4xx, arm.requests),
            settings.material_4xx_percent,
            settings.margin_4xx_percent,
        ),
    ]
    share = BUSINESS_SHARE / max(1, len(settings.business))
    kinds += [Kind(name, share, partial(_counted, name), MATERIAL_BUSINESS_PERCENT) for name in settings.business]
    return kinds, core * ALPHA_SHARES["latency"]


def _counted(name: str, arm: ArmCounts) -> tuple[int, int] | None:
    events = arm.counters.get(name)
    total = arm.counters.get(BUSINESS_REQUESTS[name]) if name in BUSINESS_REQUESTS else arm.requests
    return None if events is None or total is None else (events, max(events, total))


def _sum(totals: Totals, arm: ArmCounts) -> Totals:
    return Totals(
        totals.requests + arm.requests, totals.errors_4xx + arm.errors_4xx, totals.errors_5xx + arm.errors_5xx
    )
