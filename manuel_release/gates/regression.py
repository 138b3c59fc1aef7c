"""Whether a release is slower than the one before it, with an interval instead of a single number.

The interval of a quantile is that of order statistics, which needs no distribution (Conover, Practical Nonparametric
Statistics, section 3.2); two of them are joined into an interval of the ratio on the logarithmic scale by the method of
variance estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008). Requests of one run are taken as
independent; what differs from run to run (a busy hour) is not in the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERATED = 1.10  # the specification: no regression above 10 %
CONFIDENCE = 0.95


class Judgement(Enum):
    """What an interval says about a regression."""

    FINE = "fine"
    REGRESSION = "regression"
    UNSURE = "cannot tell"


@dataclass(frozen=True)
class Comparison:
    """One quantile now against before.

    quantile: 0 to 1. ratio, low, high: now divided by before, and its interval. missing: requests of each run that are
    still needed to decide, 0 when it is decided; None when there are too few to estimate it.
    """

    quantile: float
    ratio: float
    low: float
    high: float
    judgement: Judgement
    missing: int | None = 0


def interval(latencies: Sequence[float], quantile: float, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The interval of a quantile (0 to 1) of positive latencies; None when there are too few for its upper end."""
    ordered, count = sorted(latencies), len(latencies)
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(count * quantile * (1 - quantile))
    low, high = math.floor(count * quantile - reach), math.ceil(count * quantile + reach)
    if low < 1 or high >= count:
        return None
    return ordered[low - 1], ordered[high]


def compare(
    now: Sequence[float], before: Sequence[float], quantile: float, confidence: float = CONFIDENCE
) -> Comparison:
    """Compare a quantile of two runs' latencies, all positive and in the same unit."""
    ends, ends_before = interval(now, quantile, confidence), interval(before, quantile, confidence)
    if ends is None or ends_before is None:
        return Comparison(quantile, math.nan, 0.0, math.inf, Judgement.UNSURE, None)
    middle, earlier = _quantile(now, quantile), _quantile(before, quantile)
    ratio = math.log(middle / earlier)
    down = math.hypot(math.log(middle / ends[0]), math.log(ends_before[1] / earlier))
    up = math.hypot(math.log(ends[1] / middle), math.log(earlier / ends_before[0]))
    low, high = math.exp(ratio - down), math.exp(ratio + up)
    if low > TOLERATED:
        return Comparison(quantile, math.exp(ratio), low, high, Judgement.REGRESSION)
    if high <= TOLERATED:
        return Comparison(quantile, math.exp(ratio), low, high, Judgement.FINE)
    missing = _missing(ratio, down, up, min(len(now), len(before)))
    return Comparison(quantile, math.exp(ratio), low, high, Judgement.UNSURE, missing)


def _quantile(latencies: Sequence[float], quantile: float) -> float:
    ordered = sorted(latencies)
    return ordered[max(0, math.ceil(len(ordered) * quantile) - 1)]


def _missing(ratio: float, down: float, up: float, count: int) -> int | None:
    """An interval shrinks with the square root of the number; None when the ratio is the limit itself."""
    distance = math.log(TOLERATED) - ratio
    if not distance:
        return None
    reach = up if distance > 0 else down
    return max(1, math.ceil(count * (reach / distance) ** 2) - count)
