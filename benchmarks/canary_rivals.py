"""What the judge is compared with: two oracles, and how canaries are judged today.

Each rival is fed every interval and answers True when it would roll back. Rivals are modelled from their documentation
and sources (docs/verdict.md names them), not run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from canary_releases import EDGES_MS

from manuel_release.verdict.histogram import quantile_ms
from manuel_release.verdict.limits import LimitWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary_releases import Moment

    from manuel_release.verdict import ArmCounts, LimitsMode


class Rival(Protocol):
    def rolls_back(self, now: Moment, rho: float) -> bool: ...


class Clairvoyant:
    """O1: Wald's sequential test on the canary's requests, told the true rates and the onset. Cannot be had."""

    def __init__(self, alpha: float) -> None:
        self._limit, self._log = math.log(1.0 / alpha), 0.0

    def rolls_back(self, now: Moment, rho: float) -> bool:
        del rho
        p, q = now.true_5xx
        if q > p:
            bad, n = now.canary.errors_5xx, now.canary.requests
            self._log += bad * math.log(q / p) if p > 0.0 else (math.inf if bad else 0.0)
            self._log += (n - bad) * math.log((1.0 - q) / (1.0 - p))
        return self._log >= self._limit


class LabelOracle:
    """O2: the same information as the judge (labels only), but told the true ratio of rates and the onset."""

    def __init__(self, alpha: float) -> None:
        self._limit, self._log = math.log(1.0 / alpha), 0.0

    def rolls_back(self, now: Moment, rho: float) -> bool:
        if now.true_5xx[1] > now.true_5xx[0]:
            self._count(now.canary.errors_5xx, now.stable.errors_5xx, now.true_5xx, rho)
        elif now.true_4xx[1] > now.true_4xx[0]:
            self._count(now.canary.errors_4xx, now.stable.errors_4xx, now.true_4xx, rho)
        elif now.effect:
            for canary, stable, f, g in zip(
                now.canary.hist, now.stable.hist, now.canary_latency, now.stable_latency, strict=True
            ):
                if (canary or stable) and g > 0.0:
                    ratio = f / g
                    self._log += canary * math.log(max(ratio, 1e-300))
                    self._log -= (canary + stable) * math.log(1.0 - rho + rho * ratio)
        return self._log >= self._limit

    def _count(self, canary: int, stable: int, rates: tuple[float, float], rho: float) -> None:
        theta = rho * rates[1] / ((1.0 - rho) * rates[0] + rho * rates[1])
        self._log += canary * math.log(theta / rho)
        if stable:
            self._log += stable * math.log((1.0 - theta) / (1.0 - rho))


class Limits:
    """B1: the specification's alarms on the canary, literally, or held when the stable arm explains them."""

    def __init__(self, mode: LimitsMode) -> None:
        self._watch = LimitWatch(mode, EDGES_MS)

    def rolls_back(self, now: Moment, rho: float) -> bool:
        return any(breach.rolls_back for breach in self._watch.update(now.start, now.stable, now.canary, rho))


class Minutes:
    """Collects both arms into minutes; `finish` is called with each full minute."""

    def __init__(self) -> None:
        self._canary: list[ArmCounts] = []
        self._stable: list[ArmCounts] = []
        self._decided = False

    def rolls_back(self, now: Moment, rho: float) -> bool:
        del rho
        self._canary.append(now.canary)
        self._stable.append(now.stable)
        if len(self._canary) == 6:
            self._decided = self._decided or self.finish(point(self._canary), point(self._stable))
            self._canary, self._stable = [], []
        return self._decided

    def finish(self, canary: Point, stable: Point) -> bool:
        raise NotImplementedError


Point = tuple[float, float] | None
"""5xx percent and P95 in milliseconds of one minute, None without requests."""


def point(arm: Sequence[ArmCounts]) -> Point:
    requests = sum(counts.requests for counts in arm)
    if not requests:
        return None
    hist = [sum(column) for column in zip(*(counts.hist for counts in arm), strict=True)]
    return 100.0 * sum(counts.errors_5xx for counts in arm) / requests, quantile_ms(hist, EDGES_MS, 0.95) or 0.0


def _fails(now: Point) -> bool:
    return now is not None and (now[0] > 1.0 or now[1] > 5000.0)


class Alarm(Minutes):
    """B2: a CloudWatch alarm, 3 of 5 one-minute datapoints of the canary above 1 % 5xx or 5 s; missing is not."""

    def __init__(self, datapoints: int = 3, periods: int = 5) -> None:
        super().__init__()
        self._datapoints, self._periods, self._points = datapoints, periods, [False]

    def finish(self, canary: Point, stable: Point) -> bool:
        del stable
        self._points = [*self._points, _fails(canary)][-self._periods :]
        return sum(self._points) >= self._datapoints


class FailedChecks(Minutes):
    """B4: a check every minute; five failures in all (Flagger's count is not reset), or three in a row."""

    def __init__(self, failures: int, *, in_a_row: bool) -> None:
        super().__init__()
        self._failures, self._in_a_row, self._failed = failures, in_a_row, 0

    def finish(self, canary: Point, stable: Point) -> bool:
        del stable
        if _fails(canary):
            self._failed += 1
        elif self._in_a_row:
            self._failed = 0
        return self._failed >= self._failures


class MannWhitney(Minutes):
    """B3: every five minutes a 98 % Mann-Whitney interval for the shift of the minutes' values, canary over stable.

    Fails when the interval lies above a quarter of the Hodges-Lehmann estimate, as in Kayenta's default judge.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mine: list[tuple[float, float]] = []
        self._other: list[tuple[float, float]] = []
        self._minutes = 0

    def finish(self, canary: Point, stable: Point) -> bool:
        self._minutes += 1
        if canary is not None:
            self._mine.append(canary)
        if stable is not None:
            self._other.append(stable)
        return self._minutes % 5 == 0 and any(self._higher(metric) for metric in (0, 1))

    def _higher(self, metric: int) -> bool:
        mine, other = [value[metric] for value in self._mine], [value[metric] for value in self._other]
        shifts = sorted(a - b for a in mine for b in other)
        if len(mine) < 2 or len(other) < 2:
            return False
        middle = shifts[len(shifts) // 2]
        spread = math.sqrt(len(mine) * len(other) * (len(mine) + len(other) + 1) / 12.0)
        rank = int(len(shifts) / 2.0 - 2.3263479 * spread)
        return rank >= 0 and middle > 0.0 and shifts[rank] > 0.25 * middle
