"""`rollback --to`, undoing a rollback, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from manuel_release.errors import Refused, UsageError
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Canary

if TYPE_CHECKING:
    from rollback_world import Production


def test_the_named_release_gets_the_traffic_after_one_read_of_the_ledger(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.aws.made.clear()

    receipt = world.roll_back("r-1")

    assert next(call for call in world.aws.made if call.startswith("gateway")) == "gateway.shift"
    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "r-1", ())
    assert world.live() == world.serving() == {"r-1"}
    assert (world.stage.current, world.stage.previous) == ("r-1", "none")


def test_its_canary_is_written_without_looking(world: Production) -> None:
    world.canary(50)

    world.roll_back("r-1")

    assert world.told[0].stage.canary == Canary(0.0, "r-1")
    assert world.told[0].target.bad == "r-3"
    assert world.exposed() == {"r-1"}


def test_with_the_ledger_down_a_person_s_word_counts(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.ledger_is_down()

    receipt = world.roll_back("r-2")

    assert world.serving() == {"r-2"}
    assert "does not answer" in receipt.message


@pytest.mark.parametrize(("to", "why"), [("r-9", "no such release"), ("r-4", "never completely deployed")])
def test_a_release_without_aliases_gets_no_traffic(world: Production, to: str, why: str) -> None:
    world.record(EntryKind.DEPLOY_STARTED, "r-4")

    with pytest.raises(Refused, match=why) as stopped:
        world.roll_back(to)

    assert "r-3, r-2, r-1" in stopped.value.hint
    assert world.aws.calls == []


def test_a_pruned_release_gets_no_traffic(world: Production) -> None:
    world.record(EntryKind.RELEASES_PRUNED, "", releases=["r-1"])

    with pytest.raises(Refused, match="its aliases were deleted"):
        world.roll_back("r-1")


@pytest.mark.parametrize("to", ["live", "13", "r-0", "none"])
def test_a_name_that_is_none_is_a_wrong_usage(world: Production, to: str) -> None:
    with pytest.raises(UsageError):
        world.roll_back(to)


def test_a_release_that_was_rolled_back_needs_a_yes(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back(reason="wrong prices")

    with pytest.raises(Refused, match="wrong prices") as stopped:
        world.roll_back("r-3")

    assert "--to r-3 --yes" in stopped.value.hint
    assert world.serving() == {"r-2"}


def test_the_undo_command_undoes_exactly_that(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    before, states = world.stage, world.states()
    undo = world.roll_back().undo_command
    assert undo == "manuel-release rollback --env production --to r-3 --yes"

    receipt = world.roll_back("r-3", insist=True)

    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-2", "r-3", ())
    assert world.live() == world.serving() == {"r-3"}
    kept = ("release", "current", "previous", "candidate")
    assert [world.stage.variables[name] for name in kept] == [before.variables[name] for name in kept]
    assert world.states() == states
    assert world.app().ledger.quarantines() == ()


def test_going_forward_blames_nobody(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back()
    incidents = len(world.app().ledger.incidents("production"))

    receipt = world.roll_back("r-3", insist=True)

    assert receipt.incident_id == ""
    assert receipt.undo_command == "manuel-release rollback --env production --to r-2"
    assert len(world.app().ledger.incidents("production")) == incidents
    assert world.states()["r-2"] is ReleaseState.REPLACED


def test_a_canary_is_undone_by_lifting_its_quarantine_and_starting_it_again(world: Production) -> None:
    world.canary(10)

    undo = world.roll_back().undo_command

    lift, start = undo.split(" && ")
    assert lift == 'manuel-release quarantine lift three --reason "WHY"'
    assert start == "manuel-release canary start --env production --release r-3"


def test_a_rollback_that_was_typed_twice_does_not_take_the_good_release_back(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back()
    world.aws.calls.clear()

    receipt = world.roll_back()

    assert receipt.to_release == "r-2"
    assert "--to RELEASE" in receipt.message
    assert world.aws.calls == []


def test_a_quarter_of_an_hour_later_it_means_the_next_one(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back()
    world.clock.sleep(15 * 60)

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release) == ("r-2", "r-1")


def test_a_newer_release_may_be_taken_back_at_once(world: Production) -> None:
    world.canary(10)
    world.roll_back()
    world.artifact("four")
    world.deploy()
    world.hold_all("r-4", "r-2")

    receipt = world.roll_back()

    assert (receipt.from_release, receipt.to_release) == ("r-4", "r-2")
    assert (world.stage.current, world.stage.previous) == ("r-2", "r-1")


def test_a_release_that_was_taken_back_is_never_what_could_be_gone_back_to(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back()
    world.artifact("four")
    world.deploy()
    world.hold_all("r-4", "r-2")
    world.artifact("five")
    world.deploy()
    world.hold_all("r-5", "r-4")

    world.roll_back()

    assert (world.stage.current, world.stage.previous) == ("r-4", "r-2")


def test_what_could_be_gone_back_to_has_all_its_aliases(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    del world.aws.functions.all["manuel-usage-dev"].aliases["r-1"]

    world.roll_back()

    assert world.stage.previous == "none"


def test_the_api_definition_of_the_target_is_served_again(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.stage = replace(world.stage, deployment_id="d9")

    receipt = world.roll_back()

    assert world.stage.deployment_id == "d1"
    assert any(step.detail == "d9 -> d1" for step in receipt.steps)
