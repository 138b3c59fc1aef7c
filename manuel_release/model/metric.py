"""One number over time, as CloudWatch keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Metric:
    """A metric and what is asked of it: one statistic for each period (seconds); dimensions are (name, value)."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


@dataclass(frozen=True)
class MetricAnswers:
    """Values by the beginning of their period, in seconds since 1970; a period without data has none.

    failed: the metrics that CloudWatch could not or would not read, with its reason.
    """

    values: Mapping[Metric, Mapping[int, float]] = field(default_factory=dict)
    failed: Mapping[Metric, str] = field(default_factory=dict)
