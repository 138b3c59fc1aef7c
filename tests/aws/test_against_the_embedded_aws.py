"""The same modules against a server: what a stub cannot prove is that a request means what we think it means."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from typing import TYPE_CHECKING

import pytest

from manuel_release.aws import Aws, Session
from manuel_release.model.stack import Action
from manuel_release.rehearsal.process import client_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.model.stack import Stack

pytestmark = pytest.mark.emulator
ROLE = "arn:aws:iam::123456789012:role/anything"


@pytest.fixture
def aws(cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in client_environment(cloud.endpoint, cloud.options.region).items():
        monkeypatch.setenv(name, value)
    with Aws(Session(None, None, "eu-west-1")) as made:
        yield made


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:12]}"


def template(name: str, **more) -> dict:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
    return {
        "Parameters": {"ReleaseId": {"Type": "String"}},
        "Resources": {"Bucket": bucket, **more},
        "Outputs": {"Release": {"Value": {"Ref": "ReleaseId"}}},
    }


def change_set(aws: Aws, stack: str, body: dict | None, url: str | None = None, *, creates: bool):
    return aws.stacks.create_change_set(
        stack=stack,
        template_url=url,
        template_body=None if body is None else json.dumps(body),
        parameters={"ReleaseId": "r-1"},
        creates=creates,
        name=f"c{uuid.uuid4().hex[:8]}",
        description="a test",
        rollback_alarms=(),
        tags={"manuel:environment": "dev"},
    )


def settled(aws: Aws, stack: str, status: str) -> Stack:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = aws.stacks.describe(stack)
        if found is not None and found.status == status:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{found} never became {status}")


def test_a_stack_is_planned_created_found_unchanged_updated_from_s3_and_followed(aws, name) -> None:
    assert aws.stacks.describe(name) is None

    first = change_set(aws, name, template(name), creates=True)
    assert [(change.action, change.logical_id) for change in first.changes] == [(Action.ADD, "Bucket")]
    assert aws.stacks.describe(name).never_created
    aws.stacks.execute(first.id, "one")
    stack = settled(aws, name, "CREATE_COMPLETE")
    assert (stack.outputs, stack.parameters) == ({"Release": "r-1"}, {"ReleaseId": "r-1"})
    assert [resource.physical_id for resource in aws.stacks.resources(name)] == [name]
    before = aws.stacks.events(name)
    assert [event.status for event in before][-1] == "CREATE_COMPLETE"

    assert change_set(aws, name, template(name), creates=False).changes == ()

    larger = template(name, Topic={"Type": "AWS::SNS::Topic"})
    aws.storage.upload(name, "template.json", json.dumps(larger).encode())
    second = change_set(aws, name, None, aws.storage.template_url(name, "template.json"), creates=False)
    assert [(change.action, change.logical_id) for change in second.changes] == [(Action.ADD, "Topic")]
    aws.stacks.execute(second.id, "two")
    settled(aws, name, "UPDATE_COMPLETE")
    seen = {event.id for event in before}
    new = [event for event in aws.stacks.events(stack.id, before[-1].at) if event.id not in seen]
    assert {event.logical_id for event in new} >= {"Topic", name}
    assert new == sorted(new, key=lambda event: event.at)


def test_a_stack_that_was_only_planned_is_cleared_away(aws, name) -> None:
    change_set(aws, name, template(name), creates=True)

    aws.stacks.delete_stack(name)

    assert aws.stacks.describe(name) is None


def package(code: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("handler.py", code)
    return made.getvalue()


@pytest.fixture
def function(aws, name) -> str:
    """A function with `live` on version 1, release r-1 there too, and r-2 on version 2."""
    client = aws.session.client("lambda")
    code = "def handle(event, context):\n    return {1}[event['key']]\n"
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="handler.handle",
        Code={"ZipFile": package(code.replace("{1}", "{'a': 'first'}"))},
    )
    for number, release in enumerate(("r-1", "r-2"), start=1):
        aws.functions.wait_until_settled(name, 60)
        version = aws.functions.publish(name, aws.functions.code_sha256(name), release)
        assert version == str(number)
        aws.functions.create_alias(name, release, version, release)
        client.update_function_code(FunctionName=name, ZipFile=package(code.replace("{1}", "{'a': 'second'}")))
    aws.functions.create_alias(name, "live", "1", "serves")
    return name


def test_a_release_is_published_and_invoked_through_its_alias(aws, function) -> None:
    assert aws.functions.versions(function) == ("1", "2")
    assert {alias.name: alias.version for alias in aws.functions.aliases(function)} == {
        "live": "1",
        "r-1": "1",
        "r-2": "2",
    }

    old, new = (aws.functions.invoke(function, release, {"key": "a"}) for release in ("r-1", "r-2"))

    assert (old.payload, old.executed_version, old.error) == ("first", "1", "")
    assert (new.payload, new.executed_version, new.error) == ("second", "2", "")
    assert aws.functions.invoke(function, "live", {"key": "b"}).error == "Unhandled: KeyError: 'b'"


def test_codedeploy_moves_live_to_the_release(aws, function) -> None:
    client = aws.session.client("codedeploy")
    client.create_application(applicationName=function, computePlatform="Lambda")
    client.create_deployment_group(
        applicationName=function,
        deploymentGroupName=function,
        serviceRoleArn=ROLE,
        deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    )
    how = {"application": function, "group": function, "function": function, "alias": "live"}
    where = {"current_version": "1", "target_version": "2", "alarms": None, "description": "v1 r-2"}

    started = aws.deployments.create(**how, **where, config="CodeDeployDefault.LambdaAllAtOnce")
    deadline = time.monotonic() + 60
    while not (deployment := aws.deployments.get(started)).over and time.monotonic() < deadline:
        time.sleep(0.1)

    assert deployment.status == "Succeeded"
    assert aws.functions.alias(function, "live").version == "2"
    assert aws.deployments.active(function, function) == ()
    aws.deployments.stop(started, roll_back=True)
    assert aws.functions.alias(function, "live").version == "2"


def test_stage_variables_are_written_and_a_canary_is_seen(aws, name) -> None:
    client = aws.session.client("apigateway")
    api = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    client.create_deployment(restApiId=api, stageName="v1")

    stage = aws.gateway.write_variables(api, "v1", {"release": "live", "current": "r-1"})
    client.update_stage(
        restApiId=api,
        stageName="v1",
        patchOperations=[
            {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "10"},
            {"op": "replace", "path": "/canarySettings/stageVariableOverrides/release", "value": "r-2"},
        ],
    )

    assert (stage.serving, stage.current, stage.canary) == ("live", "r-1", None)
    canary = aws.gateway.stage(api, "v1").canary
    assert (canary.percent, canary.release) == (10.0, "r-2")
    assert aws.gateway.stage(api, "v2") is None
