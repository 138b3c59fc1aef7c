"""The AppSpec: which forms are taken, and what of it makes a deployment fail before it changes anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import REGION, ROLLBACK_ALWAYS, World, refusal, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

BAD_APPSPEC = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is missing "
    "or has an invalid configuration."
)


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        yield made.ready()


YAML_APPSPEC = """
version: 0.0
Resources:
  - myFunction:
      Type: AWS::Lambda::Function
      Properties:
        Name: {function}
        Alias: live
        CurrentVersion: 1
        TargetVersion: 2
"""


@pytest.mark.parametrize("member", ["AppSpecContent", "String"])
def test_an_appspec_in_yaml_with_capitals_is_taken(world: World, member: str) -> None:
    content = {"content": YAML_APPSPEC.format(function=world.function)}
    revision = {"revisionType": member, member[:1].lower() + member[1:]: content}
    deployment = world.codedeploy.create_deployment(
        applicationName=world.application, deploymentGroupName="live", revision=revision
    )["deploymentId"]
    assert world.finished(deployment)["status"] == "Succeeded"
    assert world.alias() == ("2", {})


def test_an_appspec_in_a_bucket_is_taken(world: World) -> None:
    bucket = unique("revisions")
    world.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    world.s3.put_object(Bucket=bucket, Key="appspec.json", Body=world.appspec().encode())
    location = {"bucket": bucket, "key": "appspec.json", "bundleType": "JSON"}
    deployment = world.codedeploy.create_deployment(
        applicationName=world.application,
        deploymentGroupName="live",
        revision={"revisionType": "S3", "s3Location": location},
    )["deploymentId"]
    assert world.finished(deployment)["status"] == "Succeeded"


def broken_appspecs() -> dict[str, str]:
    good = json.loads(World.appspec(Named(), "1", "2"))
    resource = next(iter(good["resources"][0].values()))
    without_target = {**resource, "properties": {**resource["properties"], "targetversion": ""}}
    return {
        "not a mapping": "nothing",
        "not even YAML": "{[",
        "another version": json.dumps({**good, "version": 1.0}),
        "two resources": json.dumps({**good, "resources": good["resources"] * 2}),
        "another type": json.dumps({**good, "resources": [{"it": {**resource, "type": "AWS::ECS::Service"}}]}),
        "no target version": json.dumps({**good, "resources": [{"it": without_target}]}),
        "an unknown hook": json.dumps({**good, "hooks": [{"AfterLunch": "f"}]}),
        "hooks that are no list": json.dumps({**good, "hooks": {"BeforeAllowTraffic": "f"}}),
    }


class Named:
    """Stands for a world where only the function's name matters."""

    function = "anything"


@pytest.mark.parametrize("kind", broken_appspecs())
def test_an_appspec_that_says_nothing_usable_fails_the_deployment(world: World, kind: str) -> None:
    info = world.finished(world.deploy(broken_appspecs()[kind]))
    assert info["status"] == "Failed"
    assert info["errorInformation"] == {"code": "INVALID_LAMBDA_CONFIGURATION", "message": BAD_APPSPEC}
    assert world.alias() == ("1", {})


def fails(world: World, content: str, code: str = "INVALID_LAMBDA_CONFIGURATION") -> str:
    before = world.alias()
    info = world.finished(world.deploy(content, autoRollbackConfiguration=ROLLBACK_ALWAYS))
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == code
    assert world.alias() == before
    assert "rollbackInfo" not in info
    return str(info["errorInformation"]["message"])


def test_a_wrong_current_version_fails_in_awss_words(world: World) -> None:
    message = fails(world, world.appspec(current="2", target="1"))
    assert message == (
        f"{BAD_APPSPEC} The Lambda function alias version does not match the current version in AppSpec file."
    )


def test_the_same_version_twice_fails_with_the_general_sentence(world: World) -> None:
    assert fails(world, world.appspec(current="1", target="1")) == BAD_APPSPEC


def test_an_alias_with_weights_cannot_be_deployed(world: World) -> None:
    world.lambda_.update_alias(
        FunctionName=world.function, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}}
    )
    assert "more than one version" in fails(world, world.appspec())
    assert world.alias() == ("1", {"2": 0.5})


def test_a_missing_target_version_fails(world: World) -> None:
    assert "version 7 does not exist" in fails(world, world.appspec(target="7"))


def test_a_missing_alias_fails(world: World) -> None:
    content = world.appspec().replace('"live"', '"nowhere"')
    assert "alias nowhere does not exist" in fails(world, content)


def test_a_missing_function_fails_as_an_invalid_function(world: World) -> None:
    message = fails(world, world.appspec(function="nobody"), "INVALID_LAMBDA_FUNCTION")
    assert "nobody" in message


@pytest.mark.parametrize(
    ("revision", "code"),
    [
        ({}, "RevisionRequiredException"),
        (
            {"revisionType": "GitHub", "gitHubLocation": {"repository": "r", "commitId": "c"}},
            "InvalidRevisionException",
        ),
        ({"revisionType": "AppSpecContent", "appSpecContent": {}}, "InvalidRevisionException"),
        (
            {"revisionType": "S3", "s3Location": {"bucket": "none", "key": "k", "bundleType": "YAML"}},
            "RevisionDoesNotExistException",
        ),
        (
            {"revisionType": "S3", "s3Location": {"bucket": "none", "key": "k", "bundleType": "zip"}},
            "InvalidRevisionException",
        ),
    ],
)
def test_a_revision_that_no_lambda_deployment_has_is_refused(world: World, revision: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        world.codedeploy.create_deployment(
            applicationName=world.application, deploymentGroupName="live", revision=revision
        )
    assert refusal(error)[0] == code
