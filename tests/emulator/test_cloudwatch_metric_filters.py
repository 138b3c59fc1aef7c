"""Metric filters: log events become metrics, wherever they come from; wrong patterns are refused."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from emulator.lambda_world import World, refused, unique, until

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


@pytest.fixture
def group(world: World) -> str:
    """A log group with the stream `s`."""
    name = unique("/group")
    world.client("logs").create_log_group(logGroupName=name)
    world.client("logs").create_log_stream(logGroupName=name, logStreamName="s")
    return name


def filtered(world: World, group: str, pattern: str, namespace: str, **transformation: Any) -> None:
    world.client("logs").put_metric_filter(
        logGroupName=group,
        filterName=unique("filter"),
        filterPattern=pattern,
        metricTransformations=[{"metricNamespace": namespace, "metricName": "N", "metricValue": "1", **transformation}],
    )


def logged(world: World, group: str, *messages: str | dict[str, Any]) -> None:
    now = int(time.time() * 1000)
    texts = [each if isinstance(each, str) else json.dumps(each) for each in messages]
    world.client("logs").put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": text} for text in texts],
    )


def test_terms_are_counted_in_put_log_events(world: World, group: str, namespace: str) -> None:
    filtered(world, group, '"Task timed out"', namespace)
    logged(world, group, "Task timed out after 3 s", "all is well", "Task timed out again")
    assert world.total(namespace, "N") == 2


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ $.status = 5* }", 2),
        ('{ $.isCanaryRequest = "true" && $.status >= 500 }', 1),
        ('{ ($.isCanaryRequest = "true" || $.status = 404) && $.path != "/health" }', 2),
        ("{ $.error NOT EXISTS }", 3),
        ("{ $.error IS NULL }", 1),
    ],
)
def test_json_patterns_count_access_log_lines(
    world: World, group: str, namespace: str, pattern: str, expected: int
) -> None:
    filtered(world, group, pattern, namespace)
    logged(
        world,
        group,
        {"status": 500, "isCanaryRequest": "true", "path": "/a"},
        {"status": 503, "isCanaryRequest": "false", "path": "/a"},
        {"status": 404, "isCanaryRequest": "false", "path": "/a", "error": None},
        {"status": 200, "isCanaryRequest": "true", "path": "/health"},
        "not json",
    )
    assert world.total(namespace, "N") == expected


def test_a_selected_value_its_unit_and_its_dimensions_are_published(world: World, group: str, namespace: str) -> None:
    filtered(
        world,
        group,
        "{ $.latency EXISTS }",
        namespace,
        metricValue="$.latency",
        unit="Milliseconds",
        dimensions={"Canary": "$.isCanaryRequest"},
    )
    lines = [{"latency": value, "isCanaryRequest": "true"} for value in (10, 30.5, "40")]
    logged(world, group, *lines, {"latency": "slow", "isCanaryRequest": "true"}, {"latency": 5})
    assert world.total(namespace, "N", Canary="true") == 80.5
    assert world.points(namespace, "N", "Maximum", Canary="true")[0][1] == 40
    assert world.total(namespace, "N") == 0


def test_a_default_value_is_published_when_nothing_matches(world: World, group: str, namespace: str) -> None:
    filtered(world, group, "ERROR", namespace, defaultValue=0.0)
    logged(world, group, "all is well")
    assert world.points(namespace, "N") != []
    assert world.total(namespace, "N") == 0
    logged(world, group, "ERROR")
    assert world.total(namespace, "N") == 1


def test_without_a_default_value_nothing_is_published_when_nothing_matches(
    world: World, group: str, namespace: str
) -> None:
    filtered(world, group, "ERROR", namespace)
    logged(world, group, "all is well")
    assert world.points(namespace, "N") == []


def test_a_functions_own_log_is_filtered(world: World, namespace: str) -> None:
    name = world.function("def handler(event, context):\n    print(event['say'])\n")
    world.invoke(name, {"say": "first"})
    filtered(world, f"/aws/lambda/{name}", "WARNING", namespace)
    filtered(world, f"/aws/lambda/{name}", "REPORT", namespace, metricName="Reports")
    world.invoke(name, {"say": "a WARNING"})
    world.invoke(name, {"say": "nothing"})
    assert world.total(namespace, "N") == 1
    assert world.total(namespace, "Reports") == 2


def test_a_deleted_filter_counts_no_more(world: World, group: str, namespace: str) -> None:
    filtered(world, group, "ERROR", namespace)
    logs = world.client("logs")
    (found,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    logs.delete_metric_filter(logGroupName=group, filterName=found["filterName"])
    logged(world, group, "ERROR")
    assert world.total(namespace, "N") == 0


@pytest.mark.parametrize("pattern", ["{ $.status = }", "[ip, user, status = 5*]", "%5\\d\\d%", "{ $.a > x }", "a:b"])
def test_a_pattern_that_is_not_understood_is_refused(world: World, group: str, namespace: str, pattern: str) -> None:
    with refused("InvalidParameterException", "pattern"):
        filtered(world, group, pattern, namespace)
    with refused("InvalidParameterException", "pattern"):
        world.client("logs").filter_log_events(logGroupName=group, filterPattern=pattern)
    assert world.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"] == []


@pytest.mark.parametrize(
    ("transformation", "reason"),
    [
        ({"metricValue": "many"}, "metricValue"),
        ({"metricValue": "$..x"}, "selector"),
        ({"dimensions": {"A": "$.a"}, "defaultValue": 0.0}, "together"),
        ({"dimensions": dict.fromkeys("ABCD", "$.a")}, "three dimensions"),
    ],
)
def test_a_transformation_that_cannot_work_is_refused(
    world: World, group: str, namespace: str, transformation: dict[str, Any], reason: str
) -> None:
    with refused("InvalidParameterException", reason):
        filtered(world, group, "ERROR", namespace, **transformation)


def test_filter_log_events_uses_the_same_patterns(world: World, group: str) -> None:
    logged(world, group, {"status": 500}, {"status": 200}, "an ERROR", "an error")
    found = world.client("logs").filter_log_events

    def messages(pattern: str) -> list[str]:
        return [event["message"] for event in found(logGroupName=group, filterPattern=pattern)["events"]]

    assert messages("{ $.status = 5* }") == ['{"status": 500}']
    assert messages("ERROR") == ["an ERROR"]
    assert len(messages("")) == 4


def test_a_log_stream_keeps_its_latest_events_only(world: World, group: str) -> None:
    now = int(time.time() * 1000) - 60_000
    for batch in range(3):
        numbers = range(batch * 8_000, (batch + 1) * 8_000)
        world.client("logs").put_log_events(
            logGroupName=group,
            logStreamName="s",
            logEvents=[{"timestamp": now + number, "message": str(number)} for number in numbers],
        )
    asking = {"logGroupName": group, "logStreamName": "s", "limit": 1}
    logs = world.client("logs")
    assert logs.get_log_events(**asking)["events"][0]["message"] == "23999"
    assert logs.get_log_events(**asking, startFromHead=True)["events"][0]["message"] == "9000"


def test_a_template_declares_a_working_filter_and_a_wrong_one_fails(world: World, group: str, namespace: str) -> None:
    cloudformation = world.client("cloudformation")

    def template(pattern: str) -> str:
        transformation = {"MetricNamespace": namespace, "MetricName": "N", "MetricValue": "1"}
        properties = {"LogGroupName": group, "FilterPattern": pattern, "MetricTransformations": [transformation]}
        return json.dumps({"Resources": {"Filter": {"Type": "AWS::Logs::MetricFilter", "Properties": properties}}})

    stack = unique("stack")
    cloudformation.create_stack(StackName=stack, TemplateBody=template("{ $.status >= 500 }"))
    until(lambda: world.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"])
    logged(world, group, {"status": 502})
    assert world.total(namespace, "N") == 1
    wrong = unique("stack")
    cloudformation.create_stack(StackName=wrong, TemplateBody=template("{ $.status >= }"))
    until(lambda: cloudformation.describe_stacks(StackName=wrong)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
