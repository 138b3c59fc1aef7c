"""A service of two functions, as the tool would have released it four times, and looking at it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from emulator.canary_world import SOURCE
from emulator.gateway_world import unique, until
from emulator.release_world import ALIASES, EVENTS, LEDGER, TRUST, make_ledger

from manuel_release.aws import Aws, Session
from manuel_release.model.release import release_number
from manuel_release.record.history import releases
from manuel_release.record.ledger import Ledger
from manuel_release.rehearsal.process import client_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.gateway_world import World

    from manuel_release.model.release import Release

BUCKET = "manuel-artifacts-crash"
ENVIRONMENT = "production"
STAGE = "prod"
BASE = ("r-1", "r-2", "r-3", "r-4")


def function(name: str) -> dict[str, Any]:
    variables = {"MANUEL_RELEASE": {"Ref": "ReleaseId"}, "BEHAVIOUR": "fine", "QUOTA": {"Ref": "Quota"}}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
            "Code": {"ZipFile": SOURCE},
            "Environment": {"Variables": variables},
        },
    }


def template(names: tuple[str, ...], api: str) -> dict[str, Any]:
    """What template.yaml is made of, as far as traffic is concerned: each function with `live` and a group."""
    half = {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 50, "CanaryInterval": 1}}
    policies = [{"PolicyName": "aliases", "PolicyDocument": ALIASES}]
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": policies}}
    shift = {"ComputePlatform": "Lambda", "TrafficRoutingConfig": half}
    resources: dict[str, Any] = {
        "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
        "Config": {"Type": "AWS::CodeDeploy::DeploymentConfig", "Properties": shift},
        "Role": role,
        "FunctionRole": role,
        "ApiDeployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": api}},
    }
    for number, name in enumerate(names):
        made = f"Function{number}"
        group = {
            "ApplicationName": {"Ref": "Application"},
            "DeploymentGroupName": name,
            "ServiceRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DeploymentConfigName": {"Ref": "Config"},
            "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
            "AutoRollbackConfiguration": {"Enabled": True, "Events": EVENTS},
        }
        alias = {
            "Name": "live",
            "FunctionName": {"Ref": made},
            "FunctionVersion": {"Fn::GetAtt": [f"{made}FirstVersion", "Version"]},
        }
        resources |= {
            made: function(name),
            f"{made}FirstVersion": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": made}}},
            f"{made}LiveAlias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
            f"{made}Group": {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group},
        }
    return {
        "Parameters": {
            "Environment": {"Type": "String"},
            "ApiVersionStage": {"Type": "String", "Default": STAGE},
            "ReleaseId": {"Type": "String", "Default": "r-1"},
            "Quota": {"Type": "Number", "Default": 0},
        },
        "Resources": resources,
        "Outputs": {
            "ApiId": {"Value": api},
            "ApiStage": {"Value": STAGE},
            "CodeDeployApplicationName": {"Value": {"Ref": "Application"}},
        },
    }


class SmallService:
    """Two functions behind an API whose stage has a canary, in a stack of template.yaml's shape; `live` is on r-1."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stack, self.names = unique("service"), (unique("answer"), unique("keeper"))
        self.table, self.storage, self.alarms = (world.client(one) for one in ("dynamodb", "s3", "cloudwatch"))
        self.deployments = world.client("codedeploy")
        with self._signed_in():
            self.aws = Aws(Session(None, world.region, world.region))
            self.ledger = Ledger(self.aws.table(LEDGER), lambda: datetime.now(UTC))
            make_ledger(world)
            self._make_account()
            self._make_service()

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[None]:
        """Boto reads its variables when a client is made."""
        before = dict(os.environ)
        os.environ.update(client_environment(self.world.endpoint, self.world.region))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _make_account(self) -> None:
        self.storage.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": self.world.region})
        topic = self.world.client("sns").create_topic(Name="manuel-deployment-notifications")["TopicArn"]
        ssm = self.world.client("ssm")
        for name, value in (("artifacts", BUCKET), ("topic", topic)):
            ssm.put_parameter(Name=f"/manuel/operations/{name}", Type="String", Value=value)

    def _make_service(self) -> None:
        world = self.world
        self.api = world.api()
        for path in ("/", "/health"):
            world.proxy(self.api, path, self.names[0] + ":${stageVariables.release}")
        self.older_definition = world.deployment(self.api)
        self.text = json.dumps(template(self.names, self.api))
        world.stacks.create_stack(
            StackName=self.stack,
            TemplateBody=self.text,
            Parameters=[{"ParameterKey": "Environment", "ParameterValue": "prod"}],
            Tags=[{"Key": "manuel:environment", "Value": ENVIRONMENT}],
        )
        until(lambda: world.status(self.stack) == "CREATE_COMPLETE", 60)
        self.definition = world.resource(self.stack, "ApiDeployment")
        world.gateway.create_stage(
            restApiId=self.api, stageName=STAGE, deploymentId=self.definition, variables={"release": "live"}
        )
        where = json.dumps({"rest_api_id": self.api, "stage": STAGE})
        world.client("ssm").put_parameter(Name=f"/manuel/{ENVIRONMENT}/api", Type="String", Value=where)
        self.versions = {release: {name: self._publish(name, release) for name in self.names} for release in BASE}
        for _ in BASE:
            self.ledger.reserve(ENVIRONMENT, STAGE, "test", datetime.now(UTC))

    def _publish(self, name: str, release: str) -> str:
        functions, number = self.world.functions, release_number(release)
        if number != 1:
            variables = {"MANUEL_RELEASE": release, "BEHAVIOUR": "fine", "QUOTA": "0"}
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        version = str(functions.publish_version(FunctionName=name)["Version"])
        functions.create_alias(FunctionName=name, Name=release, FunctionVersion=version)
        return version

    def close(self) -> None:
        """Close every connection."""
        self.aws.close()

    def active(self) -> list[str]:
        """CodeDeploy's deployments that are under way."""
        found: list[str] = []
        application = self.world.resource(self.stack, "Application")
        for name in self.names:
            under_way = self.deployments.list_deployments(
                applicationName=application,
                deploymentGroupName=name,
                includeOnlyStatuses=["Created", "Queued", "InProgress", "Baking", "Ready"],
            )
            found += under_way["deployments"]
        return found

    def wait_for_lease(self, seconds: float = 60.0) -> None:
        """A process that died keeps its lease until that expires."""
        ends = time.monotonic() + seconds
        while self.ledger.lease(ENVIRONMENT, STAGE) is not None:
            assert time.monotonic() < ends, "the lease does not expire"
            time.sleep(0.05)

    def stage(self) -> dict[str, Any]:
        return self.world.shown(self.api)

    def live(self, name: str) -> tuple[str, dict[str, float]]:
        """Version and weights of a function's `live`."""
        found = self.world.functions.get_alias(FunctionName=name, Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def aliases(self, name: str) -> dict[str, str]:
        """A function's aliases with their versions."""
        found = self.world.functions.list_aliases(FunctionName=name)["Aliases"]
        return {one["Name"]: one["FunctionVersion"] for one in found}

    def release_of(self, name: str, version: str) -> str:
        """The release that a version says it is."""
        found = self.world.functions.get_function_configuration(FunctionName=name, Qualifier=version)
        return str(found["Environment"]["Variables"]["MANUEL_RELEASE"])

    def items(self) -> list[dict[str, Any]]:
        """Everything in the ledger."""
        return list(self.table.scan(TableName=LEDGER, ConsistentRead=True)["Items"])

    def history(self) -> tuple[Release, ...]:
        return releases(self.ledger.entries(ENVIRONMENT, STAGE))

    def ledger_definition(self, release: str) -> str:
        """The API definition that a release was recorded with; empty when none was."""
        return next((one.api_deployment_id for one in self.history() if one.name == release), "")

    def ask(self, requests: int) -> list[tuple[int, str]]:
        """Status and release of so many answers of the API."""
        replies = self.world.many(self.api, "/", requests, threads=1)
        return [(one.status, one.json.get("release", "")) for one in replies]
