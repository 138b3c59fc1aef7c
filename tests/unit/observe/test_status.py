"""What `status` says of a rollout that nobody works on any more, and of traffic that somebody else moved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rollback_world import Production

from manuel_release.model.entry import EntryKind
from manuel_release.model.status import Condition
from manuel_release.model.traffic import Canary
from manuel_release.observe.status import observe_status

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.model.status import EnvironmentStatus


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    return Production(tmp_path, monkeypatch)


def status(world: Production, *, ledger: bool = True) -> EnvironmentStatus:
    app = world.app()
    return observe_status(app.aws, app.ledger if ledger else None, app.environment, app.now())


def rolling_out(world: Production) -> None:
    world.canary(50)
    world.record(EntryKind.ROLLOUT_STARTED, "r-3", stable="r-2", order="gradual")


def test_a_rollout_that_began_and_did_not_end_is_interrupted(world: Production) -> None:
    rolling_out(world)
    found = status(world)

    assert (found.interrupted, found.condition) == ("r-3", Condition.ATTENTION)
    assert found.traffic_drift == ""


def test_while_somebody_holds_the_lease_it_is_under_way(world: Production) -> None:
    rolling_out(world)
    world.app().ledger.acquire("production", "dev", "bea", "canary promote", 900, "t")
    world.stage = replace(world.stage, canary=Canary(51.0, "r-3"))
    found = status(world)

    assert (found.interrupted, found.traffic_drift) == (None, "")
    assert found.condition is Condition.CHANGING


def test_without_a_ledger_nobody_can_say(world: Production) -> None:
    rolling_out(world)
    found = status(world, ledger=False)

    assert (found.interrupted, found.traffic_drift) == (None, "")
    assert "the ledger cannot be read" in found.note


@pytest.mark.parametrize("kind", [EntryKind.RELEASE_LIVE, EntryKind.ROLLED_BACK])
def test_one_that_ended_is_not_interrupted(world: Production, kind: EntryKind) -> None:
    rolling_out(world)
    world.record(kind, "r-3", to="r-2", previous="r-2")
    world.stage = replace(world.stage, canary=None)

    assert status(world).interrupted is None


def test_a_canary_at_its_step_is_not_interrupted(world: Production) -> None:
    world.canary(10)

    assert status(world).interrupted is None


def test_a_share_that_the_ledger_does_not_know_needs_a_person(world: Production) -> None:
    world.canary(10)
    world.stage = replace(world.stage, canary=Canary(30.0, "r-3"))
    found = status(world)

    assert found.traffic_drift.startswith("the stage gives r-3 30 %, and by the ledger r-3 has 10 %")
    assert found.condition is Condition.ATTENTION
