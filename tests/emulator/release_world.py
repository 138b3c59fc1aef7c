"""The service of `canary_world` as the tool would have deployed it: CodeDeploy, ledger, r-1 live, r-2 staged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from emulator.canary_world import CanaryWorld

from manuel_release.aws import Aws, Session
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.record.ledger import Ledger, entry_id
from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.gateway_world import World

LEDGER = "manuel-releases"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALIASES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["lambda:GetAlias", "lambda:UpdateAlias"], "Resource": "*"}],
}
EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
MORE_SETTINGS = """
poll_seconds = 0.5
health_seconds = 20
[people]
on_call = ["*"]
"""


def make_ledger(world: World) -> None:
    """The table, and the parameter that names it; once for an embedded AWS."""
    world.client("dynamodb").create_table(
        TableName=LEDGER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("environment", "entry")],
        KeySchema=[
            {"AttributeName": "environment", "KeyType": "HASH"},
            {"AttributeName": "entry", "KeyType": "RANGE"},
        ],
    )
    world.client("ssm").put_parameter(Name="/manuel/operations/ledger", Type="String", Value=LEDGER)


class ReleaseWorld(CanaryWorld):
    """One environment's service; `environment` is the tool's name of it, and every test takes another one."""

    def __init__(self, world: World, folder: Path, behaviour: str, environment: str, **settings: Any) -> None:
        self.environment = environment
        super().__init__(world, folder, behaviour)
        self.world.proxy(self.api, "/health", self.name + ":${stageVariables.release}")
        self.world.patch(self.api, ("replace", "/variables/candidate", "r-2"))
        deployed = self.world.deployment(self.api)
        self.world.patch(self.api, ("replace", "/deploymentId", deployed))
        text = self.settings.read_text(encoding="utf-8").partition("[environments")[0]
        text += "".join(f"{name} = {value}\n" for name, value in settings.items())
        text += f'api_url = "{world.endpoint}/_aws/execute-api/{{api_id}}/{{stage}}"\n'
        text += MORE_SETTINGS
        text += f'[environments.{environment}]\nstack = "{self.stack}"\ncanary = true\nasks = false\n'
        self.settings.write_text(text, encoding="utf-8")
        self._write_history()

    def _template(self) -> dict[str, Any]:
        template = super()._template()
        group = {
            "ApplicationName": {"Ref": "Application"},
            "DeploymentGroupName": self.name,
            "ServiceRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DeploymentConfigName": {"Ref": "Config"},
            "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
            "AutoRollbackConfiguration": {"Enabled": True, "Events": EVENTS},
        }
        half = {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 50, "CanaryInterval": 1}}
        policies = [{"PolicyName": "aliases", "PolicyDocument": ALIASES}]
        template["Parameters"] = {"Environment": {"Type": "String", "Default": self.stack}}
        template["Resources"] |= {
            "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
            "Config": {
                "Type": "AWS::CodeDeploy::DeploymentConfig",
                "Properties": {"ComputePlatform": "Lambda", "TrafficRoutingConfig": half},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": policies},
            },
            "FunctionRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": TRUST},
            },
            "Group": {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group},
        }
        template["Resources"]["Function"]["Properties"]["Role"] = {"Fn::GetAtt": ["FunctionRole", "Arn"]}
        template["Outputs"]["CodeDeployApplicationName"] = {"Value": {"Ref": "Application"}}
        return template

    def ledger(self) -> Ledger:
        """The ledger itself; its connection is closed with `close`."""
        return Ledger(self.aws.table(LEDGER), lambda: datetime.now(UTC))

    @property
    def aws(self) -> Aws:
        if not hasattr(self, "_aws"):
            self._aws = Aws(Session(None, self.world.region, self.world.region))
        return self._aws

    def close(self) -> None:
        self.aws.close()

    def _write_history(self) -> None:
        now = datetime.now(UTC) - timedelta(minutes=10)
        for number, kind in enumerate((EntryKind.RELEASE_LIVE, EntryKind.RELEASE_STAGED), 1):
            at = now + timedelta(seconds=number)
            details = {"digest": f"{self.stack}-{number}", "code_digest": f"{self.stack}-code-{number}"}
            versions = {self.name: str(number)}
            entry = Entry(
                entry_id(at),
                self.environment,
                "prod",
                at,
                kind,
                f"r-{number}",
                "test",
                "",
                details | {"versions": versions},
            )
            self.ledger().append(entry)

    def shares(self) -> dict[str, str]:
        """The stage's variables."""
        return dict(self.world.shown(self.api)["variables"])


__all__ = ["ACCOUNT_ID", "ReleaseWorld", "make_ledger"]
