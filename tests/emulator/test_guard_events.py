"""The guard on the embedded AWS: real events reach it, and it takes a release on trial back without a person.

IAM is enforced, so all of it is done with the permissions of operations.yaml. The tests of this module tell one story
and run in its order; each starts where the one before ended, which is that r-1 serves production.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from conftest import emulator_command
from emulator.builders import until
from emulator.guard_gates import LONG, SHORT, Gates
from emulator.guard_world import DIES, OBSERVER, PIPELINE, PROMOTE, SLEEPS, Desk
from tests_root import ROOT

from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.story]

GATE = "CanaryApproval/DevOps"
QUICK = """\
canary_interval_seconds = 1
canary_delay_seconds = 1
canary_minute_delay_seconds = 2
canary_observe_seconds = [1, 1, 1]
"""
MINUTE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("guard")
    workspace.copy_tree(ROOT, folder / "service")
    options = Options(
        auth=True, shift_seconds_per_minute=1.5, approval_seconds_per_minute=0.1, command=emulator_command()
    )
    with EmbeddedCloud.start(folder / "cloud", options) as cloud:
        made = Desk.open(folder / "service", cloud)
        yield made
        made.close()


@pytest.fixture(scope="module")
def gates(desk: Desk) -> Iterator[Gates]:
    with Gates.of(desk.cloud) as made:
        assert isinstance(made, Gates)
        made.make_roles()
        made.make_bucket()
        made.push()
        for name in ("other-pipeline", PIPELINE):
            made.make(name)
        source = {"type": "NO_SOURCE", "buildspec": SLEEPS}
        made.make_project(name=OBSERVER, source=source, artifacts={"type": "NO_ARTIFACTS"})
        yield made


def nothing_else_was_decided(desk: Desk, count: int) -> None:
    """An event that comes later has been dealt with, and nothing before it."""
    before = len(desk.decisions("manuel-prod-r-1-latency"))
    desk.ring("manuel-prod-r-1-latency", "OK")
    desk.ring("manuel-prod-r-1-latency")
    desk.decided("manuel-prod-r-1-latency", before)
    assert len(desk.decisions(GATE)) == count


def test_an_alarm_of_the_canary_has_it_rolled_back(desk: Desk) -> None:
    desk.quick("canary", "start", "--env", "production", "--yes")
    assert desk.share() == 10.0

    desk.ring("manuel-prod-r-2-5xx")

    desk.taken_back("manuel-prod-r-2-5xx")
    assert desk.release("r-2")["state"] == "rolled_back"


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


def test_a_canary_that_people_reject_is_taken_back(desk: Desk, gates: Gates) -> None:
    desk.trial()
    gates.at_the_gate()

    gates.answer("Rejected", "CanaryApproval", "DevOps", "Answers are too slow.")

    incident = desk.taken_back(GATE)
    assert incident["reason"] == f"{GATE} did not approve r-2: Answers are too slow"


def test_a_canary_that_nobody_decides_on_in_time_is_taken_back(desk: Desk, gates: Gates) -> None:
    desk.trial()
    before = len(desk.decisions(GATE))
    gates.wait_for(SHORT)

    gates.at_the_gate()

    assert "timed out" in desk.taken_back(GATE, before)["reason"]
    gates.wait_for(LONG)


def test_a_canary_whose_execution_is_stopped_at_the_gate_is_taken_back(desk: Desk, gates: Gates) -> None:
    desk.trial()
    before = len(desk.decisions(GATE))
    execution = gates.at_the_gate()

    gates.stop(execution)

    assert desk.taken_back(GATE, before)["reason"] == f"{GATE} did not approve r-2: abandoned"


@pytest.mark.parametrize("how", ["FAILED", "STOPPED"])
@pytest.mark.usefixtures("gates")
def test_a_canary_whose_observing_job_dies_is_taken_back(desk: Desk, how: str) -> None:
    desk.trial()
    build = desk.build(DIES if how == "FAILED" else SLEEPS)
    if how == "STOPPED":
        desk.client("codebuild").stop_build(id=build)

    desk.taken_back(build)

    assert desk.client("codebuild").batch_get_builds(ids=[build])["builds"][0]["buildStatus"] == how


def test_a_release_that_codedeploy_fails_to_roll_out_is_taken_back(desk: Desk) -> None:
    """`promote 100` died, and CodeDeploy loses its permission half-way: it cannot even go back by itself."""
    desk.trial()

    with desk.broken_rollout():
        failed = until(lambda: desk.rolled_back_after(desk.deployments("Failed")))

    incident = desk.taken_back(failed)
    assert incident["reason"] == f"{failed} failed while r-2 was rolled out"
    for name in desk.functions():
        assert desk.alias(name, "live") == desk.alias(name, "r-1"), name


def test_without_a_canary_a_refused_gate_does_nothing(desk: Desk, gates: Gates) -> None:
    before = len(desk.decisions(GATE))
    gates.start()
    gates.answer("Rejected", "ProductionApproval", "DevOps")
    nothing_else_was_decided(desk, before)
    gates.at_the_gate()
    gates.answer("Rejected", "CanaryApproval", "DevOps")

    assert desk.decided(GATE, before)["action"] == "keep_watching"
    assert desk.serving() == {"r-1"}


def test_what_other_gates_refuse_does_not_touch_the_canary(desk: Desk, gates: Gates) -> None:
    desk.trial()
    before = len(desk.decisions(GATE))
    gates.start()
    gates.answer("Rejected", "ProductionApproval", "DevOps")
    gates.name = "other-pipeline"
    gates.at_the_gate()
    gates.answer("Rejected", "CanaryApproval", "DevOps")
    gates.name = PIPELINE

    nothing_else_was_decided(desk, before)
    assert desk.share() == 10.0
    desk.quick("canary", "abort", "--env", "production", "--yes")


def test_a_canary_that_nobody_observes_is_taken_back(desk: Desk) -> None:
    desk.settings("heartbeat_seconds = 1")
    desk.trial()
    time.sleep(1)

    desk.guard(MINUTE)

    desk.taken_back("heartbeat")


def test_a_rollback_that_ended_after_its_traffic_call_is_finished_by_the_next_look(desk: Desk) -> None:
    pin = {"op": "replace", "path": "/variables/release", "value": "r-1"}
    desk.client("apigateway").update_stage(**desk.where, patchOperations=[pin])

    (done,) = desk.guard(MINUTE)

    assert done["action"] == "continued"
    variables = desk.client("apigateway").get_stage(**desk.where)["variables"]
    assert (variables["release"], variables["current"]) == ("live", "r-1")


def test_a_release_that_is_proven_is_nobody_s_trial(desk: Desk, gates: Gates) -> None:
    """r-2 gets all requests without a fault, and its last observation is over."""
    desk.settings(QUICK, everywhere=True)
    desk.trial()
    incidents, gate = len(desk.incidents()), len(desk.decisions(GATE))
    desk.quick(*PROMOTE)
    time.sleep(1)

    gates.at_the_gate()
    gates.answer("Rejected", "CanaryApproval", "DevOps")
    build = desk.build(DIES)

    for said in (desk.decided(GATE, gate), desk.decided(build)):
        assert (said["action"], said["why"]) == ("keep_watching", "r-2 has proven itself")
    assert len(desk.incidents()) == incidents
    assert desk.serving() == {"r-2"}
    assert {line.get("event") for line in desk.log()}.isdisjoint(desk.deployments("Succeeded"))


def test_a_canary_that_is_found_worse_while_people_decide_is_taken_back(desk: Desk) -> None:
    """The stable release fails as well, so that its limits are broken too and excuse the canary's."""
    desk.quick("rollback", "--env", "production", "--no-probe", "--yes")
    desk.trial()
    observer = desk.begin("canary", "watch", "--observe", "--env", "production")
    said = observer.communicate()
    assert observer.returncode == 8, said
    random = Random(1)

    def found() -> str | None:
        desk.send(200, random)
        desk.guard(MINUTE)
        return desk.rolled_back_after(["verdict"])

    until(found)

    incident = desk.taken_back("verdict")
    assert "The canary is worse: 5xx errors" in incident["reason"]
