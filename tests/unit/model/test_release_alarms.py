"""What the alarms of a release ring for, computed by the embedded AWS's own metric math over numbers written here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests_root import ROOT

from manuel_release.errors import ReleaseError
from manuel_release.model.alarm import ReleaseAlarm, Signal, parse, prefix
from manuel_release.model.release_alarms import Watched, definitions, names
from manuel_release.rehearsal.emulator.metric_queries import MetricStat, compute, parse_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.alarm import AlarmDefinition

PARTS = ("health", "manuals", "process-manual", "query", "transcribe", "usage")
FUNCTIONS = tuple(f"manuel-{part}-prod" for part in PARTS)
WATCHED = Watched("prod", "r-13", FUNCTIONS, dict.fromkeys(FUNCTIONS, "7"))
Given = dict[tuple[str, str, str], float | None]
"""(function or table, metric, what tells the arm) -> value in every period; the rest is missing."""


def of(signal: Signal) -> AlarmDefinition:
    (found,) = [each for each in definitions(WATCHED) if each.signal is signal]
    return found


def queries(alarm: AlarmDefinition) -> list[dict[str, Any]]:
    stats = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions],
                },
                "Period": metric.period,
                "Stat": metric.statistic,
            },
        }
        for name, metric in alarm.metrics.items()
    ]
    return [{"Id": "watched", "Expression": alarm.expression}, *stats]


def arm_of(stat: MetricStat) -> str:
    dimensions = stat.dimensions
    qualifier = dimensions.get("Resource", "").rpartition(":")[2]
    return dimensions.get("release") or qualifier + "".join(f"/{v}" for k, v in dimensions.items() if "Version" in k)


def fetch(given: Given) -> Callable[[MetricStat], list[float | None]]:
    def read(stat: MetricStat) -> list[float | None]:
        owner = next(stat.dimensions[k] for k in ("service", "FunctionName", "TableName") if k in stat.dimensions)
        metric = f"{stat.name} {stat.statistic}"
        return [given.get((owner, metric, arm_of(stat)), given.get((owner, stat.name, arm_of(stat))))]

    return read


def breaks(signal: Signal, given: Given) -> bool:
    """Whether one period with these values breaks the alarm's threshold."""
    alarm = of(signal)
    (value,) = compute(parse_queries(queries(alarm)), fetch(given), 1, 60)["watched"]
    assert value is not None, "a gap must never be the answer"
    return {
        "GreaterThanThreshold": value > alarm.threshold,
        "GreaterThanOrEqualToThreshold": value >= alarm.threshold,
        "LessThanThreshold": value < alarm.threshold,
    }[alarm.comparison]


def span(signal: Signal) -> int:
    """Seconds that the threshold must be broken for."""
    alarm = of(signal)
    (period,) = {metric.period for metric in alarm.metrics.values()}
    return alarm.periods * period


QUERY, HEALTH, PROCESS, TRANSCRIBE = (f"manuel-{p}-prod" for p in ("query", "health", "process-manual", "transcribe"))


@pytest.mark.parametrize("signal", list(Signal))
def test_a_release_without_traffic_breaks_nothing(signal: Signal) -> None:
    assert not breaks(signal, {})


@pytest.mark.parametrize(
    ("signal", "seconds", "below", "broken"),
    [
        (
            Signal.SERVER_ERRORS,
            300,
            {(QUERY, "Errors5xx", "r-13"): 3.0, (HEALTH, "Errors5xx", "r-13"): 2.0},
            {(QUERY, "Errors5xx", "r-13"): 3.0, (HEALTH, "Errors", "r-13"): 3.0},
        ),
        (
            Signal.FUNCTION_ERRORS,
            300,
            {(QUERY, "Errors", "r-13"): 10.0},
            {(QUERY, "Errors", "r-13"): 10.0, (PROCESS, "Errors", "r-13"): 1.0},
        ),
        (
            Signal.LIVE_FUNCTION_ERRORS,
            300,
            {(PROCESS, "Errors", "live/7"): 10.0},
            {(PROCESS, "Errors", "live/7"): 11.0},
        ),
        (Signal.LATENCY, 300, {(QUERY, "Duration", "r-13"): 10_000.0}, {(QUERY, "Duration", "r-13"): 10_001.0}),
        (
            Signal.THROTTLES,
            300,
            {("manuel-usage-prod", "ReadThrottleEvents", ""): 5.0},
            {
                ("manuel-usage-prod", "ReadThrottleEvents", ""): 5.0,
                ("manuel-rate-limit-prod", "WriteThrottleEvents", ""): 1.0,
            },
        ),
        (
            Signal.SERVER_ERROR_RATE,
            600,
            {(QUERY, "Errors5xx", "r-13"): 1.0, (QUERY, "Requests", "r-13"): 60.0, (HEALTH, "Requests", "r-13"): 41.0},
            {(QUERY, "Errors5xx", "r-13"): 1.0, (QUERY, "Requests", "r-13"): 60.0, (HEALTH, "Requests", "r-13"): 40.0},
        ),
        (
            Signal.CLIENT_ERROR_RATE,
            600,
            {(QUERY, "Errors4xx", "r-13"): 1.0, (QUERY, "Requests", "r-13"): 101.0},
            {(QUERY, "Errors4xx", "r-13"): 1.0, (QUERY, "Requests", "r-13"): 100.0},
        ),
        (
            Signal.SLOWNESS,
            600,
            {(QUERY, "Duration", "r-13"): 4_999.0, (HEALTH, "Duration", "r-13"): 3.0},
            {(QUERY, "Duration", "r-13"): 5_000.0, (HEALTH, "Duration", "r-13"): 3.0},
        ),
        (
            Signal.QUERY_SUCCESS,
            300,
            {(QUERY, "QuerySuccess SampleCount", "r-13"): 20.0, (QUERY, "QuerySuccess Sum", "r-13"): 19.0},
            {(QUERY, "QuerySuccess SampleCount", "r-13"): 20.0, (QUERY, "QuerySuccess Sum", "r-13"): 18.0},
        ),
        (
            Signal.TRANSCRIPTION_FAILURES,
            300,
            {
                (TRANSCRIBE, "TranscriptionSuccess SampleCount", "r-13"): 100.0,
                (TRANSCRIBE, "TranscriptionSuccess Sum", "r-13"): 95.0,
            },
            {
                (TRANSCRIBE, "TranscriptionSuccess SampleCount", "r-13"): 100.0,
                (TRANSCRIBE, "TranscriptionSuccess Sum", "r-13"): 94.0,
            },
        ),
        (
            Signal.QUOTA_FAILURES,
            300,
            {
                (QUERY, "QuotaViolations", "r-13"): 2.0,
                (QUERY, "Requests", "r-13"): 20.0,
                (TRANSCRIBE, "Requests", "r-13"): 20.0,
            },
            {
                (QUERY, "QuotaViolations", "r-13"): 2.0,
                (QUERY, "Requests", "r-13"): 20.0,
                (TRANSCRIBE, "Requests", "r-13"): 19.0,
            },
        ),
    ],
    ids=lambda value: value.value if isinstance(value, Signal) else "",
)
def test_each_alarm_rings_above_the_number_of_the_specification_and_not_at_it(
    signal: Signal, seconds: int, below: Given, broken: Given
) -> None:
    assert span(signal) == seconds
    assert not breaks(signal, below)
    assert breaks(signal, broken)


def test_another_release_and_another_version_do_not_count() -> None:
    assert not breaks(Signal.SERVER_ERRORS, {(QUERY, "Errors5xx", "r-12"): 99.0, (QUERY, "Errors", "live"): 99.0})
    assert not breaks(Signal.FUNCTION_ERRORS, {(QUERY, "Errors", "r-12"): 99.0, (QUERY, "Errors", "live/6"): 99.0})
    assert not breaks(Signal.LIVE_FUNCTION_ERRORS, {(QUERY, "Errors", "live/6"): 99.0, (QUERY, "Errors", "live"): 99.0})


def test_a_few_failed_attempts_are_not_a_share() -> None:
    few: Given = {(QUERY, "QuerySuccess SampleCount", "r-13"): 19.0, (QUERY, "QuerySuccess Sum", "r-13"): 0.0}

    assert not breaks(Signal.QUERY_SUCCESS, few)


def test_nobody_waits_for_the_function_that_processes_manuals() -> None:
    slow: Given = {(PROCESS, "Duration", "r-13"): 60_000.0}

    assert not breaks(Signal.LATENCY, slow)
    assert not breaks(Signal.SLOWNESS, slow)


def test_codedeploy_gets_ten_of_them_each_one_made() -> None:
    given = names("prod", "r-13")

    assert len(given) == 10
    assert len(set(given)) == 10
    assert set(given) < {alarm.name for alarm in definitions(WATCHED)}


def test_no_alarm_of_the_template_s_functions_has_more_metrics_than_cloudwatch_takes() -> None:
    text = (ROOT / "template.yaml").read_text()
    found = re.findall(r"FunctionName: !Sub 'manuel-([a-z-]+)-\$\{Environment\}'", text)
    functions = tuple(f"manuel-{part}-prod" for part in found)

    made = definitions(Watched("prod", "r-13", functions, dict.fromkeys(functions, "7")))

    assert set(found) == set(PARTS)
    assert max(len(alarm.metrics) for alarm in made) == 10


def test_the_tables_whose_throttles_are_watched_are_the_template_s() -> None:
    tables = [line for line in (ROOT / "template.yaml").read_text().splitlines() if "TableName: !Sub" in line]
    templated = {
        yaml.safe_load(line.replace("!Sub", ""))["TableName"].replace("${Environment}", "prod") for line in tables
    }

    assert {dict(m.dimensions)["TableName"] for m in of(Signal.THROTTLES).metrics.values()} == templated


def test_a_service_that_outgrows_an_alarm_is_told() -> None:
    functions = (*FUNCTIONS, "manuel-new-prod")

    with pytest.raises(ReleaseError, match=r"12 metrics: CloudWatch takes 10, and the service has 7 functions"):
        definitions(Watched("prod", "r-13", functions, {}))


def test_a_function_without_a_version_of_the_release_is_not_watched_through_live() -> None:
    made = definitions(Watched("prod", "r-13", FUNCTIONS, {QUERY: "7"}))

    (live,) = [alarm for alarm in made if alarm.signal is Signal.LIVE_FUNCTION_ERRORS]
    assert [dict(metric.dimensions)["FunctionName"] for metric in live.metrics.values()] == [QUERY]


@pytest.mark.parametrize("signal", list(Signal))
def test_an_alarm_s_name_says_whose_it_is(signal: Signal) -> None:
    alarm = ReleaseAlarm("prod", "r-13", signal)

    assert parse(alarm.name) == alarm
    assert alarm.name.startswith(prefix("prod", "r-13"))
    assert not alarm.name.startswith(prefix("prod", "r-1"))


@pytest.mark.parametrize(
    "name",
    ["manuel-prod-api-5xx-too-high", "manuel-prod-r-13-unknown", "manuel-prod-r-013-5xx", "manuel-prod-r-13-5xx\n"],
)
def test_any_other_alarm_belongs_to_no_release(name: str) -> None:
    assert parse(name) is None
