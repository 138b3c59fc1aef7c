"""Whether a release is slower than the one before it, with an interval instead of a single number.

The interval of a quantile is that of order statistics, which needs no distribution (Conover, Practical Nonparametric
Statistics, section 3.2); two of them are joined into an interval of the ratio on the logarithmic scale by the method of
variance estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008). A stall slows neighbours together, so
that requests say less than their number: the interval grows with the variance between batches of consecutive requests,
as for a sample of clusters (Kish, Survey Sampling, section 5.4). What makes whole runs differ (a busy hour) is
`spread`, which widens the interval and which the runs of earlier releases tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import NormalDist, mean, median, variance
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERATED = 1.10  # the specification: no regression above 10 %
CONFIDENCE = 0.95
BATCHES = 5  # fewer do not tell how much they differ
ASSUMED_SPREAD = 0.03  # standard deviation of a quantile's logarithm from run to run, until earlier runs tell
ASSUMED_RUNS = 3  # how many measured differences that assumption weighs as much as


class Judgement(Enum):
    """What an interval says about a regression."""

    FINE = "fine"
    REGRESSION = "regression"
    UNSURE = "cannot tell"


@dataclass(frozen=True)
class Comparison:
    """One quantile now against before.

    quantile: 0 to 1. ratio, low, high: now divided by before, and its interval. missing: requests of each run that are
    still needed to decide, 0 when it is decided; None when there are too few to estimate it, or when no number of
    requests would decide because runs differ too much.
    """

    quantile: float
    ratio: float
    low: float
    high: float
    judgement: Judgement
    missing: int | None = 0


def interval(latencies: Sequence[float], quantile: float, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The interval of a quantile (0 to 1) of positive latencies; None when they say too little for its upper end.

    latencies: in the order in which they were measured.
    """
    ordered, count = sorted(latencies), len(latencies)
    effect = clustering(latencies, quantile)
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(effect * count * quantile * (1 - quantile))
    low, high = math.floor(count * quantile - reach), math.ceil(count * quantile + reach)
    if low < 1 or high >= count:
        return None
    return ordered[low - 1], ordered[high]


def clustering(latencies: Sequence[float], quantile: float) -> float:
    """How many requests, at least 1, say as much as one independent one: those from a quantile on may come together.

    Compares batches of consecutive requests, about as many as each holds. 1 where there are fewer than BATCHES, and
    where chance explains how the batches differ (95 %, by the normal approximation of a variance).
    """
    size = math.isqrt(len(latencies))
    if size < BATCHES:
        return 1.0
    middle = at(latencies, quantile)
    starts = range(0, len(latencies) - size + 1, size)
    shares = [sum(one >= middle for one in latencies[start : start + size]) / size for start in starts]
    share = mean(shares)
    if not 0 < share < 1:
        return 1.0
    effect = variance(shares) * size / (share * (1 - share))
    chance = 1 + NormalDist().inv_cdf(0.95) * math.sqrt(2 / (len(shares) - 1))
    return effect if effect > chance else 1.0


def run_to_run(quantiles: Sequence[float]) -> float:
    """How much one quantile differs between runs that did the same: the standard deviation of its logarithm.

    quantiles: of earlier accepted runs, oldest first, positive, in one unit. The median of their differences, so that
    a release that really became faster does not count as noise; few runs are shrunk towards ASSUMED_SPREAD.
    """
    scale = NormalDist().inv_cdf(0.75) * math.sqrt(2)  # median distance of two draws with standard deviation 1
    steps = [abs(math.log(after / before)) for before, after in pairwise(quantiles)]
    return median([scale * ASSUMED_SPREAD] * ASSUMED_RUNS + steps) / scale


def compare(
    now: Sequence[float],
    before: Sequence[float],
    quantile: float,
    confidence: float = CONFIDENCE,
    *,
    spread: float = 0.0,
) -> Comparison:
    """Compare a quantile of two runs' latencies, all positive, in the same unit and in the order of measurement.

    spread: see `run_to_run`.
    """
    ends, ends_before = interval(now, quantile, confidence), interval(before, quantile, confidence)
    if ends is None or ends_before is None:
        return Comparison(quantile, math.nan, 0.0, math.inf, Judgement.UNSURE, None)
    middle, earlier = at(now, quantile), at(before, quantile)
    ratio = math.log(middle / earlier)
    down = math.hypot(math.log(middle / ends[0]), math.log(ends_before[1] / earlier))
    up = math.hypot(math.log(ends[1] / middle), math.log(earlier / ends_before[0]))
    between = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(2) * spread
    low, high = math.exp(ratio - math.hypot(down, between)), math.exp(ratio + math.hypot(up, between))
    if low > TOLERATED:
        return Comparison(quantile, math.exp(ratio), low, high, Judgement.REGRESSION)
    if high <= TOLERATED:
        return Comparison(quantile, math.exp(ratio), low, high, Judgement.FINE)
    missing = _missing(math.log(TOLERATED) - ratio, down, up, between, min(len(now), len(before)))
    return Comparison(quantile, math.exp(ratio), low, high, Judgement.UNSURE, missing)


def at(latencies: Sequence[float], quantile: float) -> float:
    """The nearest-rank quantile (0 to 1) of at least one latency."""
    ordered = sorted(latencies)
    return ordered[max(0, math.ceil(len(ordered) * quantile) - 1)]


def _missing(distance: float, down: float, up: float, between: float, count: int) -> int | None:
    """What comes from requests shrinks with the square root of their number; what comes from runs does not."""
    decidable = distance**2 - between**2
    if decidable <= 0:
        return None
    reach = up if distance > 0 else down
    return max(1, math.ceil(count * reach**2 / decidable) - count)
