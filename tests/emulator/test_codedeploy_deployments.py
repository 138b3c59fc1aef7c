"""Deployments of a Lambda alias: the record, the order of events, what makes one fail, who hears of it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import ALL_AT_ONCE, REGION, World, refusal, unique, until

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        yield made.ready()


def test_an_all_at_once_deployment_moves_the_alias_and_is_recorded(world: World) -> None:
    deployment = world.deploy(description="the second version")
    info = world.finished(deployment)
    assert info["status"] == "Succeeded"
    assert world.alias() == ("2", {})
    assert info["applicationName"] == world.application
    assert info["deploymentGroupName"] == "live"
    assert info["deploymentConfigName"] == ALL_AT_ONCE
    assert info["creator"] == "user"
    assert info["description"] == "the second version"
    assert info["computePlatform"] == "Lambda"
    assert json.loads(info["revision"]["appSpecContent"]["content"])["resources"]
    assert info["createTime"] <= info["startTime"] <= info["completeTime"]
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert "errorInformation" not in info
    assert "rollbackInfo" not in info


def test_invoking_the_alias_afterwards_runs_the_target_version(world: World) -> None:
    world.finished(world.deploy())
    answer = world.lambda_.invoke(FunctionName=f"{world.function}:live")
    assert json.loads(answer["Payload"].read()) == "2"


def test_the_target_is_the_alias_with_its_versions_and_events(world: World) -> None:
    deployment = world.deploy()
    world.finished(deployment)
    found = world.codedeploy.list_deployment_targets(deploymentId=deployment)
    assert found["targetIds"] == [f"{world.function}:live"]
    target = world.codedeploy.get_deployment_target(deploymentId=deployment, targetId=found["targetIds"][0])
    described = target["deploymentTarget"]["lambdaTarget"]
    assert described["status"] == "Succeeded"
    assert described["lambdaFunctionInfo"] == {
        "functionName": world.function,
        "functionAlias": "live",
        "currentVersion": "1",
        "targetVersion": "2",
        "targetVersionWeight": 1.0,
    }
    assert [event["lifecycleEventName"] for event in described["lifecycleEvents"]] == [
        "BeforeAllowTraffic",
        "AllowTraffic",
        "AfterAllowTraffic",
    ]
    assert {event["status"] for event in described["lifecycleEvents"]} == {"Succeeded"}
    batch = world.codedeploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=found["targetIds"])
    assert batch["deploymentTargets"] == [target["deploymentTarget"]]


def test_another_target_does_not_belong_to_the_deployment(world: World) -> None:
    deployment = world.deploy()
    world.finished(deployment)
    with pytest.raises(world.codedeploy.exceptions.DeploymentTargetDoesNotExistException):
        world.codedeploy.get_deployment_target(deploymentId=deployment, targetId="other:live")
    with pytest.raises(world.codedeploy.exceptions.DeploymentTargetListSizeExceededException):
        world.codedeploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=["one", "two"])


def test_after_a_success_the_group_shows_the_deployment_as_last_and_its_revision_as_the_target(world: World) -> None:
    good = world.deploy()
    world.finished(good)
    bad = world.deploy(world.appspec(current="1", target="2"))
    world.finished(bad)
    found = world.codedeploy.get_deployment_group(applicationName=world.application, deploymentGroupName="live")
    info = found["deploymentGroupInfo"]
    assert info["lastSuccessfulDeployment"]["deploymentId"] == good
    assert info["lastAttemptedDeployment"]["deploymentId"] == bad
    assert info["lastAttemptedDeployment"]["status"] == "Failed"
    assert info["targetRevision"]["appSpecContent"]["content"] == world.appspec()
    assert world.info(bad)["previousRevision"] == info["targetRevision"]


def test_a_deployed_revision_is_registered_with_its_group(world: World) -> None:
    world.finished(world.deploy())
    found = world.codedeploy.get_application_revision(
        applicationName=world.application,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": world.appspec()}},
    )
    assert found["revisionInfo"]["deploymentGroups"] == ["live"]
    assert found["revisionInfo"]["firstUsedTime"] <= found["revisionInfo"]["lastUsedTime"]


def test_deployments_are_listed_newest_first_by_group_status_and_time(world: World) -> None:
    first = world.deploy()
    world.finished(first)
    second = world.deploy()  # the alias is on version 2 now
    world.finished(second)

    def listed(**members: Any) -> list[str]:
        found = world.codedeploy.list_deployments(
            applicationName=world.application, deploymentGroupName="live", **members
        )
        return list(found["deployments"])

    assert listed() == [second, first]
    assert listed(includeOnlyStatuses=["Succeeded"]) == [first]
    assert listed(includeOnlyStatuses=["Failed", "Stopped"]) == [second]
    assert listed(includeOnlyStatuses=["Created", "Queued", "InProgress"]) == []
    now = datetime.now(UTC)
    assert listed(createTimeRange={"start": now + timedelta(hours=1)}) == []
    assert listed(createTimeRange={"start": now - timedelta(hours=1), "end": now}) == [second, first]
    world.make_group("other")
    assert (
        world.codedeploy.list_deployments(applicationName=world.application, deploymentGroupName="other")["deployments"]
        == []
    )


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"applicationName": "a"}, "DeploymentGroupNameRequiredException"),
        ({"deploymentGroupName": "g"}, "ApplicationNameRequiredException"),
        ({"applicationName": "nobody", "deploymentGroupName": "g"}, "ApplicationDoesNotExistException"),
        ({"includeOnlyStatuses": ["Sleeping"]}, "InvalidDeploymentStatusException"),
        (
            {"createTimeRange": {"start": datetime(2026, 2, 1, tzinfo=UTC), "end": datetime(2026, 1, 1, tzinfo=UTC)}},
            "InvalidTimeRangeException",
        ),
    ],
)
def test_a_list_of_deployments_with_a_wrong_filter_is_refused(world: World, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        world.codedeploy.list_deployments(**members)
    assert refusal(error)[0] == code


def test_several_deployments_are_described_at_once_without_the_unknown(world: World) -> None:
    deployment = world.deploy()
    world.finished(deployment)
    found = world.codedeploy.batch_get_deployments(deploymentIds=[deployment, "d-UNKNOWN00"])["deploymentsInfo"]
    assert [info["deploymentId"] for info in found] == [deployment]
    with pytest.raises(world.codedeploy.exceptions.BatchLimitExceededException):
        world.codedeploy.batch_get_deployments(deploymentIds=["d-1"] * 26)


def test_an_unknown_deployment_is_refused(world: World) -> None:
    with pytest.raises(world.codedeploy.exceptions.DeploymentDoesNotExistException, match="d-UNKNOWN00"):
        world.info("d-UNKNOWN00")
    with pytest.raises(world.codedeploy.exceptions.InvalidDeploymentIdException):
        world.info("17")


def test_a_finished_deployment_cannot_be_stopped_or_continued(world: World) -> None:
    deployment = world.deploy()
    world.finished(deployment)
    with pytest.raises(world.codedeploy.exceptions.DeploymentAlreadyCompletedException):
        world.codedeploy.stop_deployment(deploymentId=deployment)
    with pytest.raises(world.codedeploy.exceptions.UnsupportedActionForDeploymentTypeException):
        world.codedeploy.continue_deployment(deploymentId=deployment)


def heard(world: World, url: str, deployment: str, number: int) -> list[dict[str, Any]]:
    """The first `number` messages on a deployment that come to a queue."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        found.extend(message for message in world.received(url) if deployment in json.dumps(message))
        return len(found) >= number

    until(enough)
    return found


def rule(world: World) -> str:
    """A queue that gets CodeDeploy's events of this world's application."""
    url, arn = world.queue()
    name = unique("rule")
    pattern = {"source": ["aws.codedeploy"], "detail": {"application": [world.application]}}
    world.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    world.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def test_eventbridge_hears_of_the_start_and_the_success(world: World) -> None:
    url = rule(world)
    deployment = world.deploy()
    world.finished(deployment)
    events = heard(world, url, deployment, 2)
    assert [event["detail"]["state"] for event in events] == ["START", "SUCCESS"]
    group = world.codedeploy.get_deployment_group(applicationName=world.application, deploymentGroupName="live")
    start = events[0]
    assert start["detail-type"] == "CodeDeploy Deployment State-change Notification"
    assert start["account"] == ACCOUNT_ID
    assert start["resources"] == [
        f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:application:{world.application}",
        f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:deploymentgroup:{world.application}/live",
    ]
    assert start["detail"] == {
        "region": REGION,
        "deploymentId": deployment,
        "instanceGroupId": group["deploymentGroupInfo"]["deploymentGroupId"],
        "deploymentGroup": "live",
        "state": "START",
        "application": world.application,
    }


def test_eventbridge_hears_of_a_failure(world: World) -> None:
    url = rule(world)
    deployment = world.deploy(world.appspec(target="9"))
    assert [event["detail"]["state"] for event in heard(world, url, deployment, 2)] == ["START", "FAILURE"]


def test_a_groups_trigger_gets_the_events_that_it_asked_for(world: World) -> None:
    url, queue = world.queue()
    topic = world.sns.create_topic(Name=unique("topic"))["TopicArn"]
    world.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    trigger = {"triggerName": "done", "triggerTargetArn": topic, "triggerEvents": ["DeploymentSuccess"]}
    world.codedeploy.update_deployment_group(
        applicationName=world.application, currentDeploymentGroupName="live", triggerConfigurations=[trigger]
    )
    deployment = world.deploy()
    message = heard(world, url, deployment, 1)[0]
    assert message["status"] == "SUCCEEDED"
    assert message["eventTriggerName"] == "done"
    assert message["deploymentGroupName"] == "live"
    time.sleep(0.2)
    assert world.received(url) == []
