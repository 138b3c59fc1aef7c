"""The specification's absolute limits, and when breaking one is not the release's fault.

Specification, "CloudWatch Alarms for Canary" and "Automatic Rollback Triggers". A limit knows nothing of the other arm,
so an incident of a shared dependency breaks it on both arms at once. `LimitsMode.SHARED` therefore looks at the stable
arm in the same window: if it breaks the limit as well, or has so many events that chance explains the canary's, it is
an incident; promotion is held and people are paged. `LimitsMode.ABSOLUTE` rolls back regardless.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from manuel_release.verdict import wording
from manuel_release.verdict.evidence import Breach
from manuel_release.verdict.histogram import quantile_ms
from manuel_release.verdict.settings import LimitsMode

if TYPE_CHECKING:
    from manuel_release.verdict.counts import ArmCounts

CHANCE = 0.001
"""Below this probability the stable arm's events no longer explain the canary's."""


class Kind(StrEnum):
    """How a limit reads its metric."""

    COUNT = "count"
    """More than `threshold` events in the window."""
    PERCENT = "percent"
    """More than `threshold` percent of `per` in the window, given at least `least` of them."""
    PERCENT_EACH_MINUTE = "percent_each_minute"
    """At least `threshold` percent of requests in every minute of the window."""
    P95_EACH_MINUTE = "p95_each_minute"
    """P95 above `threshold` milliseconds in every minute of the window."""


EACH_MINUTE = frozenset({Kind.PERCENT_EACH_MINUTE, Kind.P95_EACH_MINUTE})
"""Read when a minute is full; the verdict stands until the next one is."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: `metric` and `per` name counts, `window` is in seconds."""

    name: str
    kind: Kind
    metric: str
    threshold: float
    window: float
    per: str = "requests"
    least: int = 1


SPECIFICATION = (
    Limit("more than 5 5xx in 5 min", Kind.COUNT, "errors_5xx", 5, 300),
    Limit("more than 10 Lambda errors in 5 min", Kind.COUNT, "function_errors", 10, 300),
    Limit("more than 5 throttled requests in 5 min", Kind.COUNT, "throttles", 5, 300),
    Limit("a quota failure in 5 min", Kind.COUNT, "quota_failures", 0, 300),
    Limit("query success below 95 %", Kind.PERCENT, "query_failures", 5, 300, "queries", 20),
    Limit("transcription failures above 5 %", Kind.PERCENT, "transcription_failures", 5, 300, "transcriptions", 20),
    Limit("5xx rate of 1 % for 10 min", Kind.PERCENT_EACH_MINUTE, "errors_5xx", 1, 600),
    Limit("4xx rate of 1 % for 10 min", Kind.PERCENT_EACH_MINUTE, "errors_4xx", 1, 600),
    Limit("P95 above 5 s for 10 min", Kind.P95_EACH_MINUTE, "hist", 5000, 600),
    Limit("P95 above 10 s for 5 min", Kind.P95_EACH_MINUTE, "hist", 10000, 300),
)
"""The specification's numbers; it gives no window for throttles and business rates (5 min here) and no least count."""


@dataclass(slots=True)
class _Minute:
    number: int
    rho: float
    canary: dict[str, int]
    stable: dict[str, int]
    canary_hist: list[int]
    stable_hist: list[int]


def _add(totals: dict[str, int], hist: list[int], arm: ArmCounts) -> None:
    pairs = {"requests": arm.requests, "errors_4xx": arm.errors_4xx, "errors_5xx": arm.errors_5xx, **arm.counters}
    for key, value in pairs.items():
        totals[key] = totals.get(key, 0) + value
    if arm.hist:
        hist[:] = [a + b for a, b in zip(hist, arm.hist, strict=True)] if hist else arm.hist


class LimitWatch:
    """Keeps the last minutes of both arms and says which limits the canary breaks."""

    def __init__(
        self, mode: LimitsMode, edges_ms: tuple[float, ...], limits: tuple[Limit, ...] = SPECIFICATION
    ) -> None:
        self._mode = mode
        self._edges = edges_ms
        self._limits = limits
        self._longest = int(max((limit.window for limit in limits), default=0.0) // 60)
        self._minutes: deque[_Minute] = deque()
        self._each_minute: tuple[Breach, ...] = ()

    def update(self, start: float, stable: ArmCounts, canary: ArmCounts, rho: float) -> tuple[Breach, ...]:
        """Add the interval beginning at `start` seconds; `rho` is the canary's share of requests (0-1)."""
        number = int(start // 60)
        if not self._minutes or self._minutes[-1].number != number:
            self._minutes.append(_Minute(number, rho, {}, {}, [], []))
            while self._minutes[0].number <= number - self._longest - 1:
                self._minutes.popleft()
            self._each_minute = self._broken(whole_minutes=True)
        now = self._minutes[-1]
        now.rho = max(now.rho, rho)
        _add(now.canary, now.canary_hist, canary)
        _add(now.stable, now.stable_hist, stable)
        counts = self._broken(whole_minutes=False)
        return (*counts, *self._each_minute)

    def _broken(self, *, whole_minutes: bool) -> tuple[Breach, ...]:
        breaches = (self._check(limit) for limit in self._limits if (limit.kind in EACH_MINUTE) is whole_minutes)
        return tuple(breach for breach in breaches if breach)

    def _check(self, limit: Limit) -> Breach | None:
        whole = limit.kind in EACH_MINUTE
        last = self._minutes[-1].number
        span = int(limit.window // 60)
        first = last - span if whole else last - span + 1
        minutes = [m for m in self._minutes if m.number >= first and not (whole and m.number == last)]
        if whole and len(minutes) < span:
            return None
        value, broken = self._read(limit, [m.canary for m in minutes], [m.canary_hist for m in minutes])
        if not broken or value is None:
            return None
        other, other_broken = self._read(limit, [m.stable for m in minutes], [m.stable_hist for m in minutes])
        shared = other_broken or _chance(limit, minutes)
        rolls_back = self._mode is LimitsMode.ABSOLUTE or (self._mode is LimitsMode.SHARED and not shared)
        sentence = f"The canary breaks the limit '{limit.name}': {_shown(limit, value)}, stable {_shown(limit, other)}"
        sentence += "; the stable arm's numbers explain it, so it is an incident." if shared else "."
        return Breach(limit.name, value, other, limit.threshold, limit.window, shared, rolls_back, sentence)

    def _read(self, limit: Limit, counts: list[dict[str, int]], hists: list[list[int]]) -> tuple[float | None, bool]:
        if limit.kind is Kind.P95_EACH_MINUTE:
            each = [quantile_ms(hist, self._edges, 0.95) for hist in hists]
            known = [value for value in each if value is not None]
            return (min(known) if known else None), len(known) == len(each) and min(known) > limit.threshold
        if limit.kind is Kind.PERCENT_EACH_MINUTE:
            rates = [100.0 * m.get(limit.metric, 0) / m["requests"] for m in counts if m.get("requests")]
            return (min(rates) if rates else None), len(rates) == len(counts) and min(rates) >= limit.threshold
        if not any(limit.metric in m for m in counts):
            return None, False
        events = sum(m.get(limit.metric, 0) for m in counts)
        if limit.kind is Kind.COUNT:
            return float(events), events > limit.threshold
        total = sum(m.get(limit.per, 0) for m in counts)
        rate = 100.0 * events / total if total else None
        return rate, rate is not None and total >= limit.least and rate > limit.threshold


def _chance(limit: Limit, minutes: list[_Minute]) -> bool:
    """Whether the stable arm has such events too and chance explains the canary's, by the weight of each minute."""
    if limit.kind is Kind.P95_EACH_MINUTE:
        return False
    canary = [m.canary.get(limit.metric, 0) for m in minutes]
    stable = [m.stable.get(limit.metric, 0) for m in minutes]
    if not any(stable):
        return False
    both = [a + b for a, b in zip(canary, stable, strict=True)]
    rho = sum(events * m.rho for events, m in zip(both, minutes, strict=True)) / sum(both)
    return binomial_tail(sum(canary), sum(both), rho) >= CHANCE


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) >= k), for p below 1."""
    if k <= 0 or p <= 0.0:
        return float(k <= 0)
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
    term = math.exp(log)
    total = term
    odds = p / (1.0 - p)
    for j in range(k, n):
        term *= odds * (n - j) / (j + 1.0)
        total += term
        if term < 1e-12 * total:
            break
    return min(1.0, total)


def _shown(limit: Limit, value: float | None) -> str:
    if value is None:
        return "not measured"
    if limit.kind is Kind.P95_EACH_MINUTE:
        return f"{value:,.0f} ms"
    return wording.count(value) if limit.kind is Kind.COUNT else wording.percent(value)
