"""Betting that slow requests carry the canary's label more often than its share of requests says.

The stable arm's past latencies say which buckets are slow; ten alternatives say how a slower canary would look (shifted
by d normal quantiles, or with a heavier tail). Each is a density ratio r with mean 1 under the past, so

    product over buckets of  r^canary / (1 - rho + rho r)^(canary + stable)

has mean at most 1 when labels are drawn independently of latencies, and also, by the weighted inequality of arithmetic
and geometric means, for latencies from any common distribution (Turner, Ly & Grunwald, arXiv 2106.02693). The past only
chooses the bets; it may be wrong without making the judgement wrong.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from manuel_release.verdict.promotion import root
from manuel_release.verdict.wealth import Wealth

if TYPE_CHECKING:
    from collections.abc import Sequence

SHIFTS = (0.1, 0.2, 0.4, 0.8, 1.6)
TAILS = ((0.95, 0.03), (0.95, 0.10), (0.95, 0.30), (0.99, 0.03), (0.99, 0.10))
PRIOR = (1.2,) * len(SHIFTS) + (0.5,) * len(TAILS)
GRACE_BET = SHIFTS.index(1.6)
"""The stake that is at work while cold starts are expected."""
WARM_SHARE = 0.65
FAST_LEFT = (0.05, 0.3)
"""How many of the fast requests a slower canary still has, against the stable arm."""
HALF_LIFE_INTERVALS = 60
LEAST_PAST = 20
RENEW_INTERVALS = 12
RENEW_GROWTH = 1.1
_quantile = NormalDist().inv_cdf


class LatencyPast:
    """The stable arm's past latency histogram, halved every 60 intervals."""

    __slots__ = ("_learned", "counts", "total")

    def __init__(self) -> None:
        self.counts: list[float] = []
        self.total = 0.0
        self._learned = 0

    def learn(self, hist: Sequence[int]) -> None:
        """Add one interval of the stable arm; raises ValueError when the buckets differ from earlier ones."""
        if not hist:
            return
        self.require_same_buckets(hist)
        if not self.counts:
            self.counts = [0.0] * len(hist)
        self._learned += 1
        if self._learned % HALF_LIFE_INTERVALS == 0:
            self.counts = [count / 2.0 for count in self.counts]
        self.counts = [count + new for count, new in zip(self.counts, hist, strict=True)]
        self.total = sum(self.counts)

    def require_same_buckets(self, hist: Sequence[int]) -> None:
        """Raise ValueError when `hist` has another number of buckets than the past."""
        if self.counts and hist and len(hist) != len(self.counts):
            message = f"the latency buckets changed: {len(self.counts)} before, {len(hist)} now"
            raise ValueError(message)

    def quantile_bucket(self, share: float) -> int:
        """Number of the first bucket at whose upper edge at least `share` (0-1) of past requests had ended."""
        bucket, reached = 0, self.counts[0]
        while reached < share * self.total:
            bucket += 1
            reached += self.counts[bucket]
        return bucket


def density_ratios(past: Sequence[float]) -> list[list[float]]:
    """The ten alternatives' density ratio for each bucket, given the stable arm's past counts."""
    total = sum(past)
    shares = [count / total for count in past]
    reached: list[float] = []
    normal: list[float] = []
    cumulative = 0.0
    for count in past:
        normal.append(_quantile((cumulative + count / 2.0 + 0.5) / (total + 1.0)))
        cumulative += count
        reached.append(cumulative / total)
    ratios: list[list[float]] = []
    for shift in SHIFTS:
        raw = [math.exp(shift * z) for z in normal]
        mean = sum(share * value for share, value in zip(shares, raw, strict=True))
        ratios.append([value / mean for value in raw])
    for quantile, extra in TAILS:
        beyond = [
            min(1.0, max(0.0, (upto - quantile) / share)) if share > 0.0 else float(upto > quantile)
            for upto, share in zip(reached, shares, strict=True)
        ]
        ratios.append([(1.0 - extra) + extra / (1.0 - quantile) * part for part in beyond])
    return ratios


class LatencyProcess:
    """The e-process of latency; compare `value` with 1 / (its share of alpha)."""

    __slots__ = ("_age", "_bets", "_past_total", "wealth")

    def __init__(self) -> None:
        self.wealth = Wealth(PRIOR)
        self._bets: list[tuple[list[float], list[float]]] = []
        self._past_total = 0.0
        self._age = 0

    @property
    def value(self) -> float:
        """The e-value now."""
        return self.wealth.value

    def update(
        self,
        canary: Sequence[int],
        stable: Sequence[int],
        share: tuple[float, float],
        past: LatencyPast,
        *,
        grace: bool = False,
        phi: float = 1.0,
    ) -> None:
        """Bet on one interval's histograms (counts); the canary's share of requests lies within `share` (0-1).

        `grace` lets only the bet on missing fast requests through. `phi` above 1 weakens the bets as for events.
        """
        if past.total < LEAST_PAST:
            return
        self._renew(past)
        seen = [(b, c, c + s) for b, (c, s) in enumerate(zip(canary, stable, strict=True)) if c or s]
        if not seen:
            return
        low, high = share
        if grace:
            factors = [0.0] * len(self._bets)
            factors[GRACE_BET] = missing_fast(canary, stable, past)
        else:
            factors = [self._factor(logs, odds, seen, low, high) for logs, odds in self._bets]
        self.wealth.stake()
        self.wealth.settle(factors, 1.0 / max(phi, 1.0))

    @staticmethod
    def _factor(
        logs: list[float], odds: list[float], seen: list[tuple[int, int, int]], low: float, high: float
    ) -> float:
        log, log1p = 0.0, math.log1p
        for b, canary, both in seen:
            gain = odds[b]
            log += canary * logs[b] - both * log1p((high if gain > 0.0 else low) * gain)
        return log

    def _renew(self, past: LatencyPast) -> None:
        self._age += 1
        if self._bets and self._age < RENEW_INTERVALS and past.total <= RENEW_GROWTH * self._past_total:
            return
        self._age = 0
        self._past_total = past.total
        self._bets = [
            ([math.log(ratio) for ratio in ratios], [ratio - 1.0 for ratio in ratios])
            for ratios in density_ratios(past.counts)
        ]


def missing_fast(canary: Sequence[int], stable: Sequence[int], past: LatencyPast) -> float:
    """Log e-value against "at least 65 % as many of the canary's requests are fast as of the stable arm's".

    Cold starts make some requests slow and leave the others as they were; a regression slows nearly all of them. So
    while cold starts are expected only the lack of fast requests counts, and up to 35 % of the canary's requests may be
    as slow as they like. Fast is faster than the stable arm's past median.
    """
    bucket = past.quantile_bucket(0.5)
    theta = sum(past.counts[: bucket + 1]) / (past.total + 1.0)
    fast, total = sum(canary[: bucket + 1]), sum(canary)
    fast_stable, total_stable = sum(stable[: bucket + 1]), sum(stable)
    if not total or not total_stable:
        return 0.0
    means = []
    for left in FAST_LEFT:
        alternative = left * theta
        t = closest_ratio_null(theta, alternative, WARM_SHARE, total, total_stable)
        log = fast * math.log(alternative / (WARM_SHARE * t))
        log += (total - fast) * math.log((1.0 - alternative) / (1.0 - WARM_SHARE * t))
        log += fast_stable * math.log(theta / t) + (total_stable - fast_stable) * math.log((1.0 - theta) / (1.0 - t))
        means.append(log)
    best = max(means)
    return best + math.log(sum(math.exp(log - best) for log in means) / len(means))


def closest_ratio_null(theta: float, alternative: float, ratio: float, canary: float, stable: float) -> float:
    """The stable rate t such that (t, ratio t) is closest in relative entropy to (theta, alternative) (rates 0-1)."""

    def slope(t: float) -> tuple[float, float]:
        u = ratio * t
        v, w = t * (1.0 - t), u * (1.0 - u)
        first, second = stable * (t - theta) / v, ratio * canary * (u - alternative) / w
        bend = (stable - first * (1.0 - 2.0 * t)) / v + ratio * (ratio * canary - second * (1.0 - 2.0 * u)) / w
        return first + second, bend

    return root(slope, alternative / ratio, theta)
