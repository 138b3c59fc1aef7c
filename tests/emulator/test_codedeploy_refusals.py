"""What CodeDeploy refuses of groups and configurations of Lambda, in the sentences that AWS was measured to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import REGION, STYLE, World, refusal, unique

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

STYLE_SENTENCE = (
    "For LAMBDA deployment, the deployment type must be BLUE_GREEN, and deployment option must be WITH_TRAFFIC_CONTROL."
)
PLATFORM_SENTENCE = (
    "Compute platform of deployment config CodeDeployDefault.OneAtATime does not match expected compute platform, "
    "correct compute platform should be Lambda."
)
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:topic"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        made.make_application()
        yield made


def alarms(*names: str) -> dict[str, Any]:
    return {"alarmConfiguration": {"enabled": True, "alarms": [{"name": name} for name in names]}}


def trigger(number: int) -> dict[str, Any]:
    return {"triggerName": str(number), "triggerTargetArn": TOPIC, "triggerEvents": ["DeploymentStart"]}


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        (
            {"blueGreenDeploymentConfiguration": {"deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"}}},
            "InvalidBlueGreenDeploymentConfigurationException",
            "For Lambda deployment group, blueGreenDeploymentConfiguration can not be specified",
        ),
        (
            {"ec2TagFilters": [{"Key": "a", "Value": "b", "Type": "KEY_AND_VALUE"}]},
            "InvalidEC2TagException",
            "For Lambda deployment group, ec2TagFilters can not be specified",
        ),
        (
            {"ec2TagSet": {"ec2TagSetList": []}},
            "InvalidEC2TagException",
            "For Lambda deployment group, ec2TagSet can not be specified",
        ),
        (
            {"onPremisesInstanceTagFilters": []},
            "InvalidTagException",
            "For Lambda deployment group, onPremisesInstanceTagFilters can not be specified",
        ),
        ({"autoScalingGroups": ["asg"]}, "InvalidAutoScalingGroupException", "autoScalingGroups"),
        ({"ecsServices": [{"serviceName": "s", "clusterName": "c"}]}, "InvalidECSServiceException", "ecsServices"),
        ({"loadBalancerInfo": {"elbInfoList": []}}, "InvalidLoadBalancerInfoException", "loadBalancerInfo"),
        (
            {"deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITH_TRAFFIC_CONTROL"}},
            "InvalidDeploymentStyleException",
            STYLE_SENTENCE,
        ),
        (
            {"deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}},
            "InvalidDeploymentStyleException",
            "must be WITH_TRAFFIC_CONTROL",
        ),
        (
            {"autoRollbackConfiguration": {"enabled": True}},
            "InvalidAutoRollbackConfigException",
            "Deployment Groups need to have at least one event specified when auto rollback is enabled",
        ),
        (
            {"autoRollbackConfiguration": {"enabled": True, "events": ["ON_A_WHIM"]}},
            "InvalidAutoRollbackConfigException",
            "ON_A_WHIM",
        ),
        (
            {"alarmConfiguration": {"enabled": True}},
            "InvalidAlarmConfigException",
            "Alarm list cannot be null.",
        ),
        (
            {"alarmConfiguration": {"enabled": True, "alarms": []}},
            "InvalidAlarmConfigException",
            "Deployment Groups need to have at least one alarms attached if they are monitored.",
        ),
        (alarms(*map(str, range(11))), "AlarmsLimitExceededException", "(10) was exceeded"),
        (alarms("twice", "twice"), "InvalidAlarmConfigException", "same name"),
        (alarms("x" * 256), "InvalidAlarmConfigException", "255"),
        (
            {"deploymentConfigName": "CodeDeployDefault.OneAtATime"},
            "InvalidDeploymentConfigNameException",
            PLATFORM_SENTENCE,
        ),
        (
            {"deploymentConfigName": "Nothing"},
            "DeploymentConfigDoesNotExistException",
            "No deployment configuration found for name: Nothing",
        ),
        (
            {"triggerConfigurations": [trigger(number) for number in range(11)]},
            "TriggerTargetsLimitExceededException",
            "Deployment Groups cannot contain more than 10 TriggerTargets.",
        ),
        (
            {"triggerConfigurations": [{**trigger(1), "triggerTargetArn": "topic"}]},
            "InvalidTriggerConfigException",
            "Topic ARN topic is not valid",
        ),
    ],
)
def test_a_lambda_group_is_refused(world: World, settings: dict[str, Any], code: str, sentence: str) -> None:
    with pytest.raises(ClientError) as error:
        world.make_group(**settings)
    assert refusal(error)[0] == code
    assert sentence in refusal(error)[1]
    assert world.codedeploy.list_deployment_groups(applicationName=world.application)["deploymentGroups"] == []


@pytest.mark.parametrize("missing", ["deploymentStyle", "deploymentConfigName"])
def test_a_lambda_group_without_style_or_configuration_gets_the_instances_defaults_and_is_refused(
    world: World, missing: str
) -> None:
    members = {
        "applicationName": world.application,
        "deploymentGroupName": "live",
        "serviceRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/r",
        "deploymentStyle": STYLE,
        "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
    }
    del members[missing]
    with pytest.raises(ClientError):
        world.codedeploy.create_deployment_group(**members)


def test_a_group_update_is_refused_as_a_new_group_is(world: World) -> None:
    world.make_group()
    with pytest.raises(world.codedeploy.exceptions.AlarmsLimitExceededException):
        world.codedeploy.update_deployment_group(
            applicationName=world.application, currentDeploymentGroupName="live", **alarms(*map(str, range(11)))
        )


def test_a_group_of_instances_is_not_emulated_and_says_so(world: World) -> None:
    name = unique("servers")
    world.codedeploy.create_application(applicationName=name, computePlatform="Server")
    world.application = name
    with pytest.raises(world.codedeploy.exceptions.InvalidInputException, match="only Lambda"):
        world.make_group()


def canary(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": percentage, "canaryInterval": interval},
    }


def linear(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {"linearPercentage": percentage, "linearInterval": interval},
    }


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "Traffic routing configuration cannot be null nor empty for deployment configurations on this platform."),
        ({"trafficRoutingConfig": canary(100, 5)}, "Valid traffic routing percentage is from 1 to 99"),
        ({"trafficRoutingConfig": linear(0, 5)}, "Valid traffic routing percentage is from 1 to 99"),
        ({"trafficRoutingConfig": canary(10, 2881)}, "Canary interval must be between 1 and 2880 minutes (2 days)"),
        ({"trafficRoutingConfig": canary(10, 0)}, "Canary interval must be between 1 and 2880 minutes (2 days)"),
        (
            {"trafficRoutingConfig": linear(33, 961)},
            "Total Traffic shifting intervals must be positive integers up to 2880 minutes (2 days)",
        ),
        (
            {"trafficRoutingConfig": {**canary(10, 5), "type": "AllAtOnce"}},
            "TimeBasedCanaryConfiguration should be null for AllAtOnce type",
        ),
        (
            {"trafficRoutingConfig": {"type": "TimeBasedCanary"}},
            "TimeBasedCanaryConfiguration should not be null for TimeBasedCanary type",
        ),
        (
            {
                "trafficRoutingConfig": {"type": "AllAtOnce"},
                "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1},
            },
            "minimum healthy hosts should be null for Lambda deployment configuration",
        ),
        (
            {"trafficRoutingConfig": {"type": "AllAtOnce"}, "zonalConfig": {"monitorDurationInSeconds": 60}},
            "Zonal deployments are only supported with EC2 deployments.",
        ),
    ],
)
def test_a_custom_configuration_is_refused(world: World, members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError) as error:
        world.codedeploy.create_deployment_config(
            deploymentConfigName=unique("config"), computePlatform="Lambda", **members
        )
    assert refusal(error)[1] == sentence


@pytest.mark.parametrize("routing", [linear(33, 960), linear(99, 2880), canary(1, 2880), canary(99, 1)])
def test_the_widest_configurations_are_taken(world: World, routing: dict[str, Any]) -> None:
    name = unique("config")
    world.codedeploy.create_deployment_config(
        deploymentConfigName=name, computePlatform="Lambda", trafficRoutingConfig=routing
    )
    found = world.codedeploy.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    assert found["trafficRoutingConfig"] == routing


def test_the_prefix_of_predefined_configurations_is_reserved(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.InvalidDeploymentConfigNameException) as error:
        world.codedeploy.create_deployment_config(
            deploymentConfigName="CodeDeployDefault.Mine",
            computePlatform="Lambda",
            trafficRoutingConfig={"type": "AllAtOnce"},
        )
    assert refusal(error)[1] == "The prefix CodeDeployDefault. is reserved for predefined configuration names"


def test_a_configuration_name_is_taken_once(world: World) -> None:
    name = world.custom_config("Canary", 10, 1)
    with pytest.raises(world.codedeploy.exceptions.DeploymentConfigAlreadyExistsException):
        world.codedeploy.create_deployment_config(
            deploymentConfigName=name, computePlatform="Lambda", trafficRoutingConfig={"type": "AllAtOnce"}
        )


def test_a_server_configuration_needs_healthy_hosts(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.InvalidMinimumHealthyHostValueException) as error:
        world.codedeploy.create_deployment_config(deploymentConfigName=unique("config"))
    assert refusal(error)[1] == "minimum healthy hosts argument is missing"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"updateOutdatedInstancesOnly": True}, "InvalidUpdateOutdatedInstancesOnlyValueException"),
        ({"ignoreApplicationStopFailures": True}, "InvalidIgnoreApplicationStopFailuresValueException"),
        ({"targetInstances": {"autoScalingGroups": ["asg"]}}, "InvalidTargetInstancesException"),
        ({"description": "x" * 257}, "DescriptionTooLongException"),
        ({"deploymentConfigName": "CodeDeployDefault.AllAtOnce"}, "InvalidDeploymentConfigNameException"),
        ({"overrideAlarmConfiguration": {"enabled": True, "alarms": []}}, "InvalidAlarmConfigException"),
        ({"autoRollbackConfiguration": {"enabled": True, "events": []}}, "InvalidAutoRollbackConfigException"),
    ],
)
def test_a_deployment_is_refused(world: World, members: dict[str, Any], code: str) -> None:
    world.make_group()
    with pytest.raises(ClientError) as error:
        world.deploy(**members)
    assert refusal(error)[0] == code
    found = world.codedeploy.list_deployments(applicationName=world.application, deploymentGroupName="live")
    assert found["deployments"] == []
