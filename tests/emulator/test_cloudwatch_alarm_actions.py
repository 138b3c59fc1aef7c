"""What an alarm's change of state sets off: SNS, EventBridge, composite alarms."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest
from emulator.lambda_world import World, listed, unique

from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(cloud)
    yield world
    world.close()


@pytest.fixture
def namespace() -> str:
    return unique("Namespace")


def topic_to_queue(world: World) -> tuple[str, str]:
    """An SNS topic whose messages arrive in an SQS queue: topic ARN and queue URL."""
    url, arn = world.queue()
    topic = world.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    world.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    return topic, url


def events_to_queue(world: World, prefix: str) -> str:
    """A queue that gets the state changes of alarms whose name begins so; its URL."""
    url, arn = world.queue()
    rule = unique("rule")
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": prefix}]},
    }
    world.client("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
    world.client("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    return url


def test_alarm_and_ok_actions_are_sent_to_sns_on_their_own_transitions_only(world: World, namespace: str) -> None:
    topic, url = topic_to_queue(world)
    alarm = world.alarm(Namespace=namespace, MetricName="N", AlarmActions=[topic], OKActions=[topic])
    world.put(namespace, "N", 1)
    world.reaches(alarm, "ALARM")
    world.reaches(alarm, "OK", lambda: world.put(namespace, "N", 0))
    messages = world.received(url, 2)
    assert [message["NewStateValue"] for message in messages] == ["ALARM", "OK"]
    assert {message["AlarmName"] for message in messages} == {alarm}


def test_disabled_actions_are_not_sent_but_the_event_is(world: World, namespace: str) -> None:
    topic, url = topic_to_queue(world)
    alarm = world.alarm(Namespace=namespace, MetricName="N", AlarmActions=[topic], ActionsEnabled=False)
    events = events_to_queue(world, alarm)
    world.put(namespace, "N", 1)
    world.reaches(alarm, "ALARM")
    assert world.received(events)[0]["detail"]["state"]["value"] == "ALARM"
    left = world.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert left.get("Messages", []) == []


def test_the_event_has_the_shape_of_aws(world: World, namespace: str) -> None:
    name = unique("shape")
    url = events_to_queue(world, name)
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmDescription="too many",
        Namespace=namespace,
        MetricName="N",
        Dimensions=listed({"F": "a"}),
        ExtendedStatistic="p95",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    world.put(namespace, "N", 6, F="a")
    world.reaches(name, "ALARM")
    world.reaches(name, "OK", lambda: world.put(namespace, "N", 1, F="a"))
    first, second = world.received(url, 2)
    assert (first["source"], first["detail-type"]) == ("aws.cloudwatch", "CloudWatch Alarm State Change")
    assert (first["account"], first["region"]) == (ACCOUNT_ID, "eu-west-1")
    assert first["resources"] == [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT_ID}:alarm:{name}"]
    detail = first["detail"]
    assert detail["alarmName"] == name
    assert (detail["previousState"]["value"], detail["state"]["value"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert "Threshold Crossed" in detail["state"]["reason"]
    assert json.loads(detail["state"]["reasonData"])["threshold"] == 5
    assert detail["state"]["timestamp"].endswith("+0000")
    assert detail["configuration"]["description"] == "too many"
    (watched,) = detail["configuration"]["metrics"]
    assert watched["returnData"] is True
    assert watched["metricStat"] == {
        "metric": {"namespace": namespace, "name": "N", "dimensions": {"F": "a"}},
        "period": 60,
        "stat": "p95",
    }
    assert second["detail"]["previousState"] == detail["state"]
    assert second["detail"]["state"]["value"] == "OK"


def test_the_event_of_a_metric_math_alarm_names_its_expression(world: World, namespace: str) -> None:
    where = {"Namespace": namespace, "MetricName": "E"}
    name = world.alarm(
        Metrics=[
            {"Id": "e", "MetricStat": {"Metric": where, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "x", "Expression": "e * 2", "Label": "doubled"},
        ]
    )
    url = events_to_queue(world, name)
    world.put(namespace, "E", 1)
    (event,) = world.received(url)
    metrics = {each["id"]: each for each in event["detail"]["configuration"]["metrics"]}
    assert metrics["x"] == {"id": "x", "returnData": True, "expression": "e * 2", "label": "doubled"}
    assert metrics["e"]["returnData"] is False


def test_set_alarm_state_sends_event_and_action(world: World, namespace: str) -> None:
    topic, url = topic_to_queue(world)
    alarm = world.alarm(Namespace=namespace, MetricName="N", TreatMissingData="ignore", AlarmActions=[topic])
    events = events_to_queue(world, alarm)
    world.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a drill")
    assert world.received(url)[0]["NewStateReason"] == "a drill"
    (event,) = world.received(events)
    assert event["detail"]["state"]["reason"] == "a drill"
    assert world.states(alarm) == ["ALARM"]


def test_a_composite_alarm_follows_its_children_with_event_and_action(world: World, namespace: str) -> None:
    topic, url = topic_to_queue(world)
    children = [world.alarm(Namespace=namespace, MetricName=name) for name in ("A", "B")]
    composite = unique("composite")
    events = events_to_queue(world, composite)
    world.client("cloudwatch").put_composite_alarm(
        AlarmName=composite,
        AlarmRule=" OR ".join(f'ALARM("{child}")' for child in children),
        AlarmActions=[topic],
    )
    world.reaches(composite, "OK")
    world.put(namespace, "B", 1)
    world.reaches(composite, "ALARM")
    assert world.received(url)[0]["AlarmName"] == composite
    values = [event["detail"]["state"]["value"] for event in world.received(events, 2)]
    assert values == ["OK", "ALARM"]


def test_an_event_reaches_a_function_that_asks_this_aws_something(world: World, namespace: str) -> None:
    url, _arn = world.queue()
    source = """
import json, os, boto3

def handler(event, context):
    found = boto3.client("cloudwatch").describe_alarms(AlarmNames=[event["detail"]["alarmName"]])["MetricAlarms"]
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(found[0]["StateValue"]))
"""
    name = world.function(source, Environment={"Variables": {"QUEUE": url}}, Timeout=60)
    arn = world.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    alarm = world.alarm(Namespace=namespace, MetricName="N", TreatMissingData="ignore")
    rule = unique("rule")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [alarm], "state": {"value": ["ALARM"]}}}
    world.client("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
    world.client("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    world.put(namespace, "N", 1)
    assert world.received(url) == ["ALARM"]


def test_a_reset_forgets_metrics_alarms_and_sandboxes(tmp_path: Path) -> None:
    with EmbeddedCloud.start(tmp_path / "cloud", Options(alarm_speed=60)) as own:
        world = World(own)
        alarm = world.alarm(Namespace="N", MetricName="N")
        world.put("N", "N", 1)
        world.invoke(world.function())
        world.reaches(alarm, "ALARM")
        request = urllib.request.Request(f"{own.endpoint}/_ministack/reset", method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status == 200
        cloudwatch = world.client("cloudwatch")
        assert cloudwatch.list_metrics()["Metrics"] == []
        assert cloudwatch.describe_alarms()["MetricAlarms"] == []
        assert list((own.folder / "tmp").glob("sandbox-*")) == []
        again = world.alarm(Namespace="N", MetricName="N")
        time.sleep(2)
        assert world.state(again) == "INSUFFICIENT_DATA"
        world.close()
