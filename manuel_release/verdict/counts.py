"""What goes in: counts of one arm in one interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Arm(Protocol):
    """Any object with these attributes is one arm's interval; ArmCounts says what they mean and adds optional ones."""

    @property
    def requests(self) -> int:
        """Requests in the interval."""

    @property
    def errors_4xx(self) -> int:
        """Requests answered 4xx."""

    @property
    def errors_5xx(self) -> int:
        """Requests answered 5xx."""

    @property
    def hist(self) -> Sequence[int]:
        """Latency counts in ascending buckets."""

    @property
    def weight(self) -> float:
        """The canary's share 0-1 that the tool set."""


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Counts of one arm in one interval.

    `hist` are latency counts in ascending buckets, the same buckets for both arms and all intervals; empty when
    latency is not measured. `weight` is the canary's share 0-1 that the tool set, on both arms. `counters` are further
    counts by name, for example `queries` and `query_failures`; a name that is absent was not measured. `complete` is
    False when two sources of these counts disagree or one is late.
    """

    requests: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    hist: tuple[int, ...] = ()
    weight: float = 0.0
    counters: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True


def _count(value: Any, name: str) -> int:
    if not (math.isfinite(value) and value >= 0):
        message = f"{name} is not a count: {value!r}"
        raise ValueError(message)
    return int(value)


def _buckets(hist: Sequence[int] | None) -> tuple[int, ...]:
    try:
        return () if hist is None else tuple(map(int, hist))
    except (OverflowError, ValueError) as error:
        message = f"hist holds what is no count: {error}"
        raise ValueError(message) from error


def read(arm: Arm, *, weighted: bool = False) -> ArmCounts:
    """Copy and check one arm's interval; `weighted` says that its weight is needed.

    A negative or non-finite count, or a weight outside 0-1, raises ValueError. More errors than requests (late metrics)
    is possible on AWS: the requests are raised to the errors, and the interval is marked incomplete.
    """
    requests = _count(arm.requests, "requests")
    errors_4xx = _count(arm.errors_4xx, "errors_4xx")
    errors_5xx = _count(arm.errors_5xx, "errors_5xx")
    weight = float(arm.weight) if weighted else 0.0
    if not 0.0 <= weight <= 1.0:
        message = f"weight is not a share 0-1: {weight!r}"
        raise ValueError(message)
    errors = errors_4xx + errors_5xx
    hist = _buckets(arm.hist)
    if hist and min(hist) < 0:
        message = f"hist has a negative count: {min(hist)}"
        raise ValueError(message)
    counters = {name: _count(value, name) for name, value in (getattr(arm, "counters", None) or {}).items()}
    complete = bool(getattr(arm, "complete", True)) and errors <= requests
    return ArmCounts(max(requests, errors), errors_4xx, errors_5xx, hist, weight, counters, complete)
