"""CloudWatch's datapoints: one-second buckets of values and counts, so that every statistic stays exact.

Retention follows the MetricStat page
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html): seconds for three hours, then
minutes for fifteen days. Standard-resolution series keep their seconds as well, because alarms that run faster than
real time need them; readers get those series by the minute, as on AWS.
"""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS_KEPT = 3 * 3600
MINUTES_KEPT = 15 * 24 * 3600
STANDARD_RESOLUTION = 60

BASIC_STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)")
_TRIMMED_COUNT = re.compile(r"TC\((\d+(?:\.\d+)?)?:(\d+(?:\.\d+)?)?\)")

Scope = tuple[str, str]
"""Account id and region."""


def percentile_of(statistic: str) -> float | None:
    """The percentile (0-100) that `p95` or `p99.9` names, or None for another text."""
    found = _PERCENTILE.fullmatch(statistic)
    if found is None or float(found[1]) > 100:
        return None
    return float(found[1])


def range_of(statistic: str) -> tuple[float, float] | None:
    """The values between which `TC(50:100)` counts, the lower one excluded; None for another text.

    Source: CloudWatch user guide, "CloudWatch statistics definitions" (trimmed count with absolute bounds).
    """
    found = _TRIMMED_COUNT.fullmatch(statistic)
    if found is None:
        return None
    return (float(found[1]) if found[1] else -math.inf), (float(found[2]) if found[2] else math.inf)


def is_statistic(text: str) -> bool:
    """Whether this emulator computes the statistic; trimmed means and the like it does not."""
    return text in BASIC_STATISTICS or percentile_of(text) is not None or range_of(text) is not None


@dataclass
class StatisticSet:
    """A published summary (PutMetricData's StatisticValues)."""

    count: float
    total: float
    low: float
    high: float

    def is_one_value(self) -> bool:
        """Whether it stands for a single value, repeated; only then percentiles can include it."""
        return self.low == self.high and self.total == self.low * self.count


@dataclass
class Sample:
    """Values that fall into one period: how often each value was seen, and published summaries."""

    counts: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    sets: list[StatisticSet] = field(default_factory=list)

    def merge(self, other: Sample) -> None:
        """Add everything that `other` holds."""
        for value, count in other.counts.items():
            self.counts[value] += count
        self.sets.extend(other.sets)

    def size(self) -> float:
        """How many observations it holds."""
        return sum(self.counts.values()) + sum(each.count for each in self.sets)

    def statistic(self, name: str) -> float | None:
        """One of BASIC_STATISTICS or a percentile; None when it cannot be computed from what was published."""
        size = self.size()
        if not size:
            return None
        percent, bounds = percentile_of(name), range_of(name)
        if percent is not None:
            return self._percentile(percent)
        if bounds is not None:
            return self._between(*bounds)
        total = sum(value * count for value, count in self.counts.items()) + sum(each.total for each in self.sets)
        if name == "Minimum":
            return min([*self.counts, *(each.low for each in self.sets)])
        if name == "Maximum":
            return max([*self.counts, *(each.high for each in self.sets)])
        return {"SampleCount": size, "Sum": total, "Average": total / size}[name]

    def _weights(self) -> dict[float, float] | None:
        weights = dict(self.counts)
        for each in self.sets:
            if not each.is_one_value():
                return None
            weights[each.low] = weights.get(each.low, 0.0) + each.count
        return None if min(weights) < 0 else weights

    def _between(self, low: float, high: float) -> float | None:
        weights = self._weights()
        return None if weights is None else sum(count for value, count in weights.items() if low < value <= high)

    def _percentile(self, percent: float) -> float | None:
        weights = self._weights()
        if weights is None:
            return None
        ordered = sorted(weights.items())
        rank = percent / 100 * (sum(weights.values()) - 1)
        low, high = _at(ordered, int(rank)), _at(ordered, int(rank) + 1)
        return low + (rank - int(rank)) * (high - low)


def _at(ordered: list[tuple[float, float]], index: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if index < seen:
            return value
    return ordered[-1][0]


@dataclass
class Series:
    """One metric: a name in a namespace with one set of dimensions."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    unit: str = "None"
    resolution: int = STANDARD_RESOLUTION
    buckets: dict[int, Sample] = field(default_factory=dict)

    def window(self, start: int, end: int) -> Sample | None:
        """Everything from second `start` up to but not including `end`, or None."""
        found = Sample()
        if end - start < len(self.buckets):
            for second in range(start, end):
                if second in self.buckets:
                    found.merge(self.buckets[second])
        else:
            for second, sample in list(self.buckets.items()):
                if start <= second < end:
                    found.merge(sample)
        return found if found.size() else None

    def periods(self, start: int, end: int, period: int) -> dict[int, Sample]:
        """Samples by the start of their period, for readers; standard resolution counts from the minute's start."""
        grouped: dict[int, Sample] = defaultdict(Sample)
        for second, sample in sorted(self.buckets.items()):
            when = second // self.resolution * self.resolution
            if start <= when < end:
                grouped[when // period * period].merge(sample)
        return dict(grouped)

    def prune(self, now: int) -> None:
        """Fold old seconds into minutes and forget what is older than CloudWatch keeps."""
        for second in [each for each in self.buckets if each < now - SECONDS_KEPT]:
            sample = self.buckets[second]
            minute = second // 60 * 60
            if second < now - MINUTES_KEPT:
                del self.buckets[second]
            elif second != minute:
                self.buckets.setdefault(minute, Sample()).merge(sample)
                del self.buckets[second]


SeriesKey = tuple[str, str, tuple[tuple[str, str], ...]]


def series_key(namespace: str, name: str, dimensions: Mapping[str, str]) -> SeriesKey:
    """What makes a metric one series; the order of dimensions does not."""
    return namespace, name, tuple(sorted(dimensions.items()))


class MetricStore:
    """All series of all accounts and regions; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Scope, dict[SeriesKey, Series]] = defaultdict(dict)

    def record(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        values: Iterable[tuple[float, float]],
        *,
        timestamp: float,
        unit: str = "None",
        resolution: int = STANDARD_RESOLUTION,
        sets: Iterable[StatisticSet] = (),
    ) -> None:
        """Add (value, count) pairs and summaries at `timestamp` (seconds since 1970)."""
        key = series_key(namespace, name, dimensions)
        with self._lock:
            series = self._series[scope].get(key)
            if series is None:
                series = self._series[scope][key] = Series(namespace, name, dict(dimensions))
            series.unit = unit
            series.resolution = min(series.resolution, resolution)
            sample = series.buckets.setdefault(int(timestamp), Sample())
            for value, count in values:
                sample.counts[value] += count
            sample.sets.extend(sets)

    def window(self, scope: Scope, key: SeriesKey, start: int, end: int) -> Sample | None:
        """What one series holds between two seconds, or None."""
        with self._lock:
            series = self._series[scope].get(key)
            return series.window(start, end) if series else None

    def periods(
        self, scope: Scope, key: SeriesKey, start: int, end: int, period: int, *, unit: str | None = None
    ) -> dict[int, Sample]:
        """What one series holds, by the start of each period (seconds); nothing when `unit` is not its unit."""
        with self._lock:
            series = self._series[scope].get(key)
            if series is None or (unit and unit != series.unit):
                return {}
            return series.periods(start, end, period)

    def unit(self, scope: Scope, key: SeriesKey) -> str:
        """Unit of a series' last datapoint."""
        with self._lock:
            series = self._series[scope].get(key)
            return series.unit if series else "None"

    def listing(self, scope: Scope) -> list[Series]:
        """Every series of an account and region."""
        with self._lock:
            return list(self._series[scope].values())

    def prune(self, now: float) -> None:
        """Apply retention; called from time to time."""
        with self._lock:
            for series in [each for known in self._series.values() for each in known.values()]:
                series.prune(int(now))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._series.clear()
