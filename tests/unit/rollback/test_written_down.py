"""What a rollback leaves in the ledger, and how it stands against others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from manuel_release.errors import Refused
from manuel_release.lease import LeaseKeeper
from manuel_release.model.entry import EntryKind, Freeze
from manuel_release.model.traffic import Canary

if TYPE_CHECKING:
    from rollback_world import Production


def test_the_code_is_in_quarantine_with_the_reason(world: Production) -> None:
    world.canary(10)

    world.roll_back(reason="wrong prices")

    (one,) = world.app().ledger.quarantines()
    assert (one.code_digest, one.release, one.reason) == ("three", "r-3", "wrong prices")


def test_code_that_serves_is_not_quarantined_when_only_parameters_differ(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.artifact("three", Memory="256")
    world.deploy()
    world.hold_all("r-4", "r-3")

    receipt = world.roll_back()

    assert receipt.to_release == "r-3"
    assert world.app().ledger.quarantines() == ()


def test_the_incident_has_the_receipt_when_it_is_over(world: Production) -> None:
    world.canary(10)

    receipt = world.roll_back(trigger="manuel-prod-r-3-1-errors")

    incident = world.app().ledger.incident(receipt.incident_id)
    assert incident is not None
    assert incident.ended_at is not None
    assert (incident.release, incident.to_release, incident.trigger) == ("r-3", "r-2", "manuel-prod-r-3-1-errors")
    assert incident.receipt["to_release"] == "r-2"


def test_an_unfinished_one_says_what_is_left(world: Production) -> None:
    world.canary(10)
    world.health_is_up = False

    receipt = world.roll_back()

    assert any("/health does not answer with r-2" in one for one in receipt.left)
    entry = [e for e in world.app().ledger.entries("production") if e.kind is EntryKind.ROLLBACK_UNFINISHED][-1]
    assert tuple(entry.details["left"]) == receipt.left
    assert world.app().ledger.incident(receipt.incident_id).ended_at is None


def test_it_needs_no_lease_and_takes_the_one_that_is_in_the_way(world: Production) -> None:
    world.canary(10)
    app = world.app()
    lease = app.ledger.acquire("production", "dev", "bob", "promote 50", 900, "bobs")

    receipt = world.roll_back()

    assert receipt.left == ()
    with pytest.raises(Refused):
        LeaseKeeper(app, lease).confirm()
    assert EntryKind.LEASE_TAKEN in world.kinds()


def test_a_freeze_does_not_stop_it(world: Production) -> None:
    world.canary(10)
    world.app().ledger.freeze(Freeze("production", "bob", "holidays", world.clock.now()))

    assert world.roll_back().left == ()


def test_a_promotion_that_comes_late_gives_the_bad_release_nothing(world: Production) -> None:
    world.canary(10)
    world.aws.meanwhile["gateway.flush_cache"] = lambda: setattr(
        world, "stage", replace(world.stage, canary=replace(world.stage.canary, percent=50.0))
    )

    world.roll_back()

    assert world.exposed() == {"r-2"}


def test_somebody_s_new_canary_is_not_removed(world: Production) -> None:
    world.canary(10)
    world.aws.meanwhile["gateway.flush_cache"] = lambda: setattr(
        world, "stage", replace(world.stage, canary=Canary(5.0, "r-4"))
    )

    receipt = world.roll_back()

    assert any("somebody else gave r-4 5 %" in one for one in receipt.left)
    assert world.stage.canary == Canary(5.0, "r-4")


def test_a_deployment_that_begins_meanwhile_is_stopped_too(world: Production) -> None:
    world.canary(50)
    world.aws.codedeploy_seconds = 600

    def promoted() -> None:
        health = world.aws.functions.all["manuel-health-dev"]
        world.aws.deployments.create(
            application="app",
            group="manuel-health-dev",
            function="manuel-health-dev",
            current_version=health.aliases["live"].version,
            target_version=health.aliases["r-3"].version,
            description="dev r-3",
        )

    world.aws.meanwhile["gateway.remove_canary"] = promoted

    receipt = world.roll_back()

    assert receipt.left == ()
    assert world.live() == {"r-2"}
    assert world.aws.deployments.stopped == ["d-1"]


def test_nothing_unfinished_is_nothing_to_resume(world: Production) -> None:
    assert world.resume() is None


def test_a_dry_run_names_the_rollback_that_would_be_finished_first_and_leaves_it(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.roll_back()
    assert "finished first" not in world.roll_back(dry_run=True).message
    world.record(EntryKind.ROLLBACK_STARTED, "r-3", to="r-2")
    before = world.kinds()
    world.aws.calls.clear()

    receipt = world.roll_back(dry_run=True)

    assert receipt.message.startswith("dry run: the unfinished rollback to r-2 would be finished first; ")
    assert receipt.message.endswith("; nothing was changed")
    assert (world.aws.calls, world.kinds()) == ([], before)
    assert world.roll_back().steps, "and it is still there to be finished"


def test_a_pinned_stage_is_resumed_by_anybody(world: Production) -> None:
    world.hold_all("r-3", "r-2")
    world.ledger_is_down()
    world.roll_back()
    world.ledger_is_up()

    receipt = world.resume()

    assert receipt is not None
    assert (receipt.from_release, receipt.to_release, receipt.left) == ("r-3", "r-2", ())
    assert world.stage.serving == "live"
    assert world.resume() is None


def test_whoever_lost_the_lease_leaves_the_rest_to_the_new_holder(world: Production) -> None:
    world.canary(10)
    world.aws.meanwhile["gateway.remove_canary"] = lambda: world.app().ledger.take(
        "production", "dev", "bob", "rollback to r-2", 900, "bobs"
    )

    receipt = world.roll_back()

    assert receipt.traffic_restored
    assert any("is being changed by bob" in one for one in receipt.left)
    assert world.stage.pinned == "r-2"
    assert world.lease().holder == "bob"


def test_going_where_the_traffic_is_already_blames_nobody(world: Production) -> None:
    world.canary(10)
    world.roll_back()
    mark, incidents = world.stage.variables["rolled_back"], world.app().ledger.incidents("production")

    receipt = world.roll_back("r-2")

    assert (receipt.from_release, receipt.to_release, receipt.left) == (None, "r-2", ())
    assert world.app().ledger.incidents("production") == incidents
    assert world.stage.serving == "live"
    assert world.stage.variables["rolled_back"] == mark
