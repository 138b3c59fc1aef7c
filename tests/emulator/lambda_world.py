"""Builders for the tests of the embedded Lambda and CloudWatch: functions, invocations, metrics, alarms, waiting."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from emulator.builders import unique, until, zipped

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/functions"
SAYS_WHO_IT_IS = """
def handler(event, context):
    return {"version": context.function_version, "arn": context.invoked_function_arn}
"""


@dataclass(frozen=True)
class Reply:
    """What Invoke answered."""

    value: Any
    error: str | None
    version: str
    log: str


class World:
    """Clients of one embedded AWS."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self._cloud = cloud
        self._clients: dict[str, Any] = {}
        self._reached: dict[str, int] = {}

    def client(self, service: str, **config: Any) -> Any:
        """A client that retries nothing; closed with the world."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=self._cloud.options.region,
                endpoint_url=self._cloud.endpoint,
                aws_access_key_id=ACCOUNT_ID,
                aws_secret_access_key="embedded",
                config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16, **config),
            )
        return self._clients[service]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def function(self, source: str = SAYS_WHO_IT_IS, versions: int = 0, **settings: Any) -> str:
        """A function of that code with so many published versions; returns its name."""
        name = unique("fn")
        awslambda = self.client("lambda")
        awslambda.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zipped(source)},
            **settings,
        )
        for number in range(versions):
            awslambda.update_function_configuration(FunctionName=name, Description=f"version {number + 1}")
            awslambda.publish_version(FunctionName=name)
        return name

    def invoke(self, name: str, event: Any = None, qualifier: str | None = None) -> Reply:
        more = {"Qualifier": qualifier} if qualifier else {}
        answer = self.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event if event is not None else {}), LogType="Tail", **more
        )
        with contextlib.closing(answer["Payload"]) as payload:
            value = json.loads(payload.read())
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return Reply(value, answer.get("FunctionError"), answer.get("ExecutedVersion", ""), log)

    def points(
        self, namespace: str, metric: str, stat: str = "Sum", period: int = 60, **dimensions: str
    ) -> list[tuple[float, float]]:
        """Datapoints of the last minutes as (seconds since 1970, value), oldest first."""
        now = time.time()
        found = self.client("cloudwatch").get_metric_data(
            StartTime=now - 300,
            EndTime=now + 60,
            ScanBy="TimestampAscending",
            MetricDataQueries=[
                {
                    "Id": "m1",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": metric,
                            "Dimensions": listed(dimensions),
                        },
                        "Period": period,
                        "Stat": stat,
                    },
                }
            ],
        )["MetricDataResults"][0]
        return [(when.timestamp(), value) for when, value in zip(found["Timestamps"], found["Values"], strict=True)]

    def total(self, namespace: str, metric: str, **dimensions: str) -> float:
        """Sum of a metric over the last minutes."""
        return sum(value for _when, value in self.points(namespace, metric, **dimensions))

    def put(self, namespace: str, metric: str, *values: float, seconds_ago: float = 0, **dimensions: str) -> None:
        """Publish values of now, or of some time ago, in high resolution."""
        self.client("cloudwatch").put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": listed(dimensions),
                    "Values": list(values),
                    "Timestamp": time.time() - seconds_ago,
                    "StorageResolution": 1,
                }
            ],
        )

    def alarm(self, **settings: Any) -> str:
        """An alarm that fires on a value above 0.5 unless told otherwise; returns its name."""
        name = unique("alarm")
        wanted = {
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0.5,
            "EvaluationPeriods": 1,
            **settings,
        }
        if "Metrics" not in wanted:
            wanted.setdefault("Period", 60)
            if "ExtendedStatistic" not in wanted:
                wanted.setdefault("Statistic", "Sum")
        self.client("cloudwatch").put_metric_alarm(AlarmName=name, **wanted)
        return name

    def described(self, alarm: str) -> dict[str, Any]:
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self.client("cloudwatch").describe_alarms(AlarmNames=[alarm], AlarmTypes=kinds)
        found: list[dict[str, Any]] = answer["MetricAlarms"] + answer["CompositeAlarms"]
        return found[0]

    def state(self, alarm: str) -> str:
        return str(self.described(alarm)["StateValue"])

    def reaches(self, alarm: str, state: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait for a state, doing something before every look.

        A state that has come and gone since the one that was waited for before counts, too.
        """

        def look() -> bool:
            meanwhile()
            if self.state(alarm) == state:
                self._reached[alarm] = len(self.states(alarm))
                return True
            since = self._reached.get(alarm, 0)
            later = self.states(alarm)[since:]
            if state in later:
                self._reached[alarm] = since + later.index(state) + 1
            return state in later

        until(look)

    def states(self, alarm: str) -> list[str]:
        """Every state that an alarm has gone to, oldest first."""
        history = self.client("cloudwatch").describe_alarm_history(
            AlarmName=alarm, ScanBy="TimestampAscending", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return [
            json.loads(item["HistoryData"])["newState"]["stateValue"]
            for item in history["AlarmHistoryItems"]
            if item["HistoryItemType"] == "StateUpdate"
        ][1:]

    def queue(self) -> tuple[str, str]:
        """An SQS queue: its URL and ARN."""
        url = self.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
        arn = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, arn["Attributes"]["QueueArn"]

    def received(self, url: str, count: int = 1) -> list[Any]:
        """At least so many JSON messages from a queue."""
        bodies: list[Any] = []

        def look() -> bool:
            got = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                bodies.append(json.loads(message["Body"]))
                self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(bodies) >= count

        until(look)
        return bodies


def listed(dimensions: dict[str, str]) -> list[dict[str, str]]:
    """A mapping as the API's list of names and values."""
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


@contextlib.contextmanager
def refused(code: str, *texts: str) -> Iterator[None]:
    """The block must be refused with this error code and a message that has these texts."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    for text in texts:
        assert text in error["Message"], error
