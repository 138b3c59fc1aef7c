"""Generated counts: expected values without noise, and seeded lots where noise is the point."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from manuel_release.verdict import ArmCounts, Judge, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from manuel_release.verdict import Signal, Verdict

EDGES_MS = (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0)
USUAL = (0.05, 0.2, 0.4, 0.25, 0.08, 0.02, 0.0, 0.0, 0.0)
SLOWER = (0.01, 0.06, 0.2, 0.4, 0.25, 0.06, 0.02, 0.0, 0.0)
THREE_TIMES_SLOWER = (0.0, 0.0, 0.02, 0.1, 0.3, 0.4, 0.15, 0.03, 0.0)
COLD = tuple(0.7 * usual + 0.3 * late for usual, late in zip(USUAL, (0,) * 6 + (0.5, 0.5, 0), strict=True))


def spread(n: int, shares: Sequence[float] = USUAL) -> tuple[int, ...]:
    """`n` requests over the buckets, rounded so that they add up."""
    counts, given, wanted = [], 0, 0.0
    for share in shares:
        wanted += share * n
        counts.append(round(wanted) - given)
        given += counts[-1]
    return tuple(counts)


def arm(
    requests: int,
    errors_5xx: int = 0,
    errors_4xx: int = 0,
    *,
    weight: float = 0.1,
    shares: Sequence[float] = USUAL,
    counters: dict[str, int] | None = None,
    complete: bool = True,
) -> ArmCounts:
    return ArmCounts(requests, errors_4xx, errors_5xx, spread(requests, shares), weight, counters or {}, complete)


HEALTHY = (arm(900, 5), arm(100, 0))
BROKEN = (arm(900, 5), arm(100, 30))


def signal(verdict: Verdict, metric: str) -> Signal:
    return next(one for one in verdict.signals if one.metric == metric)


def judged(
    settings: Settings | None = None, *, alpha: float = 0.01, past: int = 30, requests: int = 900, errors: int = 5
) -> Judge:
    """A judge that has seen `past` healthy intervals of the stable arm."""
    judge = Judge(alpha, settings)
    for i in range(past):
        judge.warmup(10.0 * (i - past), arm(requests, errors))
    return judge


def feed(judge: Judge, intervals: Sequence[tuple[ArmCounts | None, ArmCounts | None]], start: float = 0.0) -> Verdict:
    """Give the judge these (stable, canary) intervals of ten seconds; the last verdict."""
    verdict = None
    for i, (stable, canary) in enumerate(intervals):
        verdict = judge.update(start + 10.0 * (i + 1), stable, canary)
    assert verdict is not None
    return verdict


def binomial(random: Random, n: int, p: float) -> int:
    return sum(random.random() < p for _ in range(n))


def poisson(random: Random, mean: float) -> int:
    k, product, limit = 0, random.random(), math.exp(-mean)
    while product > limit:
        k += 1
        product *= random.random()
    return k


def drawn(random: Random, n: int, shares: Sequence[float]) -> tuple[int, ...]:
    counts = [0] * len(shares)
    for bucket in random.choices(range(len(shares)), shares, k=n):
        counts[bucket] += 1
    return tuple(counts)


def release(
    random: Random,
    *,
    per_second: float,
    stable_5xx: float,
    canary_5xx: float,
    weights: Sequence[float] = (0.1,) * 30 + (0.5,) * 60,
    canary_shares: Sequence[float] = USUAL,
    real_share: float = 1.0,
    incident: tuple[int, int, float] = (0, 0, 0.0),
) -> Iterator[tuple[ArmCounts, ArmCounts]]:
    """A random release; `incident` is (first interval, last, 5xx rate added to both arms)."""
    for i, weight in enumerate(weights):
        share = weight * real_share
        added = incident[2] if incident[0] <= i < incident[1] else 0.0
        pair = []
        for mean, rate, shares in (
            (10.0 * per_second * (1.0 - share), stable_5xx, USUAL),
            (10.0 * per_second * share, canary_5xx, canary_shares),
        ):
            n = poisson(random, mean)
            errors = binomial(random, n, rate + added)
            pair.append(ArmCounts(n, binomial(random, n - errors, 0.01), errors, drawn(random, n, shares), weight))
        yield pair[0], pair[1]
