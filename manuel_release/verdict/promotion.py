"""Betting against "the canary is worse by the margin or more", so that *good* is proven and not merely not disproven.

Null hypothesis: canary rate >= stable rate + margin. The bet is on both arms having the rate `theta` learned from the
stable arm's past; (t, t + margin) is the closest point of the null to (theta, theta) in relative entropy, which makes
the likelihood ratio an e-variable for the whole convex null (Turner & Grunwald, arXiv 2203.09785).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def closest_null(theta: float, margin: float, canary: float, stable: float) -> float:
    """The stable rate t of the null point (t, t + margin) closest to (theta, theta) (rates 0-1).

    `canary` and `stable` are the requests of the interval; only their ratio matters. Without stable requests nothing
    holds t down, and it is theta - margin or 0.
    """
    if stable <= 0:
        return max(0.0, theta - margin)

    def slope(t: float) -> tuple[float, float]:
        u = t + margin
        v, w = t * (1.0 - t), u * (1.0 - u)
        first, second = stable * (t - theta) / v, canary * (u - theta) / w
        bend = (stable - first * (1.0 - 2.0 * t)) / v + (canary - second * (1.0 - 2.0 * u)) / w
        return first + second, bend

    return root(slope, 0.0, theta)


def root(slope: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """Where an increasing function between `low` and `high` is zero; `slope` gives its value and its derivative.

    Newton's steps, halving the bracket instead where one would leave it, until neighbouring floats are reached.
    """
    t = (low + high) / 2.0
    while low < t < high:
        value, bend = slope(t)
        if value < 0.0:
            low = t
        else:
            high = t
        step = t - value / bend if bend > 0.0 else low
        if abs(step - t) <= 1e-16 * t:
            return t
        t = step if low < step < high else (low + high) / 2.0
    return t


def _divergence(p: float, q: float) -> float:
    return p * math.log(p / q) + (1.0 - p) * math.log((1.0 - p) / (1.0 - q))


class NonInferiority:
    """The e-process of one kind of event against "worse by `margin` (0-1) or more"."""

    __slots__ = ("_log_e_at_raise", "_past_events", "_past_requests", "log_e", "margin")

    def __init__(self, margin: float) -> None:
        self.margin = margin
        self.log_e = 0.0
        self._log_e_at_raise = 0.0
        self._past_events = 0.0
        self._past_requests = 0.0

    @property
    def theta(self) -> float:
        """The rate learned from the stable arm's past (0-1)."""
        return min(0.9, (self._past_events + 0.05) / (self._past_requests + 1.0))

    def learn(self, events: float, requests: float) -> None:
        """Add one interval of the stable arm's counts, after the bet on it."""
        self._past_events += events
        self._past_requests += requests

    def know(self, events: float, requests: float) -> None:
        """Replace the past by these counts (for events whose definition moves with the past)."""
        self._past_events, self._past_requests = events, requests

    def update(self, canary_events: int, canary: int, stable_events: int, stable: int) -> float:
        """Bet on one interval's counts; returns t. Without canary requests the bet neither gains nor loses."""
        theta = self.theta
        t = closest_null(theta, self.margin, canary, stable)
        u = t + self.margin
        gain = canary_events * math.log(theta / u)
        gain += (canary - canary_events) * math.log((1.0 - theta) / (1.0 - u))
        if stable:
            gain += stable_events * math.log(theta / t) + (stable - stable_events) * math.log((1.0 - theta) / (1.0 - t))
        self.log_e += gain
        return t

    def weight_raised(self) -> None:
        """From now on *good* must be shown again, at the new weight, on top of what was shown before."""
        self._log_e_at_raise = self.log_e

    @property
    def shown(self) -> float:
        """The smaller of log e of the whole release and of its part at the present weight."""
        return min(self.log_e, self.log_e - self._log_e_at_raise)

    def missing_requests(self, target: float, stable_per_canary: float) -> int:
        """Canary requests until `shown` reaches `target` on average, if both arms have the past rate from now on.

        `stable_per_canary`, above 0, is the number of the stable arm's requests for each of the canary's.
        """
        theta = self.theta
        t = closest_null(theta, self.margin, 1.0, stable_per_canary)
        growth = _divergence(theta, t + self.margin) + stable_per_canary * _divergence(theta, t)
        return max(0, math.ceil((target - self.shown) / growth))
