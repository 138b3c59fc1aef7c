"""`rollback --infrastructure`: the stack follows the traffic, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release import rollback
from manuel_release.model.rollback import RollbackRequest
from manuel_release.model.stack import Action, Change, Replacement

if TYPE_CHECKING:
    from rollback_world import Production

TABLE = Change(Action.REMOVE, "UsageTable", "usage", "AWS::DynamoDB::Table")
ROUTE = Change(Action.REMOVE, "Route", "route", "AWS::ApiGateway::Resource")


@pytest.fixture(autouse=True)
def completed(world: Production) -> None:
    world.hold_all("r-3", "r-2")


def restored(world: Production, agrees: bool = True) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    def agree(release: str, changes: Any) -> bool:
        asked.append((release, [one.change.logical_id for one in changes], world.serving()))
        return agrees

    request = RollbackRequest(infrastructure=True, probe=False)
    return rollback.roll_back(world.app(), request, world.progress, world.told.append, agree), asked


def test_template_and_parameters_of_the_target_are_deployed_again(world: Production) -> None:
    receipt, asked = restored(world)

    assert receipt.left == ()
    assert asked == [("r-2", ["manuel-health-dev", "manuel-usage-dev"], {"r-2"})]
    assert world.aws.stacks.asked[-1]["parameters"]["ReleaseId"] == "r-2"
    assert world.aws.stacks.there["manuel-prod"].parameters["ReleaseId"] == "r-2"
    assert world.live() == {"r-2"}
    assert receipt.undo_command.endswith("--to r-3 --yes --infrastructure")


def test_the_stack_is_asked_about_after_the_traffic_is_back(world: Production) -> None:
    _, asked = restored(world)

    assert asked[0][2] == {"r-2"}


@pytest.mark.parametrize(
    "change", [TABLE, replace(TABLE, action=Action.MODIFY, replacement=Replacement.YES)], ids=["deleted", "replaced"]
)
def test_data_is_never_lost(world: Production, change: Change) -> None:
    world.aws.other_changes = (change,)

    receipt, asked = restored(world)

    assert asked == []
    assert any("UsageTable" in one and "would lose something" in one for one in receipt.left)
    assert world.aws.stacks.there["manuel-prod"].parameters["ReleaseId"] == "r-3"
    assert world.aws.stacks.change_sets == {}
    assert world.serving() == {"r-2"}


def test_a_route_of_the_bad_release_may_go(world: Production) -> None:
    world.aws.other_changes = (ROUTE,)

    receipt, _ = restored(world)

    assert receipt.left == ()


def test_nothing_is_changed_when_nobody_agrees(world: Production) -> None:
    receipt, _ = restored(world, agrees=False)

    assert any("nobody agreed" in one for one in receipt.left)
    assert world.aws.stacks.change_sets == {}
    assert world.aws.stacks.there["manuel-prod"].parameters["ReleaseId"] == "r-3"


def test_a_busy_stack_is_left_alone_with_the_command_for_later(world: Production) -> None:
    there = world.aws.stacks.there["manuel-prod"]
    world.aws.stacks.there["manuel-prod"] = replace(there, status="UPDATE_IN_PROGRESS")

    receipt, _ = restored(world)

    assert any("--to r-2 --infrastructure --yes" in one for one in receipt.left)
    assert world.serving() == {"r-2"}


def test_a_template_that_is_not_kept_any_more_is_said(world: Production) -> None:
    world.aws.storage.objects.clear()

    receipt, _ = restored(world)

    assert any("does not keep the template and parameters of r-2" in one for one in receipt.left)
