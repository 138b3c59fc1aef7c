"""Traffic that really shifts, step by step, and what stops it: alarms, people, a second deployment, rollbacks."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from conftest import emulator_command
from emulator.codedeploy_world import ONE_TENTH, ROLLBACK_ALWAYS, World, unique, until

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

LINEAR = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A cloud where a minute of CodeDeploy takes half a second."""
    options = Options(shift_seconds_per_minute=0.5, command=emulator_command())
    with EmbeddedCloud.start(tmp_path_factory.mktemp("fast"), options) as running:
        yield running


@pytest.fixture(scope="module")
def slow(cloud: EmbeddedCloud) -> EmbeddedCloud:
    """The shared cloud: a minute is a minute, so a canary stays where it is until something stops it."""
    return cloud


@pytest.fixture
def world(slow: EmbeddedCloud) -> Iterator[World]:
    with World.of(slow) as made:
        yield made


@pytest.fixture
def quick(fast: EmbeddedCloud) -> Iterator[World]:
    with World.of(fast) as made:
        yield made


def steps(world: World, deployment: str) -> list[tuple[str, dict[str, float]]]:
    """Where the alias pointed, one after the other, until the deployment ended."""
    seen: list[tuple[str, dict[str, float]]] = []

    def ended() -> bool:
        status = world.info(deployment)["status"]
        at = world.alias()
        if not seen or seen[-1] != at:
            seen.append(at)
        return bool(status == "Succeeded")

    until(ended)
    return seen


def test_a_canary_shifts_its_share_waits_and_then_shifts_everything(quick: World) -> None:
    quick.ready(deploymentConfigName=CANARY)
    seen = steps(quick, quick.deploy())
    assert [where for where in seen if where != ("1", {})] == [ONE_TENTH, ("2", {})]
    info = quick.info(quick.codedeploy.list_deployments()["deployments"][0])
    assert (info["completeTime"] - info["startTime"]).total_seconds() >= 2.5  # five minutes


def test_a_linear_shift_goes_in_equal_steps(quick: World) -> None:
    quick.ready(deploymentConfigName=LINEAR)
    deployment = quick.deploy()
    seen = [where for where in steps(quick, deployment) if where != ("1", {})]
    shares = [("1", {"2": share / 10}) for share in range(1, 10)] + [("2", {})]
    assert seen == [where for where in shares if where in seen]
    assert len(seen) >= 6  # a busy machine may look too late for a step of half a second
    info = quick.info(deployment)
    assert (info["completeTime"] - info["startTime"]).total_seconds() >= 4.5  # nine minutes


def test_a_custom_configuration_of_the_deployment_replaces_that_of_the_group(quick: World) -> None:
    quick.ready()
    config = quick.custom_config("Linear", 40, 4)
    deployment = quick.deploy(deploymentConfigName=config)
    seen = [where for where in steps(quick, deployment) if where != ("1", {})]
    assert seen == [("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]
    assert quick.info(deployment)["deploymentConfigName"] == config


def test_a_minute_is_a_minute_unless_a_rehearsal_says_otherwise(world: World) -> None:
    world.ready(deploymentConfigName=LINEAR)
    deployment = world.deploy()
    until(lambda: world.alias() == ONE_TENTH)
    time.sleep(2.5)  # at half a second per minute it would be at 60 % by now
    assert world.alias() == ONE_TENTH
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    world.rolled_back(deployment)


def test_while_it_shifts_the_deployment_is_in_progress_and_says_how_far_it_is(world: World) -> None:
    world.ready()
    deployment = world.shifting()
    assert world.info(deployment)["status"] == "InProgress"
    assert world.info(deployment)["deploymentOverview"]["InProgress"] == 1
    target = world.codedeploy.get_deployment_target(deploymentId=deployment, targetId=f"{world.function}:live")
    described = target["deploymentTarget"]["lambdaTarget"]
    assert described["lambdaFunctionInfo"]["targetVersionWeight"] == 0.1
    assert described["status"] == "InProgress"
    assert world.events_of(deployment) == {
        "BeforeAllowTraffic": "Succeeded",
        "AllowTraffic": "InProgress",
        "AfterAllowTraffic": "Pending",
    }
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    world.rolled_back(deployment)


def test_a_second_deployment_of_a_group_is_refused_while_one_is_active(world: World) -> None:
    world.ready()
    deployment = world.shifting()
    with pytest.raises(world.codedeploy.exceptions.DeploymentLimitExceededException) as error:
        world.deploy()
    sentence = f"The Deployment Group 'live' already has an active Deployment '{deployment}'"
    assert error.value.response["Error"]["Message"] == sentence
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    world.finished(deployment)


def test_another_group_of_the_application_deploys_at_the_same_time(world: World) -> None:
    world.ready()
    world.make_group("second")
    deployment = world.shifting()
    other = unique("fn")
    world.make_function(name=other)
    second = world.deploy(world.appspec(function=other), group="second")
    assert world.finished(second)["status"] == "Succeeded"
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    world.rolled_back(deployment)


def test_stopping_with_rollback_starts_a_new_deployment_back_to_the_old_version(world: World) -> None:
    world.ready()
    deployment = world.shifting()
    answer = world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    assert answer["status"] in {"Pending", "Succeeded"}
    stopped = world.finished(deployment)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "MANUAL_STOP"
    back = world.rolled_back(deployment)
    assert back["status"] == "Succeeded"
    assert back["creator"] == "codeDeployRollback"
    assert world.alias() == ("1", {})
    assert stopped["rollbackInfo"] == {
        "rollbackDeploymentId": back["deploymentId"],
        "rollbackMessage": (
            f"Deployment {deployment} terminated. Automatic rollback is triggered with a DeploymentId "
            f"{back['deploymentId']}."
        ),
    }
    assert back["rollbackInfo"] == {
        "rollbackTriggeringDeploymentId": deployment,
        "rollbackMessage": f"Deployment {back['deploymentId']} is triggered to roll back deployment {deployment}.",
    }
    assert world.events_of(deployment) == {
        "BeforeAllowTraffic": "Succeeded",
        "AllowTraffic": "Failed",
        "AfterAllowTraffic": "Skipped",
    }
    properties = json.loads(back["revision"]["string"]["content"])["resources"][0][world.function]["properties"]
    assert (properties["currentversion"], properties["targetversion"]) == ("2", "1")


def test_stopping_without_rollback_leaves_the_weights_and_later_deployments_fail(world: World) -> None:
    world.ready(autoRollbackConfiguration=ROLLBACK_ALWAYS)
    deployment = world.shifting()
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    stopped = world.finished(deployment)
    assert stopped["status"] == "Stopped"
    assert "rollbackInfo" not in stopped
    assert world.alias() == ONE_TENTH
    later = world.finished(world.deploy())
    assert later["status"] == "Failed"
    assert later["errorInformation"]["code"] == "INVALID_LAMBDA_CONFIGURATION"
    assert world.alias() == ONE_TENTH
    world.lambda_.update_alias(FunctionName=world.function, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert world.finished(world.deploy())["status"] == "Succeeded"


@pytest.mark.parametrize("on_request", [True, False])
def test_a_stop_that_does_not_say_follows_the_groups_stop_on_request(world: World, on_request: bool) -> None:
    events = ["DEPLOYMENT_STOP_ON_REQUEST"] if on_request else ["DEPLOYMENT_FAILURE"]
    world.ready(autoRollbackConfiguration={"enabled": True, "events": events})
    deployment = world.shifting()
    world.codedeploy.stop_deployment(deploymentId=deployment)
    assert ("rollbackInfo" in world.finished(deployment)) is on_request
    if on_request:
        world.rolled_back(deployment)
    assert world.alias() == (("1", {}) if on_request else ONE_TENTH)


def test_a_configuration_that_a_running_deployment_uses_is_not_deleted(world: World) -> None:
    world.ready()
    config = world.custom_config("Canary", 10, 30)
    deployment = world.deploy(deploymentConfigName=config)
    with pytest.raises(world.codedeploy.exceptions.DeploymentConfigInUseException):
        world.codedeploy.delete_deployment_config(deploymentConfigName=config)
    until(lambda: world.alias() == ONE_TENTH)
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    world.rolled_back(deployment)
    world.codedeploy.delete_deployment_config(deploymentConfigName=config)


def test_a_trigger_for_rollbacks_hears_of_the_rollback_only(world: World) -> None:
    url, queue = world.queue()
    topic = world.sns.create_topic(Name=unique("topic"))["TopicArn"]
    world.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    trigger = {"triggerName": "back", "triggerTargetArn": topic, "triggerEvents": ["DeploymentRollback"]}
    world.ready(triggerConfigurations=[trigger])
    deployment = world.shifting()
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    back = world.rolled_back(deployment)["deploymentId"]
    heard = until(lambda: world.received(url))
    assert [message["deploymentId"] for message in heard] == [back]
    assert json.loads(heard[0]["rollbackInformation"])["rollbackTriggeringDeploymentId"] == deployment


def test_eventbridge_hears_of_the_stop_and_of_the_rollback(world: World) -> None:
    url, arn = world.queue()
    name = unique("rule")
    pattern = {"source": ["aws.codedeploy"], "detail": {"application": [world.application]}}
    world.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    world.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    world.ready()
    deployment = world.shifting()
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    back = world.rolled_back(deployment)["deploymentId"]
    heard: list[tuple[str, str]] = []

    def everything() -> bool:
        heard.extend((event["detail"]["deploymentId"], event["detail"]["state"]) for event in world.received(url))
        return len(heard) >= 4

    until(everything)
    assert sorted(heard) == sorted([(deployment, "START"), (deployment, "STOP"), (back, "START"), (back, "SUCCESS")])
