"""Validation functions before and after the traffic shifts, really invoked, with the hour they have to answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from conftest import emulator_command
from emulator.codedeploy_world import ROLLBACK_ALWAYS, World, unique, until

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

ANSWERS = """
import boto3

def handler(event, context):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="{status}",
    )
"""
KEEPS = """
import boto3, json

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl="{url}", MessageBody=json.dumps(event))
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        yield made.ready(autoRollbackConfiguration=ROLLBACK_ALWAYS)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A cloud where the hour that a hook has takes three seconds."""
    options = Options(shift_seconds_per_minute=0.05, command=emulator_command())
    with EmbeddedCloud.start(tmp_path_factory.mktemp("hasty"), options) as running:
        yield running


def hook(world: World, source: str) -> str:
    name = unique("CodeDeployHook")
    return world.make_function(source, versions=0, name=name)


def asked(world: World, which: str) -> tuple[str, dict[str, str], str]:
    """A deployment whose hook `which` was invoked and answers nothing: id, the hook's event, the queue it used."""
    url, _arn = world.queue()
    deployment = world.deploy(world.appspec(**{which: hook(world, KEEPS.format(url=url))}))
    return deployment, until(lambda: world.received(url))[0], url


def test_hooks_that_succeed_let_the_deployment_succeed(world: World) -> None:
    function = hook(world, ANSWERS.format(status="Succeeded"))
    deployment = world.deploy(world.appspec(BeforeAllowTraffic=function, AfterAllowTraffic=function))
    assert world.finished(deployment)["status"] == "Succeeded"
    assert world.alias() == ("2", {})


def test_a_hook_is_invoked_with_the_deployment_and_its_execution_and_nothing_else(world: World) -> None:
    deployment, event, _ = asked(world, "BeforeAllowTraffic")
    assert set(event) == {"DeploymentId", "LifecycleEventHookExecutionId"}
    assert event["DeploymentId"] == deployment
    answer(world, event, "Succeeded")
    assert world.finished(deployment)["status"] == "Succeeded"


def answer(world: World, event: dict[str, str], status: str) -> None:
    world.codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )


def test_before_the_first_hook_answers_no_traffic_has_shifted(world: World) -> None:
    deployment, event, _ = asked(world, "BeforeAllowTraffic")
    assert world.alias() == ("1", {})
    assert world.events_of(deployment)["BeforeAllowTraffic"] == "InProgress"
    answer(world, event, "Succeeded")
    world.finished(deployment)


def test_when_the_second_hook_is_asked_all_traffic_has_shifted(world: World) -> None:
    deployment, event, _ = asked(world, "AfterAllowTraffic")
    assert world.alias() == ("2", {})
    assert world.events_of(deployment) == {
        "BeforeAllowTraffic": "Succeeded",
        "AllowTraffic": "Succeeded",
        "AfterAllowTraffic": "InProgress",
    }
    answer(world, event, "Succeeded")
    world.finished(deployment)


@pytest.mark.parametrize("which", ["BeforeAllowTraffic", "AfterAllowTraffic"])
def test_a_hook_that_reports_failed_fails_the_deployment_and_rolls_back(world: World, which: str) -> None:
    deployment = world.deploy(world.appspec(**{which: hook(world, ANSWERS.format(status="Failed"))}))
    info = world.finished(deployment)
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert world.rolled_back(deployment)["status"] == "Succeeded"
    assert world.alias() == ("1", {})
    assert world.events_of(deployment)[which] == "Failed"


def test_a_rollback_invokes_no_hooks(world: World) -> None:
    deployment, event, url = asked(world, "AfterAllowTraffic")
    answer(world, event, "Failed")
    assert world.rolled_back(deployment)["status"] == "Succeeded"
    time.sleep(0.5)
    assert world.received(url) == []


def test_a_hook_function_that_does_not_exist_fails_the_deployment(world: World) -> None:
    deployment = world.deploy(world.appspec(BeforeAllowTraffic="nobody"))
    info = world.finished(deployment)
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert "nobody" in info["errorInformation"]["message"]
    world.rolled_back(deployment)


def test_a_hook_may_be_given_by_its_arn(world: World) -> None:
    function = hook(world, ANSWERS.format(status="Succeeded"))
    arn = world.lambda_.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    assert world.finished(world.deploy(world.appspec(BeforeAllowTraffic=arn)))["status"] == "Succeeded"


def test_a_waiting_hook_can_be_stopped(world: World) -> None:
    deployment, _event, _ = asked(world, "BeforeAllowTraffic")
    world.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    assert world.finished(deployment)["status"] == "Stopped"


def test_an_alarm_stops_a_deployment_that_waits_for_a_hook(world: World) -> None:
    alarm = world.alarm()
    world.codedeploy.update_deployment_group(
        applicationName=world.application,
        currentDeploymentGroupName="live",
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]},
    )
    deployment, _event, _ = asked(world, "BeforeAllowTraffic")
    world.ring(alarm)
    assert world.finished(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"
    world.rolled_back(deployment)


def test_a_hooks_answer_counts_once_and_only_succeeded_or_failed(world: World) -> None:
    deployment, event, _ = asked(world, "BeforeAllowTraffic")
    refused = world.codedeploy.exceptions
    with pytest.raises(refused.InvalidLifecycleEventHookExecutionStatusException):
        answer(world, event, "Skipped")
    with pytest.raises(refused.InvalidLifecycleEventHookExecutionIdException):
        answer(world, {**event, "LifecycleEventHookExecutionId": "made up"}, "Succeeded")
    answer(world, event, "Succeeded")
    with pytest.raises(refused.LifecycleEventAlreadyCompletedException):
        answer(world, event, "Failed")
    assert world.finished(deployment)["status"] == "Succeeded"


def test_a_hook_that_says_nothing_for_an_hour_fails_the_deployment(hasty: EmbeddedCloud) -> None:
    with World.of(hasty) as world:
        world.ready()
        silent = hook(world, "def handler(event, context):\n    pass\n")
        started = time.monotonic()
        deployment = world.deploy(world.appspec(BeforeAllowTraffic=silent))
        info = world.finished(deployment)
        assert time.monotonic() - started >= 3.0
        assert info["status"] == "Failed"
        assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
        assert "within one hour" in info["errorInformation"]["message"]
        found = world.codedeploy.get_deployment_target(deploymentId=deployment, targetId=f"{world.function}:live")
        before = found["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"][0]
        assert before["status"] == "Failed"
        assert "within one hour" in before["diagnostics"]["message"]
        assert json.dumps(world.alias()) == '["1", {}]'


def test_a_hook_that_raises_is_waited_for_as_one_that_says_nothing(hasty: EmbeddedCloud) -> None:
    with World.of(hasty) as world:
        world.ready()
        broken = hook(world, "def handler(event, context):\n    raise ValueError\n")
        started = time.monotonic()
        world.finished(world.deploy(world.appspec(BeforeAllowTraffic=broken)))
        assert time.monotonic() - started >= 3.0
