"""A rollback of one release and no other: decided on the reading of the stage that the change follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.rollback import RollbackRequest
from manuel_release.model.traffic import Canary
from manuel_release.taking_back import take_back

if TYPE_CHECKING:
    from rollback_world import Production


def next_release(world: Production) -> None:
    """Somebody rolled r-3 back, deployed r-4, and gave it a share."""
    world.roll_back()
    world.artifact("four")
    world.deploy()
    world.canary(10, "r-4")


@pytest.mark.parametrize("percent", [0, 10, 50])
def test_it_loses_its_traffic_after_one_read_and_one_change(world: Production, percent: int) -> None:
    if percent:
        world.canary(percent)
    world.aws.made.clear()

    receipt = world.roll_back(only="r-3")

    assert [call for call in world.aws.made if call.startswith("gateway")][:2] == ["gateway.stage", "gateway.shift"]
    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert world.exposed() == world.live() == {"r-2"}


def test_a_release_that_came_meanwhile_keeps_its_traffic(world: Production) -> None:
    next_release(world)
    world.aws.calls.clear()

    receipt = world.roll_back(only="r-3")

    assert (receipt.from_release, receipt.traffic_restored, receipt.why) == (None, True, "r-3 has no traffic any more")
    assert "r-2 holds 100 %" in receipt.message
    assert world.aws.calls == []
    assert world.stage.canary == Canary(10, "r-4")
    assert world.states()["r-4"] is ReleaseState.CANARY


def test_a_release_that_holds_100_percent_is_taken_back_although_another_one_waits(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.artifact("four")
    world.deploy()
    assert world.stage.candidate == "r-4"

    receipt = world.roll_back(only="r-3")

    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert world.live() == {"r-2"}
    assert world.states()["r-4"] is ReleaseState.STAGED


def test_without_a_release_before_it_nothing_is_changed(world: Production) -> None:
    world.hold_all("r-3", "none")
    world.aws.calls.clear()

    with pytest.raises(Refused, match="names no release before it"):
        world.roll_back(only="r-3")
    assert world.aws.calls == []


def test_a_rollback_that_was_begun_is_finished_and_not_begun_again(world: Production) -> None:
    world.canary(10)
    world.record(EntryKind.ROLLBACK_STARTED, "r-3", to="r-2")
    world.stage = replace(world.stage, variables={**world.stage.variables, "release": "r-2"}, canary=Canary(0, "r-2"))

    receipt = world.roll_back(only="r-3")

    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "r-2", ())
    assert (world.stage.serving, world.stage.canary) == ("live", None)


@pytest.mark.parametrize(("only", "moved"), [("r-3", True), ("r-9", False)])
def test_with_the_stage_unreadable_the_ledger_decides_about_it(world: Production, only: str, moved: bool) -> None:
    world.canary(10)
    world.aws.calls.clear()
    world.aws.meanwhile["gateway.stage"] = lambda: (_ for _ in ()).throw(ReleaseError("throttled"))

    receipt = world.roll_back(only=only)

    assert (receipt.from_release == "r-3") is moved
    assert ("shift" in world.aws.calls) is moved
    assert world.exposed() == ({"r-2"} if moved else {"r-2", "r-3"})


def test_what_is_found_bad_takes_back_itself_and_not_what_came_meanwhile(world: Production) -> None:
    next_release(world)

    receipt = take_back(world.app(), "r-3", "verdict", "errors", world.progress)

    assert receipt.from_release is None
    assert world.exposed() == {"r-2", "r-4"}


def test_a_request_names_either_where_the_traffic_goes_or_what_loses_it() -> None:
    with pytest.raises(ValueError, match="leaves that to the stage"):
        RollbackRequest(to="r-2", only="r-3")
