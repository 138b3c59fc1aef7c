"""Builders for the tests of the embedded CodeDeploy: functions with versions, groups, deployments, alarms, queues."""

from __future__ import annotations

import contextlib
import functools
import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from emulator.lambda_world import unique, until, zipped

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from botocore.exceptions import ClientError

    from manuel_release.rehearsal.process import EmbeddedCloud

REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/codedeploy"
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
HALF_AN_HOUR = "CodeDeployDefault.LambdaCanary10Percent30Minutes"
ONE_TENTH = ("1", {"2": 0.1})
ROLLBACK_ALWAYS = {
    "enabled": True,
    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
}
EMBEDDED = "embedded"
FINISHED = ("Succeeded", "Failed", "Stopped")

SAYS_ITS_VERSION = "def handler(event, context):\n    return context.function_version\n"


@functools.cache
def session(access_key: str, secret: str) -> boto3.Session:
    """One session per credentials: it keeps the service models that it has read."""
    return boto3.Session(access_key, secret, region_name=REGION)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """Code and sentence of a refused call."""
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


class World:
    """Clients of one embedded AWS, and one function, application and group, made when first asked for."""

    def __init__(self, cloud: EmbeddedCloud, access_key: str = ACCOUNT_ID, secret: str = EMBEDDED) -> None:
        self._session = session(access_key, secret)
        self._endpoint = cloud.endpoint
        self._clients: dict[str, Any] = {}
        self.application = unique("app")
        self.role = ROLE
        self.execution_role = ROLE
        self.function = unique("fn")

    def __getattr__(self, service: str) -> Any:
        """The client of a service, by boto3's name; `lambda_` because Python has the other word."""
        if service.startswith("_"):
            raise AttributeError(service)
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service.rstrip("_"), endpoint_url=self._endpoint, config=CONFIG
            )
        return self._clients[service]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    @classmethod
    @contextlib.contextmanager
    def of(cls, cloud: EmbeddedCloud, *credentials: str) -> Iterator[World]:
        """A world whose clients are closed afterwards."""
        made = cls(cloud, *credentials)
        try:
            yield made
        finally:
            made.close()

    def make_function(self, source: str = SAYS_ITS_VERSION, versions: int = 2, name: str = "") -> str:
        """A function with versions 1..n and the alias `live` on version 1."""
        name = name or self.function
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self.execution_role,
            Handler="app.handler",
            Timeout=30,
            Code={"ZipFile": zipped(source)},
        )
        for version in range(1, versions + 1):
            self.lambda_.update_function_configuration(FunctionName=name, Description=f"version {version}")
            self.lambda_.publish_version(FunctionName=name)
        if versions:
            self.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        return name

    def make_application(self) -> str:
        self.codedeploy.create_application(applicationName=self.application, computePlatform="Lambda")
        return self.application

    def make_group(self, name: str = "live", **settings: Any) -> str:
        """A deployment group, all at once unless `settings` say otherwise."""
        members = {
            "deploymentConfigName": ALL_AT_ONCE,
            "deploymentStyle": STYLE,
            "serviceRoleArn": self.role,
            **settings,
        }
        return str(
            self.codedeploy.create_deployment_group(
                applicationName=self.application, deploymentGroupName=name, **members
            )["deploymentGroupId"]
        )

    def ready(self, **settings: Any) -> World:
        """Function, application and group exist."""
        self.make_function()
        self.make_application()
        self.make_group(**settings)
        return self

    def appspec(self, current: str = "1", target: str = "2", function: str = "", **hooks: str) -> str:
        properties = {
            "name": function or self.function,
            "alias": "live",
            "currentversion": current,
            "targetversion": target,
        }
        document: dict[str, Any] = {
            "version": 0.0,
            "resources": [{"it": {"type": "AWS::Lambda::Function", "properties": properties}}],
        }
        if hooks:
            document["hooks"] = [{name: value} for name, value in hooks.items()]
        return json.dumps(document)

    def deploy(self, content: str = "", group: str = "live", **members: Any) -> str:
        """Start a deployment and return its id."""
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content or self.appspec()}}
        return str(
            self.codedeploy.create_deployment(
                applicationName=self.application, deploymentGroupName=group, revision=revision, **members
            )["deploymentId"]
        )

    def shifting(self, **members: Any) -> str:
        """A deployment that is at ten percent, and stays there for half an hour."""
        deployment = self.deploy(deploymentConfigName=HALF_AN_HOUR, **members)
        until(lambda: self.alias() == ONE_TENTH)
        return deployment

    def info(self, deployment: str) -> dict[str, Any]:
        found: dict[str, Any] = self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        return found

    def finished(self, deployment: str) -> dict[str, Any]:
        """The deployment when it has ended."""

        def ended() -> dict[str, Any] | None:
            info = self.info(deployment)
            return info if info["status"] in FINISHED else None

        found: dict[str, Any] = until(ended)
        return found

    def rolled_back(self, deployment: str) -> dict[str, Any]:
        """The rollback deployment of a deployment, when both have ended."""
        return self.finished(self.finished(deployment)["rollbackInfo"]["rollbackDeploymentId"])

    def alias(self) -> tuple[str, dict[str, float]]:
        """The version of `live`, and the weights of others."""
        found = self.lambda_.get_alias(FunctionName=self.function, Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def events_of(self, deployment: str) -> dict[str, str]:
        """Lifecycle event -> status."""
        target = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"][0]
        found = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=target)
        return {
            event["lifecycleEventName"]: event["status"]
            for event in found["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"]
        }

    def alarm(self, state: str = "OK", name: str = "") -> str:
        """An alarm that stays in the state it was given."""
        name = name or unique("alarm")
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="Nothing",
            Namespace=unique("Tests"),
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        self.ring(name, state)
        return name

    def ring(self, name: str, state: str = "ALARM") -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    def custom_config(self, kind: str, percentage: int, interval: int) -> str:
        """A custom deployment configuration: `Canary` or `Linear`."""
        name = unique("config")
        lower = kind.lower()
        block = {f"{lower}Percentage": percentage, f"{lower}Interval": interval}
        self.codedeploy.create_deployment_config(
            deploymentConfigName=name,
            computePlatform="Lambda",
            trafficRoutingConfig={"type": f"TimeBased{kind}", f"timeBased{kind}": block},
        )
        return name

    def queue(self) -> tuple[str, str]:
        """URL and ARN of a new queue that takes messages from everybody."""
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url = self.sqs.create_queue(QueueName=unique("queue"), Attributes={"Policy": policy})["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def received(self, url: str) -> list[dict[str, Any]]:
        """Bodies of the messages that are in a queue now."""
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]
