"""The latency signal: are the canary's requests slower, and is that more than cold starts?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.verdict.findings import Facts
from manuel_release.verdict.histogram import beyond, quantile_ms, share_beyond
from manuel_release.verdict.latency import LEAST_PAST, LatencyPast, LatencyProcess
from manuel_release.verdict.promotion import NonInferiority
from manuel_release.verdict.stretch import Stretch, Sums

if TYPE_CHECKING:
    from manuel_release.verdict.counts import ArmCounts
    from manuel_release.verdict.settings import Settings
    from manuel_release.verdict.signals import Interval

SLOW = 0.95
VERY_SLOW = 0.99
MOST_SLOW = 0.5
"""With a larger part of the past in the last bucket, the buckets cannot show that a canary is not slower."""


class LatencySignal:
    """Latency of both arms, by bucket; "slow" is slower than the bucket of the stable arm's past P95.

    Nothing is slower than the last bucket, so if P95 lies there, that bucket itself is slow: *good* needs counts that
    could have shown the contrary.

    Cold starts: an interval in grace counts against the canary only where fast requests are missing, and adds nothing
    to the proof that it is good.
    """

    def __init__(self, share: float, alpha: float, settings: Settings) -> None:
        self.proof = NonInferiority(settings.margin_slow_percent / 100.0)
        self._share = share
        self._threshold = 1.0 / (share * alpha)
        self._settings = settings
        self._past = LatencyPast()
        self._process = LatencyProcess()
        self._stretch = Stretch()
        self._whole = Sums()
        self._highest = 1.0
        self._slow_bucket = 0
        self._resolved = False
        self._measured = False
        self._phi = 1.0

    def learn(self, stable: ArmCounts) -> None:
        """Take an interval of the stable arm into the past."""
        past = self._past
        past.learn(stable.hist)
        if past.total >= LEAST_PAST:
            self._slow_bucket = min(past.quantile_bucket(SLOW), len(past.counts) - 2)
            slow = sum(past.counts[self._slow_bucket + 1 :])
            self._resolved = slow <= MOST_SLOW * past.total
            self.proof.know(slow, past.total)

    def update(self, interval: Interval, phi: float) -> None:
        """Bet on one interval; raises ValueError when buckets differ between the arms or from earlier ones."""
        canary, stable = self._buckets(interval.canary), self._buckets(interval.stable)
        if canary and stable and len(canary) != len(stable):
            message = f"the arms' latency buckets differ: {len(canary)} and {len(stable)}"
            raise ValueError(message)
        for hist in (canary, stable):
            self._past.require_same_buckets(hist)
        self._measured = bool(canary and stable) and self._past.total >= LEAST_PAST
        self._phi = phi
        if not interval.betting or not self._measured:
            return
        self._stretch.begin(self._process.value)
        self._process.update(canary, stable, interval.share, self._past, grace=interval.grace, phi=phi)
        self._highest = max(self._highest, self._process.value)
        slow = (beyond(canary, self._slow_bucket), sum(canary))
        slow_stable = (beyond(stable, self._slow_bucket), sum(stable))
        for sums in (self._stretch, self._whole):
            sums.add(interval.start, interval.end, slow, slow_stable)
            sums.add_hists(canary, stable)
        if not interval.grace:
            self.proof.update(*slow, *slow_stable)

    def _buckets(self, arm: ArmCounts) -> tuple[int, ...]:
        """The arm's histogram; an arm without requests and without buckets has none in each of the past's."""
        return arm.hist or (() if arm.requests else (0,) * len(self._past.counts))

    def _material(self) -> bool:
        """P95 or P99 up by the ratio, or without edges the share of slow requests up by so much."""
        settings = self._settings
        canary = self._stretch.canary_hist
        stable: list[int] | list[float] = self._stretch.stable_hist
        if not sum(stable):
            stable = self._past.counts
        for share in (SLOW, VERY_SLOW):
            if settings.edges_ms:
                mine = quantile_ms(canary, settings.edges_ms, share)
                other = quantile_ms(stable, settings.edges_ms, share)
                if mine is not None and other is not None and mine >= settings.material_p95_ratio * other:
                    return True
            else:
                least = settings.material_slow_percent / 100.0 * (1.0 if share == SLOW else 0.5)
                if share_beyond(canary, stable, share) - (1.0 - share) >= least:
                    return True
        return False

    def facts(self) -> Facts:
        """The numbers now: of the stretch in which the evidence grew once it is decided, else of the whole release."""
        proven_worse = self._highest >= self._threshold
        sums = self._stretch if proven_worse else self._whole
        edges = self._settings.edges_ms
        return Facts(
            metric="latency",
            measured=self._measured and (self._resolved or proven_worse),
            material=proven_worse and self._material(),
            sums=sums,
            e_value=self._process.value,
            highest=self._highest,
            threshold=self._threshold,
            share=self._share,
            proof=self.proof,
            phi=self._phi,
            stable_p95_ms=quantile_ms(sums.stable_hist, edges, SLOW),
            canary_p95_ms=quantile_ms(sums.canary_hist, edges, SLOW),
        )
