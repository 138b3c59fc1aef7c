"""The service as the tool deploys it, its guard, and what happens around them, on an embedded AWS that enforces IAM."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from click.testing import CliRunner
from emulator.builders import until

from manuel_release.cli import root
from manuel_release.rehearsal.visitor import send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

    from manuel_release.rehearsal.process import EmbeddedCloud

SETTINGS = 'api_url = "{endpoint}/_aws/execute-api/{{api_id}}/{{stage}}"\npoll_seconds = 0.2\nhealth_answers = 1\n'
ON_CALL = '\n[people]\non_call = ["*"]\n'
DIES = "version: 0.2\nphases: {build: {commands: [exit 1]}}"
FAILS = """\
    if request.query.get("fails") in {"any", settings.release}:
        return Response(503, answer)
"""
SLEEPS = "version: 0.2\nphases: {build: {commands: [sleep 120]}}"
PIPELINE, OBSERVER = "manuel-pipeline", "manuel-observe"
PROMOTE = (
    "canary", "promote", "100", "--override", "the next test", "--allow-step", "--env", "production", "--yes",
)  # fmt: skip


@dataclass
class Desk:
    """A checkout of the service, an embedded AWS that knows its identities' permissions, and clients of it."""

    folder: Path
    cloud: EmbeddedCloud
    plain: str = ""
    clients: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, cloud: EmbeddedCloud) -> Desk:
        """r-1 serves production, r-2 is deployed and waits at 0 %."""
        made = cls(folder, cloud)
        made.plain = SETTINGS.format(endpoint=cloud.endpoint) + made.path.read_text() + ON_CALL
        made.settings("")
        made.edit("    if request.query", FAILS + "    if request.query")
        made.run("bootstrap", "--yes")
        made.run("deploy", "--env", "production", "--yes")
        made.change("A second release.")
        made.run("deploy", "--env", "production", "--yes")
        return made

    @property
    def path(self) -> Path:
        return self.folder / "manuel-release.toml"

    def close(self) -> None:
        for one in self.clients.values():
            one.close()

    def change(self, words: str) -> None:
        """Something in the source, so that there is something to deploy."""
        self.edit('"""', f'"""{words} ')

    def edit(self, before: str, after: str) -> None:
        """Another text in the source."""
        source = self.folder / "src/app/manuel/health.py"
        text = source.read_text()
        assert before in text
        source.write_text(text.replace(before, after, 1))

    def run(self, *arguments: str) -> Any:
        done = self.begin(*arguments)
        said, problem = done.communicate()
        assert done.returncode == 0, said + problem
        return json.loads(said)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "manuel_release", *arguments, "--output", "json"],
            cwd=self.folder,
            env=self.cloud.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def quick(self, *arguments: str) -> Any:
        """A command in this process."""
        given = [*arguments, "--config", str(self.path), "--output", "json"]
        done = CliRunner().invoke(root, given, env=self.cloud.environment())
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def client(self, name: str) -> Any:
        if name not in self.clients:
            self.clients[name] = boto3.client(
                name,
                endpoint_url=self.cloud.endpoint,
                region_name="eu-west-1",
                aws_access_key_id="123456789012",
                aws_secret_access_key="embedded",
            )
        return self.clients[name]

    def trial(self) -> None:
        """r-2 gets 10 % of the requests again, whatever it was found guilty of before."""
        for one in self.quick("quarantine", "list")["quarantines"]:
            self.quick("quarantine", "lift", one["code_digest"], "--reason", "the next test")
        for one in self.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]:
            self.ring(one["AlarmName"], "OK")
        self.quick("canary", "start", "--release", "r-2", "--env", "production", "--yes")

    def ring(self, alarm: str, state: str = "ALARM") -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="Planted.")

    def log(self) -> list[dict[str, Any]]:
        """What the guard wrote to its log."""
        logs = self.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/manuel-guard")
        lines = [event["message"].strip() for page in pages for event in page["events"]]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def decisions(self, event: str) -> list[dict[str, Any]]:
        """What the guard decided about an event so far, oldest first."""
        return [line for line in self.log() if line.get("event") == event]

    def decided(self, event: str, before: int = 0) -> dict[str, Any]:
        """What the guard decided about an event, as soon as it has; `before`: so many times it had done so already."""
        return dict(until(lambda: self.decisions(event)[before:])[0])

    def taken_back(self, event: str, before: int = 0) -> dict[str, Any]:
        """The incident of a trial that the guard ended because of an event, as soon as it is over."""
        until(lambda: any(one["action"] == "roll_back" for one in self.decisions(event)[before:]))
        incident = self.incidents()[-1]
        assert (incident["trigger"], incident["release"]) == (event, "r-2")
        assert "ended_at" in incident, "the guard did all of it"
        assert self.serving() == {"r-1"}
        return incident

    def release(self, name: str) -> dict[str, Any]:
        return next(one for one in self.quick("history", "--env", "production")["releases"] if one["release"] == name)

    def incidents(self) -> list[dict[str, Any]]:
        """What the ledger keeps of each, as DynamoDB writes it, oldest first."""
        found = self.client("dynamodb").query(
            TableName="manuel-releases",
            KeyConditionExpression="environment = :e AND begins_with(entry, :p)",
            ExpressionAttributeValues={":e": {"S": "*"}, ":p": {"S": "incident#"}},
        )
        told = ({name: next(iter(value.values())) for name, value in item.items()} for item in found["Items"])
        return sorted(told, key=lambda one: one["started_at"])

    def share(self) -> float:
        """The canary's, in percent; 0 without one."""
        stage = self.client("apigateway").get_stage(**self.where)
        return float(stage.get("canarySettings", {}).get("percentTraffic", 0.0))

    def serving(self) -> set[str]:
        """The releases that answer."""
        return {send("GET", self.health).release for _ in range(60)}

    def send(self, requests: int, random: Random) -> None:
        """Of all requests 5 % fail on whichever release, and of r-2's 20 % more."""
        for _ in range(requests):
            lot = random.random()
            send("GET", self.health + ("?fails=any" if lot < 0.05 else "?fails=r-2" if lot < 0.25 else ""))

    @cached_property
    def health(self) -> str:
        """The address of GET /health."""
        return f"{self.cloud.endpoint}/_aws/execute-api/{self.where['restApiId']}/{self.where['stageName']}/health"

    @property
    def where(self) -> dict[str, str]:
        """The API's stage."""
        return {"restApiId": self.outputs["ApiId"], "stageName": self.outputs["ApiStage"]}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Of the service's stack."""
        stacks = self.client("cloudformation").describe_stacks(StackName="manuel-prod")["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}

    def guard(self, event: dict[str, Any]) -> Any:
        """Call the guard as EventBridge does, and wait for it."""
        answer = self.client("lambda").invoke(FunctionName="manuel-guard", Payload=json.dumps(event))
        text = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, text
        return json.loads(text)

    def alias(self, function: str, name: str) -> tuple[str, dict[str, float]]:
        """Version of a function's alias, and the weights of others."""
        found = self.client("lambda").get_alias(FunctionName=function, Name=name)
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    @contextlib.contextmanager
    def broken_rollout(self) -> Iterator[None]:
        """`promote 100`, killed when half of a `live` is moved; from then on CodeDeploy may move no alias."""
        iam, first = self.client("iam"), min(self.functions())
        role = next(one["RoleName"] for one in iam.list_roles()["Roles"] if "CodeDeploy" in one["RoleName"])
        policy = {"RoleName": role, "PolicyName": "aliases"}
        document = iam.get_role_policy(**policy)["PolicyDocument"]
        process = self.begin(*PROMOTE)
        until(lambda: self.alias(first, "live")[1] or process.poll() is not None)
        iam.delete_role_policy(**policy)
        process.kill()
        said = process.communicate()
        assert process.returncode == -signal.SIGKILL, said
        yield
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))

    def deployments(self, status: str) -> list[str]:
        """Ids of CodeDeploy's deployments with that status."""
        return list(self.client("codedeploy").list_deployments(includeOnlyStatuses=[status])["deployments"])

    def rolled_back_after(self, events: list[str]) -> str | None:
        """Which of these events the guard has rolled back for; the others may come while it does."""
        decided = (one for one in self.log() if one.get("event") in events)
        return next((one["event"] for one in decided if one["action"] == "roll_back"), None)

    def functions(self) -> list[str]:
        """Names of the service's functions."""
        resources = self.client("cloudformation").describe_stack_resources(StackName="manuel-prod")["StackResources"]
        return [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::Lambda::Function"]

    def settings(self, line: str, *, everywhere: bool = False) -> None:
        """Other values of settings than those of the beginning: in this checkout, or for the guard as well."""
        text = f"{line}\n{self.plain}"
        self.path.write_text(text)
        if everywhere:
            self.client("ssm").put_parameter(Name="/manuel/settings", Value=text, Type="String", Overwrite=True)

    def build(self, buildspec: str) -> str:
        """Start a build of the project that observes canaries; its id."""
        given = {"projectName": OBSERVER, "buildspecOverride": buildspec}
        return str(self.client("codebuild").start_build(**given)["build"]["id"])
