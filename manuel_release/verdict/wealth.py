"""Betting that bad events carry the canary's label more often than the routing weight says.

Null hypothesis: given the bad events of an interval, each is the canary's with probability `rho` or less, whatever the
error rate is at that moment. A bet on a rate ratio h multiplies its stake by the likelihood ratio of
Binomial(events, rho h / (1 - rho + rho h)) to Binomial(events, rho). Stakes are spread over ratios (Robbins; Johari et
al., arXiv 1512.04922; Lindon & Malek, arXiv 2011.03567) and over starting times (as in the e-detectors of Shin, Ramdas
& Rinaldo, arXiv 2203.03532). The sum is a non-negative martingale with mean 1, so by Ville's inequality it ever reaches
1/a with probability at most a: looking at it as often as one likes costs nothing (arXiv 2210.01948).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIOS = (1.3, 2.0, 4.0, 10.0, 40.0, math.inf)
RATIO_PRIOR = (0.7, 1.0, 1.0, 1.0, 1.0, 1.0)
FIRST_STAKE = 0.8
STAKE_HAZARD = 0.03
MOST = 1e150
"""Stakes stop growing here, far above any threshold, so that products cannot overflow."""
MOST_BOOST = 64.0


class Wealth:
    """Stakes on several alternatives plus cash that is not yet staked; `value` starts at 1."""

    __slots__ = ("_prior", "_rounds", "cash", "stakes")

    def __init__(self, prior: Sequence[float]) -> None:
        total = sum(prior)
        self._prior = tuple(p / total for p in prior)
        self.stakes = [FIRST_STAKE * p for p in self._prior]
        self.cash = 1.0 - FIRST_STAKE
        self._rounds = 0

    @property
    def value(self) -> float:
        """The e-value now."""
        return self.cash + sum(self.stakes)

    def stake(self) -> None:
        """Move a little cash onto the alternatives: a bet that the change begins now.

        After 33 rounds the hazard falls as 1/round, so that a release observed for an hour still has cash to bet
        with: a change at round n costs about ln(n) instead of 0.03 n.
        """
        self._rounds += 1
        moved = self.cash * min(STAKE_HAZARD, 1.0 / self._rounds)
        self.cash -= moved
        self.stakes = [stake + moved * p for stake, p in zip(self.stakes, self._prior, strict=True)]

    def settle(self, log_factors: Sequence[float], power: float = 1.0) -> None:
        """Multiply each stake by exp(power * log factor); a power in (0, 1] keeps the mean at most 1 (Jensen)."""
        self.stakes = [
            min(MOST, stake * math.exp(min(345.0, power * log_factor)))
            for stake, log_factor in zip(self.stakes, log_factors, strict=True)
        ]

    def scale(self, factor: float) -> None:
        """Multiply everything by `factor`."""
        self.stakes = [min(MOST, stake * factor) for stake in self.stakes]
        self.cash *= factor


def log_factors(canary: int, stable: int, rho: float) -> list[float]:
    """Logarithms of the likelihood ratios of RATIOS for `canary` + `stable` bad events (counts) at `rho` (0-1)."""
    events = canary + stable
    logs = [canary * math.log(h) - events * math.log(1.0 - rho + rho * h) for h in RATIOS[:-1]]
    logs.append(-math.inf if stable else -canary * math.log(rho))
    return logs


class EventProcess:
    """The e-process of one kind of bad event, boosted against its own threshold `cap`."""

    __slots__ = ("cap", "wealth")

    def __init__(self, cap: float) -> None:
        self.cap = cap
        self.wealth = Wealth(RATIO_PRIOR)

    @property
    def value(self) -> float:
        """The e-value now."""
        return self.wealth.value

    def update(self, canary: int, stable: int, rho: float, phi: float = 1.0) -> None:
        """Bet on one interval's bad events (counts); an interval without any changes nothing.

        `phi` is the largest number of bad events that one user is thought to cause; above 1 the likelihood ratio is
        raised to 1/phi and nothing is boosted.
        """
        events = canary + stable
        if not events:
            return
        before = self.wealth.value
        self.wealth.stake()
        factor = 1.0
        if phi <= 1.0 and before < self.cap:
            factor = boost(self.wealth, events, rho, self.cap, before)
        self.wealth.settle(log_factors(canary, stable, rho), 1.0 / max(phi, 1.0))
        if factor > 1.0:
            self.wealth.scale(factor)


def boost(wealth: Wealth, events: int, rho: float, cap: float, before: float) -> float:
    """The largest b in [1, 64] such that E[min(b V, cap)] <= `before`, V the wealth after this interval.

    What a bet wins beyond the stopping line is worth nothing, so it is spread over the outcomes below the line
    (Fischer & Ramdas, arXiv 2410.16076). V grows with the number of canary labels and E[min(b V, cap)] is piecewise
    linear in b, so b is found exactly in one walk down from the outcomes that reach the line. The labels of the
    interval are not looked at. min(E, cap) stays a supermartingale; E itself may only be compared with `cap`.
    """
    spread = 8.0 * math.sqrt(events * rho * (1.0 - rho)) + 12.0
    first = max(0, int(events * rho - spread))
    last = min(events, int(events * rho + spread))
    chance = _binomial(first, events, rho)
    odds = rho / (1.0 - rho)
    terms = [
        min(MOST, stake * math.exp(min(345.0, first * math.log(h) - events * math.log(1.0 - rho + rho * h))))
        for stake, h in zip(wealth.stakes, RATIOS[:-1], strict=False)
    ]
    all_canary = wealth.stakes[-1] * math.exp(min(345.0, -events * math.log(rho)))
    chances: list[float] = []
    values: list[float] = []
    for k in range(first, last + 1):
        value = wealth.cash + sum(terms) + (all_canary if k == events else 0.0)
        if value >= cap:
            break
        chances.append(chance)
        values.append(value)
        chance *= odds * (events - k) / (k + 1.0)
        terms = [term * h for term, h in zip(terms, RATIOS[:-1], strict=False)]
    below = math.fsum(chances)
    sums = math.fsum(c * v for c, v in zip(chances, values, strict=True))
    while values and sums > 0.0:
        factor = (before - cap * (1.0 - below)) / sums
        if factor * values[-1] <= cap:
            return min(MOST_BOOST, max(1.0, factor))
        below -= chances.pop()
        sums = math.fsum(c * v for c, v in zip(chances, values[:-1], strict=True))
        values.pop()
    return 1.0


def _binomial(k: int, n: int, p: float) -> float:
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
    return math.exp(log)
