"""CodeDeploy's types in templates: made, changed, replaced and deleted as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from emulator.codedeploy_world import REGION, ROLE
from emulator.stack_world import Resources, Stack, resource

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def stack(cloud: EmbeddedCloud) -> Iterator[Stack]:
    with Stack.of(cloud) as made:
        yield made


def codedeploy(**group: Any) -> Resources:
    """An application, a configuration and a group, with CloudFormation's names."""
    canary = {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 50, "CanaryInterval": "1"}}
    return {
        "Application": resource("CodeDeploy::Application", {"ComputePlatform": "Lambda"}),
        "Config": resource(
            "CodeDeploy::DeploymentConfig", {"ComputePlatform": "Lambda", "TrafficRoutingConfig": canary}
        ),
        "Group": resource(
            "CodeDeploy::DeploymentGroup",
            {
                "ApplicationName": {"Ref": "Application"},
                "ServiceRoleArn": ROLE,
                "DeploymentConfigName": {"Ref": "Config"},
                "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
                **group,
            },
        ),
    }


NAMES = {name: {"Ref": name} for name in ("Application", "Config", "Group")}


def described(stack: Stack) -> dict[str, Any]:
    found = stack.world.codedeploy.get_deployment_group(
        applicationName=stack.output("Application"), deploymentGroupName=stack.output("Group")
    )
    return dict(found["deploymentGroupInfo"])


def test_codedeploy_resources_are_real_and_ref_gives_their_names(stack: Stack) -> None:
    alarms = {"Enabled": "true", "Alarms": [{"Name": "errors"}]}
    rollback = {"Enabled": True, "Events": ["DEPLOYMENT_FAILURE"]}
    assert stack.put(codedeploy(AlarmConfiguration=alarms, AutoRollbackConfiguration=rollback), NAMES) == (
        "CREATE_COMPLETE"
    )
    group = described(stack)
    assert group["deploymentConfigName"] == stack.output("Config")
    assert group["alarmConfiguration"] == {"enabled": True, "alarms": [{"name": "errors"}]}
    assert group["autoRollbackConfiguration"] == {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    assert stack.output("Group").startswith(f"{stack.name}-Group-")
    found = stack.world.codedeploy.get_deployment_config(deploymentConfigName=stack.output("Config"))
    assert found["deploymentConfigInfo"]["trafficRoutingConfig"]["timeBasedCanary"] == {
        "canaryPercentage": 50,
        "canaryInterval": 1,
    }
    application = stack.world.codedeploy.get_application(applicationName=stack.output("Application"))
    assert application["application"]["computePlatform"] == "Lambda"


def test_a_deployment_runs_in_a_group_from_a_template(stack: Stack) -> None:
    world = stack.world
    world.make_function()
    stack.put(codedeploy(DeploymentConfigName="CodeDeployDefault.LambdaAllAtOnce"), NAMES)
    world.application = stack.output("Application")
    assert world.finished(world.deploy(group=stack.output("Group")))["status"] == "Succeeded"


def test_deleting_the_stack_deletes_the_codedeploy_resources(stack: Stack) -> None:
    stack.put(codedeploy(), NAMES)
    application, config = stack.output("Application"), stack.output("Config")
    assert stack.delete() == "DELETE_COMPLETE"
    assert application not in stack.world.codedeploy.list_applications()["applications"]
    assert config not in stack.world.codedeploy.list_deployment_configs()["deploymentConfigsList"]


def test_a_group_is_updated_in_place_and_what_the_template_drops_is_switched_off(stack: Stack) -> None:
    alarms = {"Enabled": True, "Alarms": [{"Name": "errors"}]}
    stack.put(codedeploy(AlarmConfiguration=alarms), NAMES)
    before = described(stack)
    rollback = {"Enabled": True, "Events": ["DEPLOYMENT_STOP_ON_ALARM"]}
    assert stack.put(codedeploy(AutoRollbackConfiguration=rollback), NAMES) == "UPDATE_COMPLETE"
    after = described(stack)
    assert after["deploymentGroupId"] == before["deploymentGroupId"]
    assert after["alarmConfiguration"] == {"enabled": False, "alarms": []}
    assert after["autoRollbackConfiguration"]["events"] == ["DEPLOYMENT_STOP_ON_ALARM"]


def test_a_changed_configuration_is_a_new_one_and_the_old_one_goes(stack: Stack) -> None:
    stack.put(codedeploy(), NAMES)
    old = stack.output("Config")
    resources = codedeploy()
    resources["Config"]["Properties"]["TrafficRoutingConfig"]["TimeBasedCanary"]["CanaryPercentage"] = 20
    assert stack.put(resources, NAMES) == "UPDATE_COMPLETE"
    assert stack.output("Config") != old
    assert described(stack)["deploymentConfigName"] == stack.output("Config")
    assert old not in stack.world.codedeploy.list_deployment_configs()["deploymentConfigsList"]


def test_a_configuration_with_a_name_of_its_own_cannot_be_replaced(stack: Stack) -> None:
    def named(percentage: int) -> Resources:
        resources = codedeploy()
        resources["Config"]["Properties"]["DeploymentConfigName"] = stack.name
        canary = resources["Config"]["Properties"]["TrafficRoutingConfig"]["TimeBasedCanary"]
        canary["CanaryPercentage"] = percentage
        return resources

    stack.put(named(10))
    assert stack.put(named(20)) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Rename {stack.name} and update the stack again" in stack.why()


def test_a_group_that_aws_refuses_fails_the_stack_in_the_services_words(stack: Stack) -> None:
    option = {"DeploymentReadyOption": {"ActionOnTimeout": "CONTINUE_DEPLOYMENT"}}
    assert stack.put(codedeploy(BlueGreenDeploymentConfiguration=option)) == "ROLLBACK_COMPLETE"
    assert "For Lambda deployment group, blueGreenDeploymentConfiguration can not be specified" in stack.why()
    assert "InvalidBlueGreenDeploymentConfigurationException" in stack.why()


def test_without_a_style_cloudformation_gives_a_lambda_group_its_own(stack: Stack) -> None:
    resources = codedeploy()
    del resources["Group"]["Properties"]["DeploymentStyle"]
    assert stack.put(resources, NAMES) == "CREATE_COMPLETE"
    assert described(stack)["deploymentStyle"]["deploymentType"] == "BLUE_GREEN"


def test_an_in_place_style_fails_for_the_tag_filters_that_cloudformation_adds(stack: Stack) -> None:
    style = {"DeploymentType": "IN_PLACE", "DeploymentOption": "WITH_TRAFFIC_CONTROL"}
    assert stack.put(codedeploy(DeploymentStyle=style)) == "ROLLBACK_COMPLETE"
    assert "ec2TagFilters can not be specified" in stack.why()


def test_a_failed_update_gives_the_group_back_its_settings(stack: Stack) -> None:
    stack.put(codedeploy(), NAMES)
    resources = codedeploy(AlarmConfiguration={"Enabled": True, "Alarms": [{"Name": "errors"}]})
    resources["Broken"] = resource("CodeDeploy::DeploymentConfig", {"ComputePlatform": "Lambda"}, DependsOn="Group")
    assert stack.put(resources, NAMES) == "UPDATE_ROLLBACK_COMPLETE"
    assert described(stack)["alarmConfiguration"]["enabled"] is False


def test_tags_of_the_template_and_of_the_stack_reach_an_application(stack: Stack) -> None:
    resources = codedeploy()
    resources["Application"]["Properties"]["Tags"] = [{"Key": "team", "Value": "manuel"}]
    stack.put(resources, NAMES, Tags=[{"Key": "env", "Value": "dev"}])
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:application:{stack.output('Application')}"

    def tags() -> dict[str, str]:
        found = stack.world.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    assert tags() == {"team": "manuel", "env": "dev"}
    resources["Application"]["Properties"]["Tags"] = [{"Key": "team", "Value": "other"}]
    stack.put(resources, NAMES, Tags=[])
    assert tags() == {"team": "other"}


def test_sams_deployment_preference_expands_to_types_that_are_known(stack: Stack) -> None:
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Fn": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "InlineCode": "def handler(event, context):\n    return 1\n",
                    "AutoPublishAlias": "live",
                    "DeploymentPreference": {"Type": "AllAtOnce"},
                },
            }
        },
    }
    stack.world.cloudformation.create_stack(
        StackName=stack.name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    assert stack.settled() == "CREATE_COMPLETE"
    found = stack.world.cloudformation.describe_stack_resource(
        StackName=stack.name, LogicalResourceId="ServerlessDeploymentApplication"
    )
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    assert len(stack.world.codedeploy.list_deployment_groups(applicationName=name)["deploymentGroups"]) == 1
