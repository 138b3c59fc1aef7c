"""Judged intervals as the ledger keeps them, and back: an observer that starts anew comes to the same verdict.

One item for each interval, keyed by its end in seconds since 1970, and one at the canary's beginning with what the
stable arm did before. CloudWatch would have forgotten them after three hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.observe.counts import EDGES_MS
from manuel_release.observe.intake import Mark
from manuel_release.verdict import ArmCounts, LimitsMode, Routing, Settings
from manuel_release.verdict.replay import RecordedInterval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from manuel_release.model.canary_run import CanaryRun
    from manuel_release.settings import Settings as ToolSettings

    Kept = tuple[float, Mapping[str, Any]]


@dataclass(frozen=True)
class Judged:
    """One interval that was judged, or (`canary` None, at the beginning) the warm-up; what goes into the ledger."""

    t: float
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Past:
    """What is known of a canary from before.

    run: the canary by the ledger; None when it has none of it. warmup, intervals: what was judged, ascending. mark:
    how far that goes; None for no interval. began: the second since 1970 that it counts from; None where it has none.
    """

    run: CanaryRun | None = None
    warmup: Sequence[RecordedInterval] = ()
    intervals: Sequence[RecordedInterval] = ()
    mark: Mark | None = None
    began: int | None = None


def past(run: CanaryRun | None, kept: Iterable[Kept]) -> Past:
    """The past of a canary from the ledger's judged intervals of its release; those of an earlier canary do not count.

    Args:
        run: the canary by the ledger.
        kept: `Ledger.counts` of its release, oldest first.
    """
    if run is None or run.started_at is None:
        return Past()
    since = run.started_at.timestamp()
    own = [(t, payload) for t, payload in kept if float(payload["began"]) >= since - 1]
    if not own:
        return Past(run)
    began = int(own[0][1]["began"])
    own = [(t, payload) for t, payload in own if int(payload["began"]) == began]
    warmup = [each for _, payload in own for each in payload.get("warmup", ())]
    judged = [(t, payload) for t, payload in own if "stable" in payload]
    mark = None
    if judged:
        mark = Mark(int(judged[-1][0]), max(int(payload["minutes_until"]) for _, payload in judged))
    return Past(
        run,
        tuple(RecordedInterval(float(row[0]), _arm(row[1]), None) for row in warmup),
        tuple(RecordedInterval(t - began, _arm(payload["stable"]), _arm(payload["canary"])) for t, payload in judged),
        mark,
        began,
    )


def kept_warmup(began: int, warmup: Iterable[RecordedInterval]) -> Judged:
    """The warm-up as one item, at the canary's beginning."""
    rows = [[interval.t, _row(interval.stable)] for interval in warmup if interval.stable is not None]
    return Judged(float(began), {"began": began, "warmup": rows})


def kept_interval(began: int, interval: RecordedInterval, minutes_until: int) -> Judged | None:
    """An interval as an item; None for one without counts."""
    if interval.stable is None or interval.canary is None:
        return None
    payload = {
        "began": began,
        "minutes_until": minutes_until,
        "stable": _row(interval.stable),
        "canary": _row(interval.canary),
    }
    return Judged(began + interval.t, payload)


def _row(arm: ArmCounts) -> dict[str, Any]:
    row: dict[str, Any] = {"requests": arm.requests, "errors_4xx": arm.errors_4xx, "errors_5xx": arm.errors_5xx}
    row |= {"hist": list(arm.hist), "weight": arm.weight, "complete": arm.complete}
    return row | {"counters": dict(arm.counters)}


def _arm(row: Mapping[str, Any]) -> ArmCounts:
    return ArmCounts(
        requests=int(row["requests"]),
        errors_4xx=int(row["errors_4xx"]),
        errors_5xx=int(row["errors_5xx"]),
        hist=tuple(int(number) for number in row["hist"]),
        weight=float(row["weight"]),
        counters={name: int(number) for name, number in row["counters"].items()},
        complete=bool(row["complete"]),
    )


BUSINESS = ("query_failures", "transcription_failures", "quota_violations")
"""Counters that are judged; throttles are 5xx already."""


def judged_by(settings: ToolSettings) -> Settings:
    """The judge's settings, as far as a team chooses them.

    API Gateway separates a canary's traffic at random, request by request, and so does a Lambda alias
    (docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html): no user stays on one arm.
    """
    return Settings(
        routing=Routing.PER_REQUEST,
        business=BUSINESS,
        edges_ms=EDGES_MS,
        limits=LimitsMode(settings.limits),
        margin_5xx_percent=settings.canary_margin_5xx_percent,
        margin_4xx_percent=settings.canary_margin_4xx_percent,
        margin_slow_percent=settings.canary_margin_slow_percent,
        start_grace_seconds=settings.canary_start_grace_seconds,
        step_grace_seconds=settings.canary_step_grace_seconds,
        stale_seconds=settings.canary_stale_seconds,
    )
