"""Metric data: dimensions, periods, statistics, resolutions, expressions, embedded metrics, reset."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from emulator.lambda_world import World, listed, refused, unique, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(cloud)
    yield world
    world.close()


@pytest.fixture
def namespace() -> str:
    return unique("Namespace")


def query(namespace: str, name: str, stat: str = "Sum", period: int = 60, **dimensions: str) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": listed(dimensions)}
    return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def asked(world: World, start: float, end: float, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    results = world.client("cloudwatch").get_metric_data(
        StartTime=start, EndTime=end, MetricDataQueries=list(queries), **more
    )["MetricDataResults"]
    return {result["Id"]: result for result in results}


def published(world: World, namespace: str, name: str, *data: dict[str, Any]) -> None:
    world.client("cloudwatch").put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": name, **datum} for datum in data]
    )


def minute() -> int:
    """Start of the minute before last; its datapoints are in the past whatever the clock does."""
    return int(time.time()) // 60 * 60 - 120


def test_dimensions_are_matched_exactly_and_none_means_the_series_without_any(world: World, namespace: str) -> None:
    world.put(namespace, "Hits", 1)
    world.put(namespace, "Hits", 10, service="a")
    world.put(namespace, "Hits", 100, service="a", release="r-1")
    assert world.total(namespace, "Hits") == 1
    assert world.total(namespace, "Hits", service="a") == 10
    assert world.total(namespace, "Hits", release="r-1", service="a") == 100
    assert world.total(namespace, "Hits", release="r-1") == 0


def test_values_with_counts_and_summaries_are_exact(world: World, namespace: str) -> None:
    when = minute()
    published(world, namespace, "M", {"Timestamp": when, "Values": [1.0, 5.0], "Counts": [9.0, 1.0], "Unit": "Seconds"})
    found = world.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="M",
        StartTime=when,
        EndTime=when + 60,
        Period=60,
        Statistics=["Sum", "Average", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]
    assert len(found) == 1
    point = found[0]
    assert point["Timestamp"].timestamp() == when
    assert (point["Unit"], point["Sum"], point["SampleCount"]) == ("Seconds", 14, 10)
    assert (point["Average"], point["Minimum"], point["Maximum"]) == (1.4, 1, 5)
    summary = {"SampleCount": 2, "Sum": 30, "Minimum": 10, "Maximum": 20}
    published(world, namespace, "M", {"Timestamp": when + 60, "StatisticValues": summary})
    found = asked(world, when, when + 120, query(namespace, "M"), query(namespace, "M", "p95") | {"Id": "p"})
    assert found["m"]["Values"] == [30, 14]
    assert found["p"]["Values"] == [pytest.approx(3.2)]


def test_percentiles_are_those_of_all_values_in_the_period(world: World, namespace: str) -> None:
    when = minute()
    for second in range(10):
        values = [float(second * 10 + each) for each in range(10)]
        published(world, namespace, "Latency", {"Timestamp": when + second, "Values": values})
    found = world.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        StartTime=when,
        EndTime=when + 60,
        Period=60,
        ExtendedStatistics=["p50", "p95", "p99.9"],
    )["Datapoints"]
    assert found[0]["ExtendedStatistics"] == {
        "p50": pytest.approx(49.5),
        "p95": pytest.approx(94.05),
        "p99.9": pytest.approx(98.901),
    }


def test_high_resolution_is_readable_by_one_and_ten_seconds_and_standard_resolution_is_not(
    world: World, namespace: str
) -> None:
    when = minute()
    for offset in (1, 2, 12):
        published(world, namespace, "Fine", {"Timestamp": when + offset, "Value": 1, "StorageResolution": 1})
        published(world, namespace, "Coarse", {"Timestamp": when + offset, "Value": 1})

    def seconds(name: str, period: int) -> dict[float, float]:
        found = asked(world, when, when + 60, query(namespace, name, period=period))[name.lower()]
        starts = [each.timestamp() - when for each in found["Timestamps"]]
        return dict(zip(starts, found["Values"], strict=True))

    assert seconds("Fine", 1) == {1: 1, 2: 1, 12: 1}
    assert seconds("Fine", 10) == {0: 2, 10: 1}
    assert seconds("Coarse", 1) == {0: 3}
    assert seconds("Coarse", 60) == {0: 3}


def test_the_newest_comes_first_unless_asked_otherwise_and_the_end_is_exclusive(world: World, namespace: str) -> None:
    when = minute()
    for index in range(3):
        published(world, namespace, "N", {"Timestamp": when - 60 * index, "Value": index})
    asking = (when - 120, when, query(namespace, "N"))
    assert asked(world, *asking)["n"]["Values"] == [1, 2]
    assert asked(world, *asking, ScanBy="TimestampAscending")["n"]["Values"] == [2, 1]


def test_start_times_are_rounded_down_to_the_minute(world: World, namespace: str) -> None:
    when = minute()
    published(world, namespace, "N", {"Timestamp": when + 5, "Value": 7})
    assert asked(world, when + 30, when + 60, query(namespace, "N"))["n"]["Values"] == [7]


def test_another_unit_reads_nothing(world: World, namespace: str) -> None:
    when = minute()
    published(world, namespace, "N", {"Timestamp": when, "Value": 7, "Unit": "Count"})
    right, wrong = query(namespace, "N"), query(namespace, "N")
    right["MetricStat"]["Unit"], wrong["MetricStat"]["Unit"], wrong["Id"] = "Count", "Bytes", "w"
    found = asked(world, when, when + 60, right, wrong)
    assert (found["n"]["Values"], found["w"]["Values"]) == ([7], [])


def test_expressions_are_computed_and_hidden_metrics_left_out(world: World, namespace: str) -> None:
    when = minute()
    published(world, namespace, "Errors", {"Timestamp": when, "Value": 3})
    for index in range(2):
        published(world, namespace, "Total", {"Timestamp": when + 60 * index, "Value": 60})
    hidden = [{**query(namespace, name), "ReturnData": False} for name in ("Errors", "Total")]
    rate = {"Id": "rate", "Expression": "100 * FILL(errors, 0) / total", "Label": "error rate"}
    found = asked(world, when, when + 120, *hidden, rate)
    assert set(found) == {"rate"}
    assert (found["rate"]["Values"], found["rate"]["Label"]) == ([0, 5], "error rate")


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"Id": "x", "Expression": "SEARCH('x', 'Sum')"}, "SEARCH"),
        ({"Id": "x", "Expression": "nope * 2"}, "nope"),
        (query("N", "N", "tm99"), "tm99"),
        (query("N", "N", period=61), "61"),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(world: World, wanted: dict[str, Any], text: str) -> None:
    with refused("ValidationError", text):
        asked(world, time.time() - 60, time.time(), wanted)


def test_metrics_are_listed_by_namespace_name_and_dimension(world: World, namespace: str) -> None:
    world.put(namespace, "A", 1, service="x")
    world.put(namespace, "B", 1, service="y", release="r-1")
    client = world.client("cloudwatch")

    def names(**filters: Any) -> list[str]:
        return [metric["MetricName"] for metric in client.list_metrics(Namespace=namespace, **filters)["Metrics"]]

    assert names() == ["A", "B"]
    assert names(MetricName="B") == ["B"]
    assert names(Dimensions=[{"Name": "service"}]) == ["A", "B"]
    assert names(Dimensions=[{"Name": "service", "Value": "x"}]) == ["A"]
    assert names(Dimensions=[{"Name": "release"}]) == ["B"]


def test_accounts_and_regions_do_not_see_each_others_metrics(
    world: World, namespace: str, cloud: EmbeddedCloud
) -> None:
    world.put(namespace, "N", 1)
    for account, region in (("999999999999", "eu-west-1"), ("123456789012", "us-east-1")):
        other = boto3.client(
            "cloudwatch",
            endpoint_url=cloud.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="x",
        )
        assert other.list_metrics(Namespace=namespace)["Metrics"] == []
        other.close()


def test_older_clients_are_answered_in_xml(world: World, namespace: str, cloud: EmbeddedCloud) -> None:
    when = minute()
    published(world, namespace, "N", {"Timestamp": when, "Value": 7})
    metric = "MetricDataQueries.member.1"
    form = {
        "Action": "GetMetricData",
        "StartTime": datetime.fromtimestamp(when, tz=UTC).isoformat().replace("+00:00", "Z"),
        "EndTime": datetime.fromtimestamp(when + 60, tz=UTC).isoformat().replace("+00:00", "Z"),
        f"{metric}.Id": "m1",
        f"{metric}.MetricStat.Metric.Namespace": namespace,
        f"{metric}.MetricStat.Metric.MetricName": "N",
        f"{metric}.MetricStat.Period": "60",
        f"{metric}.MetricStat.Stat": "Sum",
    }
    scope = "123456789012/20260101/eu-west-1/monitoring/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(
        cloud.endpoint,
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read().decode()
    assert "<Id>m1</Id>" in text
    assert "<Values><member>7.0</member></Values>" in text
    assert f"<member>{form['StartTime']}</member>" in text


EMBEDS = """
import json, time

def handler(event, context):
    now = int(time.time() * 1000) + event.get("shift_ms", 0)
    metadata = {"Timestamp": now, "CloudWatchMetrics": [{
        "Namespace": event["namespace"],
        "Dimensions": [["service"], ["service", "release"]],
        "Metrics": [{"Name": "Requests", "Unit": "Count", "StorageResolution": 1},
                    {"Name": "Took", "Unit": "Milliseconds"}],
    }]}
    print(json.dumps({"_aws": metadata, "service": "api", "release": "r-1",
                      "Requests": [1.0], "Took": [10, 20, 30.5]}))
    return now
"""


def test_embedded_metrics_of_a_function_appear_with_every_dimension_set(world: World, namespace: str) -> None:
    name = world.function(EMBEDS)
    for _ in range(3):
        world.invoke(name, {"namespace": namespace})
    for dimensions in ({"service": "api"}, {"service": "api", "release": "r-1"}):
        assert world.total(namespace, "Requests", **dimensions) == 3
        assert world.total(namespace, "Took", **dimensions) == pytest.approx(181.5)
    assert world.total(namespace, "Requests", release="r-1") == 0
    assert world.points(namespace, "Took", "p50", service="api")[0][1] == 20


def test_embedded_metrics_have_the_documents_time_and_are_readable_by_the_second(world: World, namespace: str) -> None:
    name = world.function(EMBEDS)
    told = world.invoke(name, {"namespace": namespace, "shift_ms": -90_000}).value
    assert world.points(namespace, "Requests", period=1, service="api") == [(told // 1000, 1)]
    assert world.points(namespace, "Requests", period=10, service="api") == [(told // 10_000 * 10, 1)]
    assert world.points(namespace, "Took", period=10, service="api") == [(told // 60_000 * 60, 60.5)]


def test_embedded_metrics_in_put_log_events_count_too(world: World, namespace: str) -> None:
    logs, group = world.client("logs"), unique("/group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": [{"Name": "N"}]}
    document = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "N": 4}
    logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": json.dumps(document)}, {"timestamp": now, "message": "plain"}],
    )
    assert until(lambda: world.total(namespace, "N")) == 4
