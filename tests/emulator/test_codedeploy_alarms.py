"""Alarms that stop a deployment: the group's, the deployment's own, ringing before and during the shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from emulator.codedeploy_world import ONE_TENTH, ROLLBACK_ALWAYS, World, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World.of(cloud) as made:
        yield made


def watched(*names: str, **members: Any) -> dict[str, Any]:
    return {"enabled": True, "alarms": [{"name": name} for name in names], **members}


def test_an_alarm_of_the_group_stops_the_shift_and_rolls_back(world: World) -> None:
    calm, loud = world.alarm(), world.alarm()
    world.ready(alarmConfiguration=watched(calm, loud), autoRollbackConfiguration=ROLLBACK_ALWAYS)
    deployment = world.shifting()
    world.ring(loud)
    stopped = world.finished(deployment)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"] == {
        "code": "ALARM_ACTIVE",
        "message": (
            "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
            f"affected deployments have been stopped. Activated alarms: <{loud}>"
        ),
    }
    back = world.rolled_back(deployment)
    assert back["status"] == "Succeeded"  # although the alarm still rings
    assert world.alias() == ("1", {})


def test_an_alarm_that_rings_already_stops_the_deployment_before_any_traffic_shifts(world: World) -> None:
    loud = world.alarm("ALARM")
    world.ready(alarmConfiguration=watched(loud), autoRollbackConfiguration=ROLLBACK_ALWAYS)
    deployment = world.deploy()
    stopped = world.finished(deployment)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert set(world.events_of(deployment).values()) == {"Skipped"}
    assert world.rolled_back(deployment)["status"] == "Succeeded"
    assert world.alias() == ("1", {})


def test_without_rollback_on_alarm_the_weights_stay(world: World) -> None:
    loud = world.alarm()
    events = {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    world.ready(alarmConfiguration=watched(loud), autoRollbackConfiguration=events)
    deployment = world.shifting()
    world.ring(loud)
    assert "rollbackInfo" not in world.finished(deployment)
    assert world.alias() == ONE_TENTH


def test_alarms_given_with_the_deployment_replace_those_of_the_group(world: World) -> None:
    of_group, of_deployment = world.alarm("ALARM"), world.alarm()
    world.ready(alarmConfiguration=watched(of_group), autoRollbackConfiguration=ROLLBACK_ALWAYS)
    deployment = world.shifting(overrideAlarmConfiguration=watched(of_deployment))
    assert world.info(deployment)["overrideAlarmConfiguration"]["alarms"] == [{"name": of_deployment}]
    world.ring(of_deployment)
    assert of_deployment in world.finished(deployment)["errorInformation"]["message"]
    world.rolled_back(deployment)


def test_alarms_can_be_switched_off_for_one_deployment(world: World) -> None:
    world.ready(alarmConfiguration=watched(world.alarm("ALARM")))
    info = world.finished(world.deploy(overrideAlarmConfiguration={"enabled": False}))
    assert info["status"] == "Succeeded"


def test_automatic_rollback_given_with_the_deployment_replaces_that_of_the_group(world: World) -> None:
    loud = world.alarm()
    world.ready(alarmConfiguration=watched(loud))
    deployment = world.shifting(autoRollbackConfiguration=ROLLBACK_ALWAYS)
    assert world.info(deployment)["autoRollbackConfiguration"] == ROLLBACK_ALWAYS
    world.ring(loud)
    assert world.rolled_back(deployment)["status"] == "Succeeded"
    assert world.alias() == ("1", {})


def test_a_composite_alarm_stops_a_deployment_too(world: World) -> None:
    child, composite = world.alarm("ALARM"), unique("composite")
    world.cloudwatch.put_composite_alarm(AlarmName=composite, AlarmRule=f'ALARM("{child}")')
    world.ready(alarmConfiguration=watched(composite))
    assert composite in world.finished(world.deploy())["errorInformation"]["message"]


@pytest.mark.parametrize(("ignore", "status"), [(True, "Succeeded"), (False, "Stopped")])
def test_an_alarm_whose_state_cannot_be_had_stops_the_deployment_unless_that_is_ignored(
    world: World, ignore: bool, status: str
) -> None:
    world.ready(alarmConfiguration=watched(unique("nowhere"), ignorePollAlarmFailure=ignore))
    assert world.finished(world.deploy())["status"] == status
