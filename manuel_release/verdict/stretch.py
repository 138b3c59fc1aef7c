"""Sums over a stretch of time, and the stretch in which a signal's evidence grew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sums:
    """Events, requests and, for latency, histograms of both arms since the first interval that was added."""

    __slots__ = (
        "canary_events",
        "canary_hist",
        "canary_requests",
        "since",
        "stable_events",
        "stable_hist",
        "stable_requests",
        "until",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.since = math.inf
        self.until = -math.inf
        self.canary_events = self.canary_requests = self.stable_events = self.stable_requests = 0
        self.canary_hist: list[int] = []
        self.stable_hist: list[int] = []

    def add(self, start: float, end: float, canary: tuple[int, int], stable: tuple[int, int]) -> None:
        """Add (events, requests) of both arms of the interval from `start` to `end` seconds."""
        self.since = min(self.since, start)
        self.until = end
        self.canary_events += canary[0]
        self.canary_requests += canary[1]
        self.stable_events += stable[0]
        self.stable_requests += stable[1]

    def add_hists(self, canary: Sequence[int], stable: Sequence[int]) -> None:
        """Add both arms' latency histograms."""
        if not self.canary_hist:
            self.canary_hist, self.stable_hist = list(canary), list(stable)
            return
        self.canary_hist = [a + b for a, b in zip(self.canary_hist, canary, strict=True)]
        self.stable_hist = [a + b for a, b in zip(self.stable_hist, stable, strict=True)]

    @property
    def seconds(self) -> float:
        """Length of the stretch; 0 when nothing was added."""
        return max(0.0, self.until - self.since)

    @property
    def difference_percent(self) -> float:
        """Canary rate minus stable rate in percentage points."""
        canary = self.canary_events / self.canary_requests if self.canary_requests else 0.0
        stable = self.stable_events / self.stable_requests if self.stable_requests else 0.0
        return 100.0 * (canary - stable)


class Stretch(Sums):
    """Sums since the evidence was last at its lowest: where the change most likely began."""

    __slots__ = ("_lowest",)

    def __init__(self) -> None:
        super().__init__()
        self._lowest = math.inf

    def begin(self, value: float) -> None:
        """To be called before each interval with the evidence so far; at its lowest the stretch starts anew."""
        if value <= self._lowest:
            self._lowest = value
            self.clear()
