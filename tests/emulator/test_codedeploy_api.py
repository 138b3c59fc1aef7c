"""Applications, groups, configurations, revisions and tags of the embedded CodeDeploy."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import ALL_AT_ONCE, REGION, ROLE, ROLLBACK_ALWAYS, STYLE, World, refusal, unique

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        yield made


def test_an_application_is_described_with_its_platform_and_listed(world: World) -> None:
    made = world.codedeploy.create_application(applicationName=world.application, computePlatform="Lambda")
    found = world.codedeploy.get_application(applicationName=world.application)["application"]
    assert found["applicationId"] == made["applicationId"]
    assert found["computePlatform"] == "Lambda"
    assert time.time() - found["createTime"].timestamp() < 60
    assert world.application in world.codedeploy.list_applications()["applications"]
    batch = world.codedeploy.batch_get_applications(applicationNames=[world.application])["applicationsInfo"]
    assert batch == [found]


def test_an_application_name_is_taken_once(world: World) -> None:
    world.make_application()
    with pytest.raises(world.codedeploy.exceptions.ApplicationAlreadyExistsException, match=world.application):
        world.make_application()


def test_an_unknown_application_is_refused_in_awss_words(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.ApplicationDoesNotExistException) as error:
        world.codedeploy.get_application(applicationName="nobody")
    assert refusal(error)[1] == "No application found for name: nobody"


def test_an_application_name_has_100_characters_of_a_small_set(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.InvalidApplicationNameException):
        world.codedeploy.create_application(applicationName="no spaces", computePlatform="Lambda")


def test_an_unknown_compute_platform_is_refused(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.InvalidComputePlatformException) as error:
        world.codedeploy.create_application(applicationName=world.application, computePlatform="Moon")
    assert refusal(error)[1] == (
        "ComputePlatform 'Moon' is not valid. Valid values are [Server, Lambda, ECS, Kubernetes]"
    )


def test_a_renamed_application_keeps_its_groups_and_tags(world: World) -> None:
    world.make_application()
    world.make_group(tags=[{"Key": "team", "Value": "manuel"}])
    renamed = unique("app")
    world.codedeploy.update_application(applicationName=world.application, newApplicationName=renamed)
    found = world.codedeploy.get_deployment_group(applicationName=renamed, deploymentGroupName="live")
    assert found["deploymentGroupInfo"]["applicationName"] == renamed
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:deploymentgroup:{renamed}/live"
    assert world.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "manuel"}]
    with pytest.raises(world.codedeploy.exceptions.ApplicationDoesNotExistException):
        world.codedeploy.get_application(applicationName=world.application)


def test_deleting_an_application_deletes_its_groups(world: World) -> None:
    world.make_application()
    world.make_group()
    world.codedeploy.delete_application(applicationName=world.application)
    world.make_application()
    assert world.codedeploy.list_deployment_groups(applicationName=world.application)["deploymentGroups"] == []


def test_a_group_is_described_as_it_was_made(world: World) -> None:
    world.make_application()
    alarms = {"enabled": True, "ignorePollAlarmFailure": False, "alarms": [{"name": "errors"}]}
    made = world.make_group(alarmConfiguration=alarms, autoRollbackConfiguration=ROLLBACK_ALWAYS)
    found = world.codedeploy.get_deployment_group(applicationName=world.application, deploymentGroupName="live")
    info = found["deploymentGroupInfo"]
    assert info["deploymentGroupId"] == made
    assert info["alarmConfiguration"] == alarms
    assert info["autoRollbackConfiguration"] == ROLLBACK_ALWAYS
    assert info["deploymentStyle"] == STYLE
    assert info["serviceRoleArn"] == ROLE
    assert info["deploymentConfigName"] == ALL_AT_ONCE
    assert info["computePlatform"] == "Lambda"
    assert "lastAttemptedDeployment" not in info


def test_a_group_update_changes_what_is_given_and_keeps_the_rest(world: World) -> None:
    world.make_application()
    world.make_group(autoRollbackConfiguration=ROLLBACK_ALWAYS)
    world.codedeploy.update_deployment_group(
        applicationName=world.application,
        currentDeploymentGroupName="live",
        newDeploymentGroupName="other",
        deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
    )
    found = world.codedeploy.get_deployment_group(applicationName=world.application, deploymentGroupName="other")
    info = found["deploymentGroupInfo"]
    assert info["deploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert info["autoRollbackConfiguration"] == ROLLBACK_ALWAYS
    with pytest.raises(world.codedeploy.exceptions.DeploymentGroupDoesNotExistException) as error:
        world.codedeploy.get_deployment_group(applicationName=world.application, deploymentGroupName="live")
    assert refusal(error)[1] == "No Deployment Group found for name: live"


def test_a_group_name_is_taken_once_per_application(world: World) -> None:
    world.make_application()
    world.make_group()
    with pytest.raises(world.codedeploy.exceptions.DeploymentGroupAlreadyExistsException):
        world.make_group()


def test_a_deleted_group_is_gone(world: World) -> None:
    world.make_application()
    world.make_group()
    world.codedeploy.delete_deployment_group(applicationName=world.application, deploymentGroupName="live")
    assert world.codedeploy.list_deployment_groups(applicationName=world.application)["deploymentGroups"] == []


def test_several_groups_are_described_at_once_and_unknown_ones_are_named(world: World) -> None:
    world.make_application()
    world.make_group("one")
    world.make_group("two")
    found = world.codedeploy.batch_get_deployment_groups(
        applicationName=world.application, deploymentGroupNames=["one", "two", "three"]
    )
    assert [group["deploymentGroupName"] for group in found["deploymentGroupsInfo"]] == ["one", "two"]
    assert "three" in found["errorMessage"]


@pytest.mark.parametrize(
    ("name", "routing"),
    [
        ("LambdaAllAtOnce", {"type": "AllAtOnce"}),
        (
            "LambdaCanary10Percent15Minutes",
            {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 15}},
        ),
        (
            "LambdaLinear10PercentEvery2Minutes",
            {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 2}},
        ),
    ],
)
def test_a_predefined_configuration_shifts_as_its_name_says(world: World, name: str, routing: dict[str, Any]) -> None:
    found = world.codedeploy.get_deployment_config(deploymentConfigName=f"CodeDeployDefault.{name}")
    assert found["deploymentConfigInfo"]["trafficRoutingConfig"] == routing
    assert found["deploymentConfigInfo"]["computePlatform"] == "Lambda"


def test_the_nine_predefined_lambda_configurations_are_listed(world: World) -> None:
    found = world.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    assert len([name for name in found if name.startswith("CodeDeployDefault.Lambda")]) == 9


def test_a_custom_configuration_can_be_used_until_it_is_deleted(world: World) -> None:
    name = world.custom_config("Linear", 25, 3)
    found = world.codedeploy.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    assert found["trafficRoutingConfig"]["timeBasedLinear"] == {"linearPercentage": 25, "linearInterval": 3}
    assert name in world.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    world.codedeploy.delete_deployment_config(deploymentConfigName=name)
    with pytest.raises(world.codedeploy.exceptions.DeploymentConfigDoesNotExistException) as error:
        world.codedeploy.get_deployment_config(deploymentConfigName=name)
    assert refusal(error)[1] == f"No deployment configuration found for name: {name}"


def test_a_configuration_that_a_group_uses_is_not_deleted(world: World) -> None:
    name = world.custom_config("Canary", 10, 1)
    world.make_application()
    world.make_group(deploymentConfigName=name)
    with pytest.raises(world.codedeploy.exceptions.DeploymentConfigInUseException):
        world.codedeploy.delete_deployment_config(deploymentConfigName=name)


def test_a_predefined_configuration_is_not_deleted(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.InvalidOperationException):
        world.codedeploy.delete_deployment_config(deploymentConfigName=ALL_AT_ONCE)


def test_a_registered_revision_is_known_by_its_content(world: World) -> None:
    world.make_application()
    content = world.appspec()
    revision = {
        "revisionType": "String",
        "string": {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()},
    }
    asked = {"applicationName": world.application, "revision": revision}
    with pytest.raises(world.codedeploy.exceptions.RevisionDoesNotExistException):
        world.codedeploy.get_application_revision(**asked)
    world.codedeploy.register_application_revision(**asked, description="the first")
    found = world.codedeploy.get_application_revision(**asked)
    assert found["revision"] == revision
    assert found["revisionInfo"]["description"] == "the first"
    assert found["revisionInfo"]["deploymentGroups"] == []
    listed = world.codedeploy.list_application_revisions(applicationName=world.application)["revisions"]
    assert listed == [revision]


def test_a_revision_whose_digest_is_of_something_else_is_refused(world: World) -> None:
    world.make_application()
    revision = {"revisionType": "String", "string": {"content": world.appspec(), "sha256": "0" * 64}}
    with pytest.raises(world.codedeploy.exceptions.InvalidRevisionException):
        world.codedeploy.register_application_revision(applicationName=world.application, revision=revision)


def test_tags_are_added_replaced_and_taken_away(world: World) -> None:
    world.codedeploy.create_application(
        applicationName=world.application, computePlatform="Lambda", tags=[{"Key": "a", "Value": "1"}]
    )
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:application:{world.application}"
    world.codedeploy.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    world.codedeploy.untag_resource(ResourceArn=arn, TagKeys=["b"])
    assert world.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_another_services_arn_cannot_be_tagged(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.ArnNotSupportedException):
        world.codedeploy.list_tags_for_resource(ResourceArn=f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:f")


def test_regions_do_not_see_each_others_applications(world: World, cloud: EmbeddedCloud) -> None:
    world.make_application()
    other = boto3.Session(ACCOUNT_ID, "embedded", region_name="us-east-1").client(
        "codedeploy", endpoint_url=cloud.endpoint
    )
    try:
        assert world.application not in other.list_applications()["applications"]
    finally:
        other.close()


def test_a_body_that_is_not_json_is_a_serialization_error(world: World) -> None:
    def spoil(request: Any, **_: Any) -> None:
        request.data = b"{"

    world.codedeploy.meta.events.register("before-sign.codedeploy.ListApplications", spoil)
    with pytest.raises(ClientError) as error:
        world.codedeploy.list_applications()
    assert refusal(error)[0] == "SerializationException"


def test_an_operation_that_is_not_emulated_is_an_unknown_operation(world: World) -> None:
    with pytest.raises(ClientError) as error:
        world.codedeploy.list_on_premises_instances()
    assert refusal(error)[0] == "UnknownOperationException"
