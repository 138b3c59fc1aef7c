"""A/A self-test: the judge on one's own traffic, cut into two arms by lot, so that nothing is worse.

Shows that the configured alpha holds on the real mixture of traffic, errors and latencies, and how often and how soon a
harmless release is called good. With `run_length` above 1 the errors are dealt out in runs of that many, as a router
that keeps users on one arm would: what the judge does then is worth knowing before it happens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from manuel_release.verdict.counts import ArmCounts
from manuel_release.verdict.evidence import Value
from manuel_release.verdict.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.verdict.settings import Settings

WARMUP_SHARE = 1.0 / 3.0
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Runs, false alarms, and the 95 % interval (Wilson) of their rate in percent; `good` runs ended as good."""

    runs: int
    false_alarms: int
    good: int
    percent: float
    low_percent: float
    high_percent: float
    alpha_percent: float
    sentence: str

    @property
    def holds(self) -> bool:
        """Whether the runs are compatible with the configured alpha."""
        return self.low_percent <= self.alpha_percent


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """95 % interval of a rate (0-1) from `hits` in `runs` (Wilson 1927)."""
    if not runs:
        return 0.0, 1.0
    p, z2 = hits / runs, Z95 * Z95
    middle = (p + z2 / (2 * runs)) / (1 + z2 / runs)
    half = Z95 * math.sqrt(p * (1 - p) / runs + z2 / (4 * runs * runs)) / (1 + z2 / runs)
    return max(0.0, middle - half), min(1.0, middle + half)


def thin(random: Random, n: int, p: float, run_length: int = 1) -> int:
    """How many of `n` fall to an arm of share `p` (0-1), in runs of `run_length` that stay together."""
    runs, rest = divmod(n, run_length)
    taken = run_length * _binomial(random, runs, p)
    return taken + rest if rest and random.random() < p else taken


def _binomial(random: Random, n: int, p: float) -> int:
    if p > 0.5:
        return n - _binomial(random, n, 1.0 - p)
    if not n or p <= 0.0:
        return 0
    k, at, scale = 0, 0, math.log1p(-p)
    while True:
        at += int(math.log(1.0 - random.random()) / scale) + 1
        if at > n:
            return k
        k += 1


def cut(random: Random, whole: ArmCounts, weight: float, run_length: int = 1) -> tuple[ArmCounts, ArmCounts]:
    """Deal one interval's requests out to (stable, canary) by lot, the canary getting `weight` (0-1) of them."""
    errors_4xx = thin(random, whole.errors_4xx, weight, run_length)
    errors_5xx = thin(random, whole.errors_5xx, weight, run_length)
    others = thin(random, max(0, whole.requests - whole.errors_4xx - whole.errors_5xx), weight)
    hist = tuple(thin(random, count, weight) for count in whole.hist)
    counters = {name: thin(random, count, weight) for name, count in whole.counters.items()}
    canary = ArmCounts(others + errors_4xx + errors_5xx, errors_4xx, errors_5xx, hist, weight, counters, whole.complete)
    stable = ArmCounts(
        max(whole.requests, whole.errors_4xx + whole.errors_5xx) - canary.requests,
        whole.errors_4xx - errors_4xx,
        whole.errors_5xx - errors_5xx,
        tuple(a - b for a, b in zip(whole.hist, hist, strict=True)),
        weight,
        {name: count - counters[name] for name, count in whole.counters.items()},
        whole.complete,
    )
    return stable, canary


def self_test(
    traffic: Sequence[ArmCounts],
    *,
    runs: int,
    seed: int,
    alpha: float = 0.01,
    settings: Settings | None = None,
    weights: Sequence[float] = (0.1, 0.5),
    interval_seconds: float = 10.0,
    run_length: int = 1,
) -> SelfTest:
    """Judge `runs` harmless canaries cut from `traffic` (the stable arm's intervals, ascending).

    The first third is warm-up; the rest is divided evenly between `weights`. Raises ValueError when fewer than three
    intervals are given.
    """
    warmup = int(len(traffic) * WARMUP_SHARE)
    if not warmup:
        message = f"a self-test needs at least three intervals, not {len(traffic)}"
        raise ValueError(message)
    random = Random(seed)  # noqa: S311 - a reproducible lot, not a secret
    judged = traffic[warmup:]
    alarms = good = 0
    for _ in range(runs):
        judge = Judge(alpha, settings)
        for i, whole in enumerate(traffic[:warmup]):
            judge.warmup((i - warmup) * interval_seconds, whole)
        value = Value.CONTINUE
        for i, whole in enumerate(judged):
            weight = weights[min(len(weights) - 1, i * len(weights) // len(judged))]
            value = judge.update((i + 1) * interval_seconds, *cut(random, whole, weight, run_length)).value
            if value is Value.ROLLBACK:
                break
        alarms += value is Value.ROLLBACK
        good += value is Value.PROMOTE
    low, high = wilson(alarms, runs)
    sentence = (
        f"{alarms} of {runs} harmless canaries cut from this traffic were rolled back "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %, configured {100 * alpha:g} %); {good} were called good."
    )
    return SelfTest(runs, alarms, good, 100 * alarms / max(1, runs), 100 * low, 100 * high, 100 * alpha, sentence)
