"""A simulator of releases: counts of both arms every ten seconds, with everything that makes judging them hard."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

from manuel_release.verdict import ArmCounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

SECONDS = 10.0
EDGES_MS = tuple(10.0 * 1.2**k for k in range(48))
SIGMA = 0.5
"""Log standard deviation of latency."""


@dataclass(frozen=True)
class Incident:
    """Both arms suffer alike from `begin` for `seconds`."""

    begin: float
    seconds: float
    added_5xx: float = 0.0
    slower: float = 1.0


@dataclass(frozen=True)
class Release:
    """One kind of release. Rates are 0-1, times seconds; `added_*` and `slower` are what the canary does worse."""

    name: str
    group: str
    per_second: float
    errors_5xx: float
    errors_4xx: float = 0.01
    p95_ms: float = 400.0
    added_5xx: float = 0.0
    added_4xx: float = 0.0
    slower: float = 1.0
    tail: float = 0.0
    """Share of the canary's requests that are ten times slower."""
    onset: float = 0.0
    on_off: tuple[float, float] | None = None
    """The effect is there for the first seconds of every so many."""
    incident: Incident | None = None
    share_factor: float = 1.0
    """The real split over the configured one."""
    run_length: float = 1.0
    """Mean length of geometric runs of errors on one arm (one user who stays there)."""
    session: float = 1.0
    """Mean requests of a user in an interval; a user stays on one arm, has a speed, and fails wholly or not at all."""
    cold_seconds: float = 0.0
    """After the start and after a raised weight this long, 30 % of the canary's requests take 1.5 s more."""
    cold_requests: int = 0
    """So many of the canary's first requests after the start and after a raised weight take 1.5 s more."""
    warmup_seconds: float = 900.0
    steps: tuple[tuple[float, float], ...] = ((0.0, 0.1), (300.0, 0.5))
    seconds: float = 900.0

    @property
    def harmless(self) -> bool:
        return not (self.added_5xx or self.added_4xx or self.slower > 1.0 or self.tail)

    def effect_at(self, start: float) -> bool:
        if start < self.onset:
            return False
        return self.on_off is None or (start - self.onset) % self.on_off[1] < self.on_off[0]

    def weight_at(self, start: float) -> float:
        return next(weight for begin, weight in reversed(self.steps) if begin <= start)


def binomial(random: Random, n: int, p: float) -> int:
    """Exact draw: waiting times between successes."""
    if p <= 0.0 or n <= 0:
        return 0
    if p >= 1.0:
        return n
    if p > 0.5:
        return n - binomial(random, n, 1.0 - p)
    k, at, scale = 0, 0, math.log1p(-p)
    while True:
        at += int(math.log(1.0 - random.random()) / scale) + 1
        if at > n:
            return k
        k += 1


def poisson(random: Random, mean: float) -> int:
    """Exact up to a mean of 50, rounded normal beyond."""
    if mean > 50.0:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    k, product, limit = 0, random.random(), math.exp(-mean)
    while product > limit:
        k += 1
        product *= random.random()
    return k


@lru_cache(maxsize=256)
def latency_shares(p95_ms: float, slower: float, tail: float, cold: float) -> tuple[float, ...]:
    """Share of requests in each bucket."""
    normal = NormalDist()
    median = math.log(p95_ms) - 1.6448536 * SIGMA

    def upto(edge: float, factor: float) -> float:
        return normal.cdf((math.log(edge) - median - math.log(factor)) / SIGMA)

    def mixed(edge: float) -> float:
        warm = (1.0 - tail) * upto(edge, slower) + tail * upto(edge, 10.0 * slower)
        late = edge - 1500.0
        return (1.0 - cold) * warm + (cold * upto(late, slower) if cold and late > 0.0 else 0.0)

    marks = [0.0, *(mixed(edge) for edge in EDGES_MS), 1.0]
    return tuple(max(0.0, b - a) for a, b in pairwise(marks))


@lru_cache(maxsize=256)
def _cumulative(shares: tuple[float, ...]) -> tuple[float, ...]:
    total, out = 0.0, []
    for share in shares:
        total += share
        out.append(total)
    return tuple(out)


def draw_hist(random: Random, n: int, shares: tuple[float, ...]) -> tuple[int, ...]:
    counts = [0] * len(shares)
    marks = _cumulative(shares)
    last, draw, find = len(shares) - 1, random.random, bisect.bisect
    for _ in range(n):
        counts[min(last, find(marks, draw()))] += 1
    return tuple(counts)


def _errors(random: Random, n: int, rate: float, run_length: float) -> int:
    if run_length <= 1.0:
        return binomial(random, n, min(1.0, rate))
    runs = binomial(random, n, min(1.0, rate / run_length))
    stop = math.log1p(-1.0 / run_length)
    return min(n, sum(1 + int(math.log(1.0 - random.random()) / stop) for _ in range(runs)))


def _sessions(random: Random, release: Release, expected: float, rate: float) -> tuple[int, int, tuple[int, ...]]:
    """Requests, 5xx and histogram of one arm whose users stay on it."""
    requests = errors = 0
    counts = [0] * (len(EDGES_MS) + 1)
    median = math.log(release.p95_ms) - 1.6448536 * SIGMA
    for _ in range(poisson(random, expected / release.session)):
        length = 1 + int(math.log(1.0 - random.random()) / math.log1p(-1.0 / release.session))
        speed = random.gauss(median, 0.4)
        requests += length
        errors += length if random.random() < rate else 0
        for _ in range(length):
            counts[bisect.bisect_left(EDGES_MS, math.exp(random.gauss(speed, SIGMA)))] += 1
    return requests, errors, tuple(counts)


@dataclass(frozen=True)
class Moment:
    """One interval, with the truth that only oracles may read."""

    start: float
    stable: ArmCounts
    canary: ArmCounts
    effect: bool
    true_5xx: tuple[float, float]
    """Rates of the stable arm and the canary (0-1)."""
    true_4xx: tuple[float, float]
    stable_latency: tuple[float, ...]
    canary_latency: tuple[float, ...]


def intervals(release: Release, random: Random) -> Iterator[Moment]:
    """All intervals of one release, warm-up first (negative `start`, no canary)."""
    traffic = errors = 0.0
    cold_left = 0
    start = -release.warmup_seconds
    while start < release.seconds:
        traffic = 0.9 * traffic + random.gauss(0.0, 0.2 * math.sqrt(1.0 - 0.81))
        errors = 0.9 * errors + random.gauss(0.0, 0.3 * math.sqrt(1.0 - 0.81))
        weight = release.weight_at(start) if start >= 0.0 else 0.0
        expected = release.per_second * SECONDS * math.exp(traffic)
        share = min(0.95, weight * release.share_factor)
        effect = start >= 0.0 and release.effect_at(start)
        hit = release.incident
        suffering = hit if hit and hit.begin <= start < hit.begin + hit.seconds else None
        base = min(0.9, release.errors_5xx * math.exp(errors) + (suffering.added_5xx if suffering else 0.0))
        worse = min(1.0, base + (release.added_5xx if effect else 0.0))
        factor = suffering.slower if suffering else 1.0
        raised = max(begin for begin, _ in release.steps if begin <= max(start, 0.0))
        cold = 0.3 if 0.0 <= start - raised < release.cold_seconds else 0.0
        if start == raised:
            cold_left = release.cold_requests
        usual = latency_shares(release.p95_ms, factor, 0.0, 0.0)
        slower, tail = (factor * release.slower, release.tail) if effect else (factor, 0.0)
        slow = latency_shares(release.p95_ms, slower, tail, cold)
        usual_4xx = release.errors_4xx
        worse_4xx = usual_4xx + (release.added_4xx if effect else 0.0)
        arms = []
        for mean, rate_5xx, rate_4xx, shares in (
            (expected * (1.0 - share), base, usual_4xx, usual),
            (expected * share, worse, worse_4xx, slow),
        ):
            if release.session > 1.0:
                n, errors_5xx, hist = _sessions(random, release, mean, rate_5xx)
                arms.append(ArmCounts(n, binomial(random, n - errors_5xx, rate_4xx), errors_5xx, hist, weight))
                continue
            n = poisson(random, mean) if mean > 0.0 else 0
            errors_5xx = _errors(random, n, rate_5xx, release.run_length)
            errors_4xx = binomial(random, n - errors_5xx, rate_4xx)
            first = min(n, cold_left) if shares is slow else 0
            hist = draw_hist(random, n - first, shares)
            if first:
                cold_left -= first
                late = draw_hist(random, first, latency_shares(release.p95_ms, slower, tail, 1.0))
                hist = tuple(a + b for a, b in zip(hist, late, strict=True))
            arms.append(ArmCounts(n, errors_4xx, errors_5xx, hist, weight))
        yield Moment(start, arms[0], arms[1], effect, (base, worse), (usual_4xx, worse_4xx), usual, slow)
        start += SECONDS
