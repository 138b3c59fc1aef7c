"""Answers of CloudWatch -> counts of both arms; pure.

Two sources, and why both: docs/verdict-data.md. The functions' embedded metrics (one-second resolution, dimensions
`service` and `release`) give requests, errors and latencies of every interval. AWS/Lambda's per-alias metrics (minutes,
`Resource` = NAME:ALIAS) know the invocations that ended before a function could write anything: a time-out, lack of
memory, a crash at import, a throttle. AWS/ApiGateway's 5XXError knows even those that reached no function, without
telling the arms apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.metric import Metric
from manuel_release.verdict import ArmCounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Known = Mapping[Metric, Mapping[int, float]]

NAMESPACE = "Manuel/Application"
MINUTE = 60
EDGES_MS = (50.0, 100.0, 200.0, 400.0, 700.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10000.0)
"""Upper edges of the latency buckets: finer where answers are, and the specification's 5 s and 10 s."""

QUOTA_VIOLATIONS = "QuotaViolations"
ATTEMPTS = {
    "QuerySuccess": ("queries", "query_failures"),
    "TranscriptionSuccess": ("transcriptions", "transcription_failures"),
}
"""Metrics that are 1 for each success and 0 for each failure, and the judge's counters that they give."""


@dataclass(frozen=True)
class ArmSource:
    """One arm: the alias that the API calls, and the release that the functions behind it say they are."""

    alias: str
    release: str


@dataclass(frozen=True)
class Source:
    """What is counted: functions by name, the API's name and stage, and the interval's length in seconds."""

    functions: tuple[str, ...]
    stable: ArmSource
    canary: ArmSource
    api_name: str
    api_stage: str
    interval_seconds: int = 10

    @property
    def arms(self) -> tuple[ArmSource, ArmSource]:
        """Stable and canary, in the judge's order."""
        return self.stable, self.canary


@dataclass(frozen=True)
class MinuteCounts:
    """One arm in one minute by AWS/Lambda: invocations that began, failed without an answer, or were not let in."""

    invocations: int
    errors: int
    throttles: int


def fast_metrics(source: Source) -> tuple[Metric, ...]:
    """The embedded metrics of both arms, for every interval."""
    return tuple(
        metric
        for arm in source.arms
        for function in source.functions
        for metric in (
            *(_embedded(source, arm, function, name) for name in ("Requests", "Errors4xx", "Errors5xx")),
            _embedded(source, arm, function, QUOTA_VIOLATIONS),
            *(_embedded(source, arm, function, name, how) for name in ATTEMPTS for how in ("SampleCount", "Sum")),
            *_latencies(source, arm, function),
        )
    )


def minute_metrics(source: Source) -> tuple[Metric, ...]:
    """What AWS itself counts, for every minute."""
    api = (("ApiName", source.api_name), ("Stage", source.api_stage))
    return (
        *(
            _lambda(arm, function, name)
            for arm in source.arms
            for function in source.functions
            for name in ("Invocations", "Errors", "Throttles")
        ),
        Metric("AWS/ApiGateway", "5XXError", api, "Sum", MINUTE),
    )


def _embedded(source: Source, arm: ArmSource, function: str, name: str, statistic: str = "Sum") -> Metric:
    dimensions = (("service", function), ("release", arm.release))
    return Metric(NAMESPACE, name, dimensions, statistic, source.interval_seconds)


def _latencies(source: Source, arm: ArmSource, function: str) -> Iterator[Metric]:
    """One metric for each bucket but the last: how many values lie above the lower edge, up to the upper one."""
    for low, high in zip((None, *EDGES_MS), EDGES_MS, strict=False):
        bounds = f"TC({'' if low is None else f'{low:g}'}:{high:g})"
        yield _embedded(source, arm, function, "Duration", bounds)


def _lambda(arm: ArmSource, function: str, name: str) -> Metric:
    dimensions = (("FunctionName", function), ("Resource", f"{function}:{arm.alias}"))
    return Metric("AWS/Lambda", name, dimensions, "Sum", MINUTE)


def _value(known: Known, metric: Metric, at: int) -> int:
    return round(known.get(metric, {}).get(at, 0.0))


def interval_counts(known: Known, source: Source, arm: ArmSource, at: int) -> ArmCounts:
    """One arm in the interval that begins at `at` (seconds since 1970), over all functions, by embedded metrics."""

    def total(name: str, how: str = "Sum") -> int:
        return sum(_value(known, _embedded(source, arm, function, name, how), at) for function in source.functions)

    requests = total("Requests")
    counters = {"quota_violations": total(QUOTA_VIOLATIONS)}
    for name, (attempts, failures) in ATTEMPTS.items():
        counters[attempts] = total(name, "SampleCount")
        counters[failures] = max(0, counters[attempts] - total(name))
    buckets = [0] * len(EDGES_MS)
    for function in source.functions:
        for number, metric in enumerate(_latencies(source, arm, function)):
            buckets[number] += _value(known, metric, at)
    return ArmCounts(
        requests=requests,
        errors_4xx=total("Errors4xx"),
        errors_5xx=total("Errors5xx"),
        hist=(*buckets, max(0, requests - sum(buckets))),
        counters=counters,
    )


def served(known: Known, source: Source, arm: ArmSource, function: str, minute: int) -> int:
    """Requests of one function's arm in the minute that begins at `minute`, by embedded metrics."""
    values = known.get(_embedded(source, arm, function, "Requests"), {})
    return round(sum(values.get(at, 0.0) for at in range(minute, minute + MINUTE, source.interval_seconds)))


def minute_counts(known: Known, arm: ArmSource, function: str, minute: int) -> MinuteCounts:
    """One function's arm in the minute that begins at `minute`, by AWS/Lambda."""
    return MinuteCounts(
        *(_value(known, _lambda(arm, function, n), minute) for n in ("Invocations", "Errors", "Throttles"))
    )


def api_failures(known: Known, source: Source, minute: int) -> int:
    """The API's 5xx of both arms together in the minute that begins at `minute`."""
    return _value(known, minute_metrics(source)[-1], minute)


def logged_metric(*, canary: bool) -> Metric:
    """The access log's 5xx of one arm as a series like the others; it is read only where the others disagree."""
    return Metric("access log", "5xx", (("isCanaryRequest", str(canary).lower()),), "Sum", MINUTE)


def unseen(known: Known, source: Source, arm: ArmSource, minute: int) -> ArmCounts:
    """What embedded metrics cannot show of one arm's minute: requests that failed before a function could write.

    API Gateway answers them with 502 (the function failed) or 500 (throttled): Lambda developer guide, "Handling Lambda
    errors with an API Gateway API". Where the access log was read it also knows those that reached no function; an
    interval on either side is allowed for, because a request may be counted in one minute and logged in the next.
    """
    found = [minute_counts(known, arm, function, minute) for function in source.functions]
    errors, throttles = sum(one.errors for one in found), sum(one.throttles for one in found)
    failed = errors + throttles
    logged = _value(known, logged_metric(canary=arm == source.canary), minute)
    if logged:
        step = source.interval_seconds
        around = range(minute - step, minute + MINUTE + step, step)
        failed = max(failed, logged - sum(interval_counts(known, source, arm, at).errors_5xx for at in around))
    return ArmCounts(requests=failed, errors_5xx=failed, counters={"function_errors": errors, "throttles": throttles})
