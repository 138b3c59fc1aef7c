"""Weighted aliases on every path, and what CloudWatch counts for an invocation."""

from __future__ import annotations

import json
import math
import threading
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from emulator.lambda_world import World, unique, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

INVOCATIONS = 2_000
WEIGHT = 0.25

TELLS = """
import json, os, boto3

sqs = boto3.client("sqs")

def handler(event, context):
    told = {"version": context.function_version, "arn": context.invoked_function_arn}
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(told))
    return {"statusCode": 200, "body": json.dumps(told)}
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(cloud)
    yield world
    world.close()


def binomial_interval(trials: int, share: float) -> tuple[float, float]:
    """Where the number of successes is but once in a million (normal approximation, continuity corrected)."""
    spread = 4.8916 * math.sqrt(trials * share * (1 - share)) + 0.5
    return trials * share - spread, trials * share + spread


def weighted(world: World, name: str, weight: float) -> str:
    """An alias that sends `weight` to version 2 and the rest to version 1; its ARN."""
    alias = world.client("lambda").create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": weight}},
    )
    return str(alias["AliasArn"])


def test_invoke_splits_by_weight_and_the_function_sees_version_and_alias(world: World) -> None:
    name = world.function(versions=2)
    arn = weighted(world, name, WEIGHT)
    seen: Counter[tuple[str, str, str]] = Counter()
    lock = threading.Lock()

    def call(_number: int) -> None:
        reply = world.invoke(name, qualifier="live")
        with lock:
            seen[reply.value["version"], reply.version, reply.value["arn"]] += 1

    world.client("lambda")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(INVOCATIONS)))
    assert set(seen) == {("1", "1", arn), ("2", "2", arn)}
    low, high = binomial_interval(INVOCATIONS, WEIGHT)
    assert low <= seen["2", "2", arn] <= high
    for version in ("1", "2"):
        counted = world.total(
            "AWS/Lambda", "Invocations", FunctionName=name, Resource=f"{name}:live", ExecutedVersion=version
        )
        assert counted == seen[version, version, arn]


@pytest.fixture
def told(world: World) -> Callable[[Callable[[str, str], None]], None]:
    """Triggers a function by its name and alias ARN; everything must reach version 2 and be counted there."""

    def run(trigger: Callable[[str, str], None]) -> None:
        url, _arn = world.queue()
        name = world.function(TELLS, versions=2, Environment={"Variables": {"QUEUE": url}}, Timeout=30)
        arn = weighted(world, name, 1.0)
        trigger(name, arn)
        assert world.received(url) == [{"version": "2", "arn": arn}]
        until(lambda: _invocations(world, name))

    return run


def _invocations(world: World, name: str) -> float:
    return world.total("AWS/Lambda", "Invocations", FunctionName=name, Resource=f"{name}:live", ExecutedVersion="2")


def test_an_asynchronous_invoke_follows_the_weights(world: World, told: Any) -> None:
    told(
        lambda name, _arn: world.client("lambda").invoke(
            FunctionName=name, Qualifier="live", InvocationType="Event", Payload="{}"
        )
    )


def test_eventbridge_follows_the_weights(world: World, told: Any) -> None:
    def trigger(_name: str, arn: str) -> None:
        events, rule, source = world.client("events"), unique("rule"), unique("source")
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
        events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])

    told(trigger)


def test_sns_follows_the_weights(world: World, told: Any) -> None:
    def trigger(_name: str, arn: str) -> None:
        sns = world.client("sns")
        topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
        sns.publish(TopicArn=topic, Message="m")

    told(trigger)


def test_s3_follows_the_weights(world: World, told: Any) -> None:
    def trigger(_name: str, arn: str) -> None:
        s3, bucket = world.client("s3"), unique("bucket")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
        s3.put_object(Bucket=bucket, Key="k", Body=b"b")

    told(trigger)


def test_api_gateway_follows_the_weights(world: World, told: Any, cloud: EmbeddedCloud) -> None:
    def trigger(_name: str, arn: str) -> None:
        gateway = world.client("apigateway")
        api = gateway.create_rest_api(name=unique("api"))["id"]
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
        gateway.put_integration(
            restApiId=api,
            resourceId=root,
            httpMethod="GET",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
        gateway.create_deployment(restApiId=api, stageName="v1")
        with urllib.request.urlopen(f"{cloud.endpoint}/_aws/execute-api/{api}/v1/", timeout=30) as response:
            assert json.loads(response.read())["version"] == "2"

    told(trigger)


def test_an_unqualified_call_is_counted_without_a_resource(world: World) -> None:
    name = world.function()
    world.invoke(name)
    assert world.total("AWS/Lambda", "Invocations", FunctionName=name) == 1
    assert world.total("AWS/Lambda", "Invocations") >= 1
    assert _sets(world, name) == {("FunctionName",)}


def test_a_call_of_a_version_is_counted_under_it_without_an_executed_version(world: World) -> None:
    name = world.function(versions=1)
    assert world.invoke(name, qualifier="1").value["arn"].endswith(f"function:{name}:1")
    assert world.total("AWS/Lambda", "Invocations", FunctionName=name, Resource=f"{name}:1") == 1
    assert _sets(world, name) == {("FunctionName",), ("FunctionName", "Resource")}


def test_a_call_of_an_alias_is_counted_under_it_and_its_version_but_not_under_the_version_alone(world: World) -> None:
    name = world.function(versions=1)
    world.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    world.invoke(name, qualifier="live")
    alias = {"FunctionName": name, "Resource": f"{name}:live"}
    for metric, expected in (("Invocations", 1), ("Errors", 0), ("Throttles", 0)):
        assert world.points("AWS/Lambda", metric, **alias)[0][1] == expected
        assert world.points("AWS/Lambda", metric, **alias, ExecutedVersion="1")[0][1] == expected
    assert world.points("AWS/Lambda", "Duration", "p95", **alias)[0][1] > 0
    assert world.points("AWS/Lambda", "Invocations", FunctionName=name, Resource=f"{name}:1") == []


def test_an_error_is_counted_once_and_a_retried_one_each_time(world: World) -> None:
    name = world.function("def handler(event, context):\n    raise ValueError\n", versions=1)
    world.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    world.client("lambda").put_function_event_invoke_config(FunctionName=name, Qualifier="live", MaximumRetryAttempts=1)
    dimensions = {"FunctionName": name, "Resource": f"{name}:live"}
    world.invoke(name, qualifier="live")
    assert world.total("AWS/Lambda", "Errors", **dimensions) == 1
    world.client("lambda").invoke(FunctionName=name, Qualifier="live", InvocationType="Event", Payload="{}")
    until(lambda: world.total("AWS/Lambda", "Errors", **dimensions) == 3)
    assert world.total("AWS/Lambda", "Invocations", **dimensions) == 3


def test_duration_leaves_out_the_cold_start(world: World) -> None:
    name = world.function("import time\ntime.sleep(1)\ndef handler(event, context):\n    return 1\n")
    reply = world.invoke(name)
    assert reply.value == 1
    assert world.points("AWS/Lambda", "Duration", "Maximum", FunctionName=name)[0][1] < 500


def test_the_log_has_lambdas_lines_in_one_stream_per_sandbox(world: World) -> None:
    name = world.function("def handler(event, context):\n    print('hello')\n    return context.log_stream_name\n")
    streams = {world.invoke(name).value for _ in range(3)}
    assert len(streams) == 1
    events = world.client("logs").get_log_events(
        logGroupName=f"/aws/lambda/{name}", logStreamName=streams.pop(), startFromHead=True
    )["events"]
    assert [event["message"].split()[0] for event in events] == ["START", "hello", "END", "REPORT"] * 3
    assert "Init Duration: " in events[3]["message"]
    assert "Init Duration: " not in events[7]["message"]


def _sets(world: World, name: str) -> set[tuple[str, ...]]:
    metrics = world.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": name}]
    )["Metrics"]
    return {tuple(sorted(each["Name"] for each in metric["Dimensions"])) for metric in metrics}
