"""The alarm engine: when alarms change their state, and what they refuse. Periods run 60 times faster here."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

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


def metric(name: str, namespace: str, stat: str = "Sum", **dimensions: str) -> dict[str, Any]:
    where = {"Namespace": namespace, "MetricName": name, "Dimensions": listed(dimensions)}
    return {"Id": name.lower(), "MetricStat": {"Metric": where, "Period": 60, "Stat": stat}, "ReturnData": False}


def test_a_new_alarm_has_insufficient_data_and_stays_so_without_any(world: World, namespace: str) -> None:
    alarm = world.alarm(Namespace=namespace, MetricName="N")
    assert world.state(alarm) == "INSUFFICIENT_DATA"
    time.sleep(3)
    assert world.state(alarm) == "INSUFFICIENT_DATA"
    assert world.states(alarm) == []


def test_a_breach_is_an_alarm_and_its_end_is_ok_again_with_reasons_and_history(world: World, namespace: str) -> None:
    settings = {"Threshold": 5, "Statistic": "Maximum", "TreatMissingData": "ignore"}  # while nothing is put
    alarm = world.alarm(Namespace=namespace, MetricName="N", **settings)
    world.put(namespace, "N", 6)
    world.reaches(alarm, "ALARM")
    described = world.described(alarm)
    assert "1 out of the last 1 datapoints [6.0 (" in described["StateReason"]
    assert "greater than the threshold (5.0)" in described["StateReason"]
    assert json.loads(described["StateReasonData"])["recentDatapoints"] == [6.0]
    world.reaches(alarm, "OK", lambda: world.put(namespace, "N", 5))
    assert world.states(alarm) == ["ALARM", "OK"]


def test_only_datapoints_with_the_alarms_own_dimensions_count(world: World, namespace: str) -> None:
    alarm = world.alarm(Namespace=namespace, MetricName="N", Dimensions=listed({"F": "a"}))
    other = world.alarm(Namespace=namespace, MetricName="N", Dimensions=listed({"F": "b"}))
    world.put(namespace, "N", 9, F="b")
    world.put(namespace, "N", 9)
    world.reaches(other, "ALARM")
    assert world.state(alarm) == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("operator", "at_threshold", "above"),
    [
        ("GreaterThanThreshold", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "ALARM", "ALARM"),
        ("LessThanThreshold", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "OK"),
    ],
)
def test_comparisons_are_those_of_their_names(
    world: World, namespace: str, operator: str, at_threshold: str, above: str
) -> None:
    settings = {"Namespace": namespace, "Threshold": 5, "ComparisonOperator": operator, "EvaluationPeriods": 1}
    equal, greater = (world.alarm(MetricName=name, **settings) for name in ("Equal", "Greater"))
    world.put(namespace, "Equal", 5)
    world.put(namespace, "Greater", 6)
    world.reaches(equal, at_threshold)
    world.reaches(greater, above)


@pytest.mark.parametrize(
    ("statistic", "threshold"),
    [
        ({"Statistic": "Average"}, 3.9),
        ({"Statistic": "Sum"}, 11.9),
        ({"Statistic": "Minimum"}, 0.9),
        ({"Statistic": "Maximum"}, 8.9),
        ({"Statistic": "SampleCount"}, 2.9),
        ({"ExtendedStatistic": "p50"}, 1.9),
        ({"ExtendedStatistic": "p99"}, 8.8),
    ],
)
def test_statistics_are_computed_over_the_values_of_a_period(
    world: World, namespace: str, statistic: dict[str, str], threshold: float
) -> None:
    below = world.alarm(Namespace=namespace, MetricName="N", Threshold=threshold, **statistic)
    above = world.alarm(Namespace=namespace, MetricName="N", Threshold=threshold + 0.2, **statistic)
    world.put(namespace, "N", 1, 2, 9)
    world.reaches(below, "ALARM")
    world.reaches(above, "OK")
    assert world.states(above) == ["OK"]
    (name, value), *_ = statistic.items()
    assert world.described(below)[name] == value


def test_m_out_of_n_needs_that_many_breaching_datapoints(world: World, namespace: str) -> None:
    settings = {"Namespace": namespace, "MetricName": "N", "EvaluationPeriods": 5, "TreatMissingData": "notBreaching"}
    two, five = world.alarm(DatapointsToAlarm=2, **settings), world.alarm(**settings)
    world.reaches(two, "OK")
    for seconds_ago in (1.1, 0):
        world.put(namespace, "N", 1, seconds_ago=seconds_ago)
    world.reaches(two, "ALARM")
    assert world.states(five) == ["OK"]


@pytest.mark.parametrize(
    ("treatment", "expected"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")]
)
def test_missing_data_counts_as_it_is_told_to(world: World, namespace: str, treatment: str, expected: str) -> None:
    alarm = world.alarm(Namespace=namespace, MetricName="N", TreatMissingData=treatment)
    if expected == "INSUFFICIENT_DATA":
        world.put(namespace, "N", 0)
        world.reaches(alarm, "OK")
    world.reaches(alarm, expected)


def test_ignored_missing_data_keeps_the_state(world: World, namespace: str) -> None:
    alarm = world.alarm(Namespace=namespace, MetricName="N", TreatMissingData="ignore")
    world.put(namespace, "N", 1)
    world.reaches(alarm, "ALARM")
    time.sleep(5)
    assert world.state(alarm) == "ALARM"


def test_percentiles_with_few_samples_are_left_alone_when_told_so(world: World, namespace: str) -> None:
    settings = {"Namespace": namespace, "MetricName": "N", "ExtendedStatistic": "p95"}
    careful = world.alarm(EvaluateLowSampleCountPercentile="ignore", **settings)
    eager = world.alarm(EvaluateLowSampleCountPercentile="evaluate", **settings)
    world.put(namespace, "N", *([9.0] * 100))
    world.reaches(eager, "ALARM")
    time.sleep(3)
    assert world.states(careful) == []
    world.put(namespace, "N", *([9.0] * 150), *([8.0] * 50))
    world.reaches(careful, "ALARM")


def test_a_period_is_divided_by_the_alarm_speed(world: World, namespace: str) -> None:
    one, five = (world.alarm(Namespace=namespace, MetricName="N", Period=period, Threshold=2.5) for period in (60, 300))
    for seconds_ago in (2.2, 1.1, 0):
        world.put(namespace, "N", 1, seconds_ago=seconds_ago)
    world.reaches(five, "ALARM")
    assert "ALARM" not in world.states(one)


def test_the_error_rate_of_two_metrics_is_an_alarm(world: World, namespace: str) -> None:
    alarm = world.alarm(
        Metrics=[
            metric("Errors", namespace, F="a"),
            metric("Invocations", namespace, F="a"),
            {"Id": "rate", "Expression": "100 * FILL(errors, 0) / invocations", "Label": "error rate"},
        ],
        Threshold=10,
        TreatMissingData="notBreaching",
    )
    world.put(namespace, "Invocations", *([1.0] * 20), F="a")
    world.reaches(alarm, "OK")
    described = world.described(alarm)
    assert "MetricName" not in described
    assert [each["Id"] for each in described["Metrics"]] == ["errors", "invocations", "rate"]

    def fail() -> None:
        world.put(namespace, "Invocations", *([1.0] * 20), F="a")
        world.put(namespace, "Errors", 1, 1, 1, F="a")

    world.reaches(alarm, "ALARM", fail)


def test_a_sum_over_all_metrics_is_an_alarm_even_when_some_are_silent(world: World, namespace: str) -> None:
    alarm = world.alarm(
        Metrics=[
            *(metric(name, namespace) for name in ("A", "B", "C")),
            {"Id": "all", "Expression": "SUM(METRICS())"},
        ],
        Threshold=4.5,
    )
    world.put(namespace, "A", 2)
    world.put(namespace, "B", 3)
    world.reaches(alarm, "ALARM")


def test_an_alarm_on_a_functions_errors_through_an_alias_fires(world: World) -> None:
    name = world.function("def handler(event, context):\n    raise ValueError\n", versions=1)
    world.client("lambda").create_alias(FunctionName=name, Name="r-1", FunctionVersion="1")
    dimensions = listed({"FunctionName": name, "Resource": f"{name}:r-1"})
    alarm = world.alarm(Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dimensions)
    plain = world.alarm(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=listed({"FunctionName": name, "Resource": f"{name}:r-2"}),
    )
    world.invoke(name, qualifier="r-1")
    world.reaches(alarm, "ALARM")
    assert world.state(plain) == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("ANOMALY_DETECTION_BAND(m, 2)", "ANOMALY_DETECTION_BAND"),
        ("PERIOD(m)", "PERIOD"),
        ("m / nothing", "'nothing'"),
        ("MAX(m)", "single time series, not numbers"),
        ("METRICS()", "single time series, not several"),
        ("m +", "too early"),
    ],
)
def test_an_expression_that_could_not_be_evaluated_is_refused_by_name(
    world: World, namespace: str, expression: str, reason: str
) -> None:
    with refused("ValidationError", reason):
        world.alarm(Metrics=[metric("M", namespace), {"Id": "x", "Expression": expression}])


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"Statistic": "Sum", "ExtendedStatistic": "p95"}, "either Statistic or ExtendedStatistic"),
        ({"ExtendedStatistic": "tm99"}, "tm99"),
        ({"Period": 45}, "Period"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "DatapointsToAlarm"),
        ({"TreatMissingData": "perhaps"}, "TreatMissingData"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
        ({"EvaluateLowSampleCountPercentile": "perhaps"}, "EvaluateLowSampleCountPercentile"),
        ({"MetricName": None}, "MetricName"),
        ({"Metrics": [metric("M", "N") | {"ReturnData": True}], "Period": 60}, "together"),
        (
            {"Metrics": [metric("M", "N"), metric("O", "N")], "Namespace": None, "MetricName": None},
            "exactly one of Metrics",
        ),
    ],
)
def test_an_alarm_that_makes_no_sense_is_refused(
    world: World, namespace: str, settings: dict[str, Any], reason: str
) -> None:
    wanted = {"Namespace": namespace, "MetricName": "N", **settings}
    with refused("ValidationError", reason):
        world.alarm(**{key: value for key, value in wanted.items() if value is not None})


def test_a_template_makes_changes_and_deletes_a_metric_math_alarm(world: World, namespace: str) -> None:
    cloudformation, stack, name = world.client("cloudformation"), unique("stack"), unique("alarm")

    def template(threshold: int) -> str:
        properties = {
            "AlarmName": name,
            "Metrics": [metric("E", namespace), {"Id": "x", "Expression": "FILL(e, 0)", "ReturnData": True}],
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": threshold,
            "EvaluationPeriods": 1,
        }
        return json.dumps({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}})

    def settled(wanted: str) -> None:
        until(lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == wanted)

    cloudformation.create_stack(StackName=stack, TemplateBody=template(5))
    settled("CREATE_COMPLETE")
    world.reaches(name, "OK")
    world.put(namespace, "E", 3)
    time.sleep(2)
    assert world.states(name) == ["OK"]
    cloudformation.update_stack(StackName=stack, TemplateBody=template(2))
    settled("UPDATE_COMPLETE")
    assert world.described(name)["Threshold"] == 2
    world.reaches(name, "ALARM", lambda: world.put(namespace, "E", 3))
    cloudformation.delete_stack(StackName=stack)
    until(lambda: not world.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"])


def test_a_template_with_an_expression_that_is_not_understood_fails_with_the_reason(
    world: World, namespace: str
) -> None:
    cloudformation, stack = world.client("cloudformation"), unique("stack")
    properties = {
        "Metrics": [metric("E", namespace), {"Id": "x", "Expression": "DIFF(e)", "ReturnData": True}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
    }
    template = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    until(lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    assert any("'DIFF' is not supported" in event.get("ResourceStatusReason", "") for event in events)
