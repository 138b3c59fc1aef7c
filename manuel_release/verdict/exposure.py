"""What the next step may cost: an upper bound on the canary's failure rate that stays true however often it is read."""

from __future__ import annotations

import math

from manuel_release.verdict import wording
from manuel_release.verdict.evidence import WorstCase

RISK = 0.025
"""For the rate and for the count each; together the bound holds with 95 % confidence."""
PRIOR = 0.5


def log_mixture(events: int, others: int, a: float, b: float) -> float:
    """Log probability of one particular order of these outcomes when the rate is drawn from Beta(a, b).

    Over the probability at a fixed rate it is a two-sided e-value for that rate (Lindon & Malek, arXiv 2011.03567).
    """
    mixed = math.lgamma(events + a) + math.lgamma(others + b) - math.lgamma(events + others + a + b)
    return mixed + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)


def upper_rate(events: int, requests: int, risk: float = RISK) -> float:
    """Upper confidence bound (0-1) on an event rate, valid at all times together with probability 1 - `risk`.

    By Ville's inequality the rates that the mixture outdoes 1/risk times are excluded (Robbins; arXiv 2210.01948).
    """
    if not requests:
        return 1.0
    others = requests - events
    mixed = log_mixture(events, others, PRIOR, PRIOR)
    low, high = events / requests, 1.0
    for _ in range(60):
        p = (low + high) / 2.0
        log = events * math.log(p) + others * math.log1p(-p) if p < 1.0 else -math.inf
        if mixed - log < -math.log(risk):
            low = p
        else:
            high = p
    return high


def poisson_upper(mean: float, risk: float = RISK) -> int:
    """A count that a Poisson variable of this mean exceeds with probability at most `risk` (beyond 500: 2.5 %)."""
    if mean > 500.0:
        return math.ceil(mean + 2.0 * math.sqrt(mean) + 2.0)
    term = total = math.exp(-mean)
    k = 0
    while total < 1.0 - risk:
        k += 1
        term *= mean / k
        total += term
    return k


def worst_case(
    failures: int, requests: int, requests_per_second: float, next_weight: float, seconds: float = 600.0
) -> WorstCase:
    """Bound the failed requests of `seconds` at `next_weight` (0-1), given the canary's counts so far.

    `requests_per_second` is the traffic of both arms together and is taken to stay as it is. The bound holds for the
    canary as it has been until now: it cannot know of a fault that begins later.
    """
    rate = upper_rate(failures, requests)
    served = requests_per_second * seconds * next_weight
    failed = min(math.ceil(served), poisson_upper(served * rate))
    percent = 100.0 * next_weight
    sentence = (
        f"If the canary is as bad as it could still be ({wording.percent(100.0 * rate)} failures), "
        f"{percent:.0f} % of traffic costs at most {wording.count(failed)} failed requests "
        f"in {wording.duration(seconds)}."
    )
    return WorstCase(percent, seconds, 100.0 * rate, failed, 100.0 * (1.0 - 2.0 * RISK), sentence)
