"""What the alarms of one release watch.

They are the specification's "Automatic Rollback Triggers" and "CloudWatch Alarms for Canary", on this release alone.

Two kinds of series know the release. The functions' own metrics carry it as a dimension, whichever alias was called.
AWS/Lambda knows aliases: a canary's (and a pinned release's) requests call `NAME:r-<n>`; a release that holds 100 % is
called through `NAME:live`, where the version that ran tells it from the one before. An alarm takes ten metrics at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html), so that these two are two alarms.
DynamoDB knows no release: its throttles are the table's, for both arms; that is for the decision to weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.alarm import AlarmDefinition, Comparison, ReleaseAlarm, Signal
from manuel_release.model.metric import Metric
from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "Manuel/Application"
BACKGROUND = "process-manual"
"""The function that no request waits for: it is called by S3, through `live`."""
MOST_METRICS = 10
MOST_FOR_CODEDEPLOY = 10
"""https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html"""
LEAST = 20
"""A share of fewer attempts than this in five minutes says nothing; the specification gives no number."""
MINUTE, FIVE_MINUTES = 60, 300

Metrics = dict[str, Metric]


@dataclass(frozen=True)
class Watched:
    """One release of one environment.

    environment: its short name. functions: all, by name. versions: function name -> the release's version; a function
    without one is not watched through `live`.
    """

    environment: str
    release: str
    functions: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def api(self) -> tuple[str, ...]:
        """The functions that answer requests."""
        return tuple(name for name in self.functions if name != self.named(BACKGROUND))

    def named(self, part: str) -> str:
        """The environment's function or table of that name."""
        return f"manuel-{part}-{self.environment}"


def definitions(watched: Watched) -> tuple[AlarmDefinition, ...]:
    """Every alarm of the release; the first ten are those that CodeDeploy gets.

    Raises ReleaseError when the service has more functions than an alarm can take.
    """
    made = (
        _server_errors(watched),
        _function_errors(watched),
        _live_function_errors(watched),
        _latency(watched, Signal.LATENCY, 10_000, 5, Comparison.ABOVE),
        _throttles(watched),
        _rate(watched, Signal.SERVER_ERROR_RATE, "Errors5xx", "server errors"),
        _latency(watched, Signal.SLOWNESS, 5_000, 10, Comparison.AT_LEAST),
        _attempts(watched, Signal.QUERY_SUCCESS),
        _attempts(watched, Signal.TRANSCRIPTION_FAILURES),
        _quota(watched),
        _rate(watched, Signal.CLIENT_ERROR_RATE, "Errors4xx", "refused (4xx)"),
    )
    for each in made:
        if len(each.metrics) > MOST_METRICS:
            raise ReleaseError(
                f"the alarm {each.name} would watch {len(each.metrics)} metrics: CloudWatch takes {MOST_METRICS}, and "
                f"the service has {len(watched.functions)} functions",
                hint="Split that alarm in manuel_release/model/release_alarms.py.",
            )
    return made


def names(environment: str, release: str) -> tuple[str, ...]:
    """Names of the alarms that CodeDeploy gets, ten at most; `environment` is the short name.

    Without the rate of refused requests: it takes ten minutes, which is longer than CodeDeploy moves traffic.
    """
    wanted = (signal for signal in Signal if signal is not Signal.CLIENT_ERROR_RATE)
    return tuple(ReleaseAlarm(environment, release, signal).name for signal in wanted)[:MOST_FOR_CODEDEPLOY]


def _alarm(  # noqa: PLR0917 - the columns of a table
    watched: Watched,
    signal: Signal,
    description: str,
    expression: str,
    metrics: Metrics,
    threshold: float,
    comparison: Comparison = Comparison.ABOVE,
    periods: int = 1,
) -> AlarmDefinition:
    name = ReleaseAlarm(watched.environment, watched.release, signal).name
    return AlarmDefinition(
        name, signal, f"{watched.release}: {description}", expression, metrics, comparison, threshold, periods
    )


def _own(watched: Watched, function: str, metric: str, statistic: str = "Sum", period: int = FIVE_MINUTES) -> Metric:
    """A metric that the function writes itself."""
    return Metric(NAMESPACE, metric, (("service", function), ("release", watched.release)), statistic, period)


def _errors(function: str, alias: str, version: str | None = None) -> Metric:
    """Invocations without an answer, by AWS/Lambda: an exception, a time-out, lack of memory."""
    by_version = (("ExecutedVersion", version),) if version is not None else ()
    dimensions = (("FunctionName", function), ("Resource", f"{function}:{alias}"), *by_version)
    return Metric("AWS/Lambda", "Errors", dimensions, "Sum", FIVE_MINUTES)


def _numbered(letter: str, metrics: list[Metric]) -> Metrics:
    return {f"{letter}{number}": metric for number, metric in enumerate(metrics, start=1)}


def _sum(metrics: Metrics) -> str:
    """Their sum; a series without data counts nothing."""
    return " + ".join(f"FILL({name}, 0)" for name in metrics) or "0"


def _server_errors(watched: Watched) -> AlarmDefinition:
    own = _numbered("e", [_own(watched, name, "Errors5xx") for name in watched.api])
    crashed = _numbered("c", [_errors(name, watched.release) for name in watched.api])
    metrics = own | crashed
    text = "more than 5 requests in 5 minutes were answered with a server error, or not at all."
    return _alarm(watched, Signal.SERVER_ERRORS, text, _sum(metrics), metrics, 5)


def _function_errors(watched: Watched) -> AlarmDefinition:
    metrics = _numbered("f", [_errors(name, watched.release) for name in watched.functions])
    text = f"more than 10 invocations through the alias {watched.release} failed in 5 minutes."
    return _alarm(watched, Signal.FUNCTION_ERRORS, text, _sum(metrics), metrics, 10)


def _live_function_errors(watched: Watched) -> AlarmDefinition:
    there = [(name, watched.versions[name]) for name in watched.functions if name in watched.versions]
    metrics = _numbered("f", [_errors(name, LIVE, version) for name, version in there])
    text = "more than 10 invocations of its versions through the alias live failed in 5 minutes."
    return _alarm(watched, Signal.LIVE_FUNCTION_ERRORS, text, _sum(metrics), metrics, 10)


def _latency(
    watched: Watched, signal: Signal, milliseconds: int, minutes: int, comparison: Comparison
) -> AlarmDefinition:
    """The slowest function's P95: percentiles of several functions cannot be joined to one."""
    metrics = _numbered("p", [_own(watched, name, "Duration", "p95", MINUTE) for name in watched.api])
    slowest = f"MAX([{', '.join(f'FILL({name}, 0)' for name in metrics)}])"
    text = f"for {minutes} minutes a function's P95 was at {milliseconds / 1000:g} s or more."
    return _alarm(watched, signal, text, slowest, metrics, milliseconds, comparison, minutes)


def _throttles(watched: Watched) -> AlarmDefinition:
    tables = (watched.named("usage"), watched.named("rate-limit"))
    kinds = ("ReadThrottleEvents", "WriteThrottleEvents")
    metrics = _numbered(
        "t",
        [Metric("AWS/DynamoDB", kind, (("TableName", t),), "Sum", FIVE_MINUTES) for t in tables for kind in kinds],
    )
    text = "DynamoDB throttled more than 5 requests to the service's tables in 5 minutes, of whichever release."
    return _alarm(watched, Signal.THROTTLES, text, _sum(metrics), metrics, 5)


def _rate(watched: Watched, signal: Signal, metric: str, what: str) -> AlarmDefinition:
    failed = _numbered("e", [_own(watched, name, metric, period=MINUTE) for name in watched.api])
    requests = _numbered("r", [_own(watched, name, "Requests", period=MINUTE) for name in watched.api])
    share = f"IF(({_sum(requests)}) > 0, 100 * ({_sum(failed)}) / ({_sum(requests)}), 0)"
    text = f"for 10 minutes in a row at least 1 % of its requests were {what}."
    return _alarm(watched, signal, text, share, failed | requests, 1, Comparison.AT_LEAST, 10)


def _attempts(watched: Watched, signal: Signal) -> AlarmDefinition:
    """A metric that is 1 for each success and 0 for each failure: its average is the share of successes."""
    part, metric = {
        Signal.QUERY_SUCCESS: ("query", "QuerySuccess"),
        Signal.TRANSCRIPTION_FAILURES: ("transcribe", "TranscriptionSuccess"),
    }[signal]
    metrics = {
        "attempts": _own(watched, watched.named(part), metric, "SampleCount"),
        "successes": _own(watched, watched.named(part), metric),
    }
    enough, share = f"FILL(attempts, 0) >= {LEAST}", "100 * FILL(successes, 0) / attempts"
    if signal is Signal.QUERY_SUCCESS:
        text = f"fewer than 95 % of its queries succeeded in 5 minutes (of {LEAST} or more)."
        return _alarm(watched, signal, text, f"IF({enough}, {share}, 100)", metrics, 95, Comparison.BELOW)
    text = f"more than 5 % of its transcriptions failed in 5 minutes (of {LEAST} or more)."
    return _alarm(watched, signal, text, f"IF({enough}, 100 - {share}, 0)", metrics, 5)


def _quota(watched: Watched) -> AlarmDefinition:
    """Quota that fails as a system: one user over the limit is ordinary, every twentieth request is not."""
    limited = [watched.named("query"), watched.named("transcribe")]
    refused = _numbered("q", [_own(watched, name, "QuotaViolations") for name in limited])
    requests = _numbered("r", [_own(watched, name, "Requests") for name in limited])
    share = f"IF(({_sum(requests)}) >= {LEAST}, 100 * ({_sum(refused)}) / ({_sum(requests)}), 0)"
    text = (
        f"more than 5 % of its queries and transcriptions were refused by the quota in 5 minutes (of {LEAST} or more)."
    )
    return _alarm(watched, Signal.QUOTA_FAILURES, text, share, refused | requests, 5)
