"""The guard on the embedded AWS: events reach it, and it takes a release on trial back without a person.

The tests of this module tell one story and run in its order; each starts where the one before ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests_root import ROOT

from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import EmbeddedCloud, Options
from manuel_release.rehearsal.visitor import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story]

SECONDS = 60.0
SETTINGS = 'api_url = "{endpoint}/_aws/execute-api/{{api_id}}/{{stage}}"\npoll_seconds = 0.2\n'


@dataclass
class Desk:
    """A checkout of the service, an embedded AWS that knows its identities' permissions, and clients of it."""

    folder: Path
    cloud: EmbeddedCloud
    clients: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "manuel_release", *arguments, "--output", "json"],
            cwd=self.folder,
            env=self.cloud.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
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

    def ring(self, alarm: str) -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="Planted.")

    def log(self) -> list[dict[str, Any]]:
        """What the guard wrote to its log."""
        logs = self.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/manuel-guard")
        lines = [event["message"].strip() for page in pages for event in page["events"]]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def decided(self, event: str) -> dict[str, Any]:
        """What the guard decided about an event, as soon as it has."""
        return until(lambda: next((line for line in self.log() if line.get("event") == event), None))

    def release(self, name: str) -> dict[str, Any]:
        releases = self.run("history", "--env", "production")["releases"]
        return next(one for one in releases if one["release"] == name)

    def incidents(self) -> list[dict[str, Any]]:
        """What the ledger keeps of each, as DynamoDB writes it."""
        found = self.client("dynamodb").query(
            TableName="manuel-releases",
            KeyConditionExpression="environment = :e AND begins_with(entry, :p)",
            ExpressionAttributeValues={":e": {"S": "*"}, ":p": {"S": "incident#"}},
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found["Items"]]

    def serving(self) -> set[str]:
        url = f"{self.cloud.endpoint}/_aws/execute-api/{self.outputs['ApiId']}/{self.outputs['ApiStage']}/health"
        return {send("GET", url).release for _ in range(60)}

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


def until(question: Callable[[], Any]) -> Any:
    """The first true answer within SECONDS."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = question()
        if found or time.monotonic() > deadline:
            assert found, "it did not happen in time"
            return found
        time.sleep(0.3)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("guard")
    workspace.copy_tree(ROOT, folder / "service")
    with EmbeddedCloud.start(folder / "cloud", Options(auth=True)) as cloud:
        path = folder / "service" / "manuel-release.toml"
        path.write_text(SETTINGS.format(endpoint=cloud.endpoint) + path.read_text())
        made = Desk(folder / "service", cloud)
        made.run("bootstrap", "--yes")
        made.run("deploy", "--env", "production", "--yes")
        source = folder / "service" / "src/app/manuel/health.py"
        source.write_text(source.read_text().replace('"""', '"""A second release. ', 1))
        made.run("deploy", "--env", "production", "--yes")
        yield made
        for one in made.clients.values():
            one.close()


def test_an_alarm_of_the_canary_has_it_rolled_back_without_a_person(desk: Desk) -> None:
    desk.run("canary", "start", "--env", "production", "--yes")
    assert desk.serving() == {"r-1", "r-2"}

    desk.ring("manuel-prod-r-2-5xx")

    assert desk.decided("manuel-prod-r-2-5xx")["action"] == "roll_back"
    assert desk.release("r-2")["state"] == "rolled_back"
    assert desk.serving() == {"r-1"}
    (incident,) = desk.incidents()
    assert (incident["trigger"], incident["release"]) == ("manuel-prod-r-2-5xx", "r-2")
    assert "ended_at" in incident, "the guard did all of it"


def test_a_second_alarm_of_the_same_incident_does_nothing(desk: Desk) -> None:
    desk.ring("manuel-prod-r-2-slowness")

    assert desk.decided("manuel-prod-r-2-slowness")["action"] == "keep_watching"
    assert len(desk.incidents()) == 1
    assert desk.serving() == {"r-1"}


def test_an_alarm_of_a_proven_release_calls_people_and_moves_nothing(desk: Desk) -> None:
    desk.ring("manuel-prod-r-1-5xx")

    assert desk.decided("manuel-prod-r-1-5xx")["action"] == "escalate"
    assert len(desk.incidents()) == 1
    assert desk.serving() == {"r-1"}


def test_each_rule_takes_the_events_that_it_is_for(desk: Desk) -> None:
    events = desk.client("events")
    name = "manuel-backend-1"
    told = {
        "manuel-guard-rollout": (
            "aws.codedeploy",
            "CodeDeploy Deployment State-change Notification",
            {"application": "manuel-serverless-app", "deploymentGroup": "manuel-query-prod", "state": "FAILURE"},
            {"state": "SUCCESS"},
        ),
        "manuel-guard-approval": (
            "aws.codepipeline",
            "CodePipeline Action Execution State Change",
            {
                "pipeline": "manuel-pipeline",
                "stage": "CanaryApproval",
                "action": "DevOps",
                "type": {"owner": "AWS", "provider": "Manual", "category": "Approval", "version": "1"},
                "state": "FAILED",
            },
            {"stage": "ProductionApproval"},
        ),
        "manuel-guard-observer": (
            "aws.codebuild",
            "CodeBuild Build State Change",
            {"project-name": "manuel-observe", "build-status": "STOPPED"},
            {"build-status": "SUCCEEDED"},
        ),
    }
    for rule, (source, kind, detail, other) in told.items():
        pattern = events.describe_rule(Name=rule)["EventPattern"]
        for given, wanted in ((detail, True), (detail | other, False)):
            event = {
                "id": name,
                "account": "123456789012",
                "source": source,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": "eu-west-1",
                "resources": [],
                "detail-type": kind,
                "detail": given,
            }
            answer = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
            assert answer["Result"] is wanted, (rule, given)


def test_a_canary_that_nobody_observes_is_taken_back(desk: Desk) -> None:
    path = desk.folder / "manuel-release.toml"
    path.write_text("heartbeat_seconds = 1\n" + path.read_text())
    source = desk.folder / "src/app/manuel/health.py"
    source.write_text(source.read_text().replace('"""', '"""A third release. ', 1))
    desk.run("deploy", "--env", "production", "--yes")
    desk.run("canary", "start", "--env", "production", "--yes")
    time.sleep(1)

    desk.guard({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})

    until(lambda: desk.release("r-3")["state"] == "rolled_back")
    assert desk.decided("heartbeat")["environment"] == "production"
    assert "heartbeat" in {incident["trigger"] for incident in desk.incidents()}
    assert desk.serving() == {"r-1"}


def test_a_rollback_that_ended_after_its_traffic_call_is_finished_by_the_next_look(desk: Desk) -> None:
    gateway = desk.client("apigateway")
    where = {"restApiId": desk.outputs["ApiId"], "stageName": desk.outputs["ApiStage"]}
    pin = {"op": "replace", "path": "/variables/release", "value": "r-1"}
    gateway.update_stage(**where, patchOperations=[pin])

    (done,) = desk.guard({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})

    assert done["action"] == "continued"
    variables = gateway.get_stage(**where)["variables"]
    assert (variables["release"], variables["current"]) == ("live", "r-1")
