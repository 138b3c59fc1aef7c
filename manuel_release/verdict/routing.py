"""Which share of requests is the canary's, and whether the router does what it was told."""

from __future__ import annotations

import math
from collections import deque

from manuel_release.verdict import wording
from manuel_release.verdict.evidence import Split
from manuel_release.verdict.wealth import Wealth

SHARE_WINDOW_SECONDS = 60.0
WEIGHT_WORTH = 200.0
"""The configured weight counts like this many observed requests."""
MOST_SHARE = 0.999
SETTLE_SECONDS = 30.0
"""A router keeps sending by the old weight for a while; nothing is concluded from the split during this time."""
DROP = 0.8
EXCESS = 1.25
SPLIT_ALPHA = 0.01
"""Probability of ever asking a person to look at a split that is within these bounds."""
_FACTORS = (0.95, 0.85, 0.6, 0.2)
_PRIOR = (1.0, 1.0, 1.0, 1.0)


class CanaryShare:
    """Bounds on the probability that a request is the canary's, from what was set and what was seen.

    A weighted alias is "a simple probabilistic model" whose realised share varies much at low traffic (AWS Lambda
    guide, weighted aliases), so the weight counts like 200 requests; at high traffic the real split counts, both of the
    last minute and since the weight was set. For bad events the upper bound is the safe one. For latency both are
    needed: with too large a share the canary seems to lack fast requests.
    """

    __slots__ = ("_falling_from", "_here", "_window", "changed_at", "raised_at", "weight")

    def __init__(self) -> None:
        self.weight = 0.0
        self.changed_at = 0.0
        self.raised_at = -math.inf
        self._falling_from = 0.0
        self._window: deque[tuple[float, int, int]] = deque()
        self._here = (0, 0)

    def update(self, start: float, weight: float, canary: int, stable: int) -> tuple[float, float]:
        """Return (lower, upper) share (0-1) for the interval beginning at `start` seconds with these requests."""
        if weight != self.weight:
            self._falling_from = self.weight if weight < self.weight else 0.0
            if weight > self.weight:
                self.raised_at = start
            self.weight, self.changed_at = weight, start
            self._window.clear()
            self._here = (0, 0)
        total = canary + stable
        self._window.append((start, canary, total))
        while self._window[0][0] <= start - SHARE_WINDOW_SECONDS:
            self._window.popleft()
        self._here = (self._here[0] + canary, self._here[1] + total)
        minute = (sum(entry[1] for entry in self._window), sum(entry[2] for entry in self._window))
        shares = [
            weight,
            *((mine + WEIGHT_WORTH * weight) / (both + WEIGHT_WORTH) for mine, both in (minute, self._here)),
        ]
        upper = max(shares)
        if start < self.changed_at + SETTLE_SECONDS:
            upper = max(upper, self._falling_from)
        return min(shares), min(upper, MOST_SHARE)

    @property
    def settled_after(self) -> float:
        """Time in seconds from which on the split follows the present weight."""
        return self.changed_at + SETTLE_SECONDS


class SplitWatch:
    """Whether the canary gets more than 20 % fewer (or 25 % more) requests than its weight says.

    Two e-processes on the request labels, in the manner of a sample-ratio-mismatch test (Lindon & Malek, arXiv
    2011.03567), against "share >= 0.8 weight" and "share <= 1.25 weight". They never roll back; they ask a person to
    look: fewer requests than sent is lost traffic, more is a router that somebody else has moved.
    """

    __slots__ = ("_high", "_low")

    def __init__(self) -> None:
        self._low = Wealth(_PRIOR)
        self._high = Wealth(_PRIOR)

    def finding(self, weight: float, stable: int, canary: int) -> Split:
        """The evidence as a value; `stable` and `canary` are the requests since `weight` (0-1) was set."""
        total = stable + canary
        actual = 100.0 * canary / total if total else None
        threshold = 1.0 / SPLIT_ALPHA
        low, high = self._low.value, self._high.value
        told = f"the canary gets {wording.percent(actual)} of requests, {wording.percent(100.0 * weight)} were set"
        sentence = f"As set: {told}."
        if low >= threshold:
            sentence = f"Investigate, more than 20 % of the canary's traffic is missing: {told}."
        elif high >= threshold:
            sentence = f"Investigate, the canary gets more traffic than it was given: {told}."
        return Split(100.0 * weight, actual, low, high, threshold, max(low, high) >= threshold, sentence)

    def update(self, weight: float, canary: int, stable: int, phi: float = 1.0) -> None:
        """Bet on one interval's requests (counts) at `weight` (0-1); phi as for events."""
        if not canary + stable:
            return
        least = DROP * weight
        self._bet(self._low, least, [least * factor for factor in _FACTORS], (canary, stable), phi)
        most = EXCESS * weight
        if most < 1.0:
            rates = [most + (1.0 - most) * (1.0 - factor) for factor in _FACTORS]
            self._bet(self._high, most, rates, (canary, stable), phi)

    @staticmethod
    def _bet(wealth: Wealth, null: float, rates: list[float], requests: tuple[int, int], phi: float) -> None:
        canary, stable = requests
        wealth.stake()
        wealth.settle(
            [canary * math.log(rate / null) + stable * math.log((1.0 - rate) / (1.0 - null)) for rate in rates],
            1.0 / max(phi, 1.0),
        )
