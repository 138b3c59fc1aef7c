"""A rollback at every moment of a release's life."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from manuel_release.errors import AccessError, Refused, ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Canary

if TYPE_CHECKING:
    from rollback_world import Production

DOWN = ReleaseError("the table does not answer")


def before_the_canary(world: Production) -> None:
    """Nothing: the release waits at 0 %."""


def at_10(world: Production) -> None:
    world.canary(10)


def at_50(world: Production) -> None:
    world.canary(50)


def mid_codedeploy(world: Production) -> None:
    world.canary(50)
    world.record(EntryKind.ROLLOUT_STARTED, "r-3", deployments={})
    world.aws.codedeploy_seconds = 600
    health = world.aws.functions.all["manuel-health-dev"]
    world.aws.deployments.create(
        application="app",
        group="manuel-health-dev",
        function="manuel-health-dev",
        current_version=health.aliases["live"].version,
        target_version=health.aliases["r-3"].version,
        description="dev r-3",
    )
    world.move_live("r-3", "manuel-usage-dev")


def all_moved_and_not_written_down(world: Production) -> None:
    world.canary(50)
    world.move_live("r-3")


def stack_busy(world: Production) -> None:
    world.canary(10)
    stack = world.aws.stacks.there["manuel-prod"]
    world.aws.stacks.there["manuel-prod"] = replace(stack, status="UPDATE_IN_PROGRESS")


MOMENTS = [before_the_canary, at_10, at_50, mid_codedeploy, all_moved_and_not_written_down, stack_busy]


@pytest.mark.parametrize("moment", MOMENTS)
def test_nobody_meets_the_new_release_after_one_read_and_one_change(world: Production, moment) -> None:
    moment(world)
    world.aws.made.clear()

    receipt = world.roll_back()

    assert [call for call in world.aws.made if call.startswith("gateway")][:2] == ["gateway.stage", "gateway.shift"]
    (restored,) = world.told
    assert restored.stage.serving == "r-2"
    assert restored.stage.canary in {None, Canary(0.0, "r-2")}
    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "r-2", ())
    assert world.exposed() == world.live() == {"r-2"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_the_end_the_stage_calls_live_and_says_what_is_true(world: Production, moment) -> None:
    moment(world)

    world.roll_back()

    stage = world.stage
    assert (stage.serving, stage.current, stage.previous, stage.candidate) == ("live", "r-2", "r-1", None)
    assert stage.canary is None
    assert world.states() == {
        "r-1": ReleaseState.REPLACED,
        "r-2": ReleaseState.LIVE,
        "r-3": ReleaseState.ROLLED_BACK,
    }
    assert world.lease() is None


def test_after_completion_it_goes_to_what_held_100_percent_before(world: Production) -> None:
    world.hold_all("r-3", "r-2")

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert world.live() == world.serving() == {"r-2"}
    assert (world.stage.current, world.stage.previous) == ("r-2", "r-1")


def test_without_a_canary_the_traffic_call_makes_none(world: Production) -> None:
    world.hold_all("r-3", "r-2")

    world.roll_back()

    assert world.told[0].stage.canary is None


def test_deployments_are_stopped_and_moved_back(world: Production) -> None:
    mid_codedeploy(world)

    world.roll_back()

    assert world.aws.deployments.stopped == ["d-1"]


def test_a_remembered_location_saves_a_call(world: Production) -> None:
    world.roll_back()
    world.told.clear()
    world.hold_all("r-3", "r-2")
    world.aws.made.clear()

    world.roll_back()

    assert world.aws.made[:2] == ["gateway.stage", "gateway.shift"]
    assert world.told[0].api_calls == 2


def test_a_remembered_location_that_is_gone_is_looked_up_again(world: Production) -> None:
    world.roll_back()
    world.hold_all("r-3", "r-2")
    world.aws.stacks.there["manuel-prod"] = replace(
        world.aws.stacks.there["manuel-prod"],
        outputs={"ApiId": "api2", "ApiStage": "dev", "CodeDeployApplicationName": "app"},
    )
    world.aws.gateway.stages["api2"] = replace(world.aws.gateway.stages.pop("api1"), rest_api_id="api2")

    receipt = world.roll_back()

    assert (receipt.to_release, receipt.left) == ("r-2", ())


def test_an_unreadable_stage_is_written_by_what_the_ledger_says(world: Production) -> None:
    at_10(world)
    fault = ReleaseError("cannot read stage: throttled")
    world.aws.faults["gateway.stage"] = fault

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert world.exposed() == {"r-2"}
    assert "throttled" in receipt.message
    assert receipt.left


def test_blindly_the_canary_is_written_too(world: Production) -> None:
    world.aws.faults["gateway.stage"] = ReleaseError("throttled")

    world.roll_back()

    assert world.told[0].stage.canary == Canary(0.0, "r-2")


def test_with_stage_and_ledger_down_nothing_is_guessed(world: Production) -> None:
    at_10(world)
    world.aws.faults["gateway.stage"] = AccessError("GetStage is not allowed", hint="Sign in.")
    world.ledger_is_down()

    with pytest.raises(AccessError) as stopped:
        world.roll_back()

    assert "--to RELEASE" in stopped.value.hint
    assert world.exposed() == {"r-2", "r-3"}
    assert world.aws.calls == []


def test_with_the_ledger_down_traffic_is_back_and_the_api_stays_pinned(world: Production) -> None:
    at_10(world)
    world.ledger_is_down()

    receipt = world.roll_back()

    assert receipt.traffic_restored
    assert world.exposed() == world.live() == {"r-2"}
    assert world.stage.pinned == "r-2"
    assert any("until the ledger answers" in one for one in receipt.left)


def test_when_the_ledger_answers_again_the_same_command_finishes_it(world: Production) -> None:
    at_10(world)
    world.ledger_is_down()
    world.roll_back()
    world.ledger_is_up()

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "r-2", ())
    assert (world.stage.serving, world.stage.candidate) == ("live", None)
    assert world.states()["r-3"] is ReleaseState.ROLLED_BACK


def test_a_missing_alias_is_made_again_from_the_ledger(world: Production) -> None:
    at_10(world)
    del world.aws.functions.all["manuel-usage-dev"].aliases["r-2"]

    receipt = world.roll_back()

    assert receipt.left == ()
    assert world.serving() == {"r-2"}
    assert world.aws.functions.all["manuel-usage-dev"].aliases["r-2"].version


def test_an_alias_whose_version_is_gone_is_left_to_a_person_and_the_others_are_right(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    usage = world.aws.functions.all["manuel-usage-dev"]
    gone = usage.aliases.pop("r-2").version
    del usage.versions[gone]

    receipt = world.roll_back()

    assert receipt.traffic_restored
    assert any("manuel-usage-dev" in one and "aws lambda create-alias" in one for one in receipt.left)
    assert world.stage.pinned == "r-2"
    assert EntryKind.ROLLBACK_UNFINISHED in world.kinds()


def test_the_first_release_has_nothing_before_it(world: Production) -> None:
    world.stage = replace(world.stage, variables={"release": "live", "current": "r-1"})

    with pytest.raises(Refused) as stopped:
        world.roll_back()

    assert "no release before it" in stopped.value.message
    assert "--to RELEASE" in stopped.value.hint
    assert world.aws.calls == []


def test_a_canary_of_plain_sam_is_taken_back_to_live(world: Production) -> None:
    world.stage = replace(world.stage, variables={"release": "live"}, canary=Canary(10, "r-3"))

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "live", ())
    assert world.exposed() == {"r-2"}
    assert world.stage.canary is None


def test_a_dry_run_changes_nothing_and_says_what_would_be(world: Production) -> None:
    at_10(world)

    receipt = world.roll_back(dry_run=True)

    assert not receipt.traffic_restored
    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert world.aws.calls == []
    assert world.told == []


def test_a_refused_traffic_call_changes_nothing(world: Production) -> None:
    at_10(world)
    world.aws.faults["gateway.shift"] = AccessError("UpdateStage is not allowed")

    with pytest.raises(AccessError):
        world.roll_back()

    assert world.exposed() == {"r-2", "r-3"}
    assert EntryKind.ROLLBACK_STARTED not in world.kinds()
