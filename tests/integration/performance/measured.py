"""What a run measured: latencies and errors of each scenario, as kept for the releases to come."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.gates.regression import at, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION = 1
QUANTILES = (0.5, 0.95)
KEPT = 10_000  # latencies of a scenario in a record
STEPS = 4  # bars of the histogram from one latency to its double


@dataclass(frozen=True)
class Measurement:
    """One scenario. milliseconds: of every measured request in order, errors included; errors: reason to number."""

    name: str
    milliseconds: tuple[float, ...]
    errors: Mapping[str, int] = field(default_factory=dict)
    warm_up: int = 0
    warm_up_errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many were measured."""
        return len(self.milliseconds)

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(self.errors.values())

    @property
    def error_percent(self) -> float:
        """0 to 100."""
        return 100 * self.failed / self.requests if self.requests else 0.0

    def at(self, quantile: float) -> float:
        """Milliseconds of a quantile (0 to 1), NaN where nothing was measured."""
        return at(self.milliseconds, quantile) if self.milliseconds else math.nan

    def interval(self, quantile: float) -> tuple[float, float] | None:
        """The quantile's 95 % interval in milliseconds, None where the requests are too few for one."""
        return interval(self.milliseconds, quantile)

    def as_json(self) -> dict[str, Any]:
        """Numbers for people and gates, with the raw histogram and sample; `read` makes a measurement of it again."""
        return {
            "requests": self.requests,
            "errors": dict(self.errors),
            "error_percent": round(self.error_percent, 3),
            **{f"p{quantile * 100:.0f}_ms": _number(self.at(quantile)) for quantile in QUANTILES},
            **{f"p{quantile * 100:.0f}_interval_ms": self.interval(quantile) for quantile in QUANTILES},
            "warm_up_requests": self.warm_up,
            "warm_up_errors": dict(self.warm_up_errors),
            "histogram_ms": histogram(self.milliseconds),
            "sample_ms": sample(self.milliseconds),
        }


@dataclass(frozen=True)
class Record:
    """One run of one release, as it is kept. ok: it passed, so that it may be what later releases are compared with."""

    environment: str
    profile: str
    release: str
    commit: str
    started_at: str
    ok: bool
    scenarios: Mapping[str, Measurement]

    def as_json(self) -> dict[str, Any]:
        """The record for the store."""
        return {
            "schema_version": SCHEMA_VERSION,
            "environment": self.environment,
            "profile": self.profile,
            "release": self.release,
            "commit": self.commit,
            "started_at": self.started_at,
            "ok": self.ok,
            "scenarios": {name: one.as_json() for name, one in self.scenarios.items()},
        }


def read(document: Mapping[str, Any]) -> Record:
    """A record out of the store; raises KeyError, TypeError or ValueError for what is none."""
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {document['schema_version']} is not {SCHEMA_VERSION}")
    return Record(
        environment=str(document["environment"]),
        profile=str(document["profile"]),
        release=str(document["release"]),
        commit=str(document["commit"]),
        started_at=str(document["started_at"]),
        ok=bool(document["ok"]),
        scenarios={
            name: Measurement(
                name,
                tuple(float(value) for value in one["sample_ms"]),
                one["errors"],
                one["warm_up_requests"],
                one["warm_up_errors"],
            )
            for name, one in document["scenarios"].items()
        },
    )


def from_load(told: Mapping[str, Any]) -> dict[str, Measurement]:
    """The measurements in what load.py printed."""
    return {
        name: Measurement(
            name, tuple(one["milliseconds"]), one["errors"], int(one["warm_up"]), dict(one["warm_up_errors"])
        )
        for name, one in told["scenarios"].items()
    }


def histogram(milliseconds: Sequence[float]) -> list[tuple[float, int]]:
    """Upper bounds in milliseconds, STEPS to a doubling, and how many latencies are above the bound before."""
    counted = Counter(math.ceil(STEPS * math.log2(max(one, 0.01))) for one in milliseconds)
    return [(round(2 ** (step / STEPS), 2), counted[step]) for step in sorted(counted)]


def sample(milliseconds: Sequence[float]) -> list[float]:
    """All latencies in their order, or every n-th when there are more than KEPT."""
    count = len(milliseconds)
    if count <= KEPT:
        return list(milliseconds)
    return [milliseconds[index * count // KEPT] for index in range(KEPT)]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
