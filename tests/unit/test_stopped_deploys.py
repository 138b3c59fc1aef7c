"""A deploy in a frozen environment, and of code that was rolled back somewhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from deploy_world import World

from manuel_release.errors import Refused
from manuel_release.model.entry import Freeze, Quarantine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path, monkeypatch)
    made.deploy()
    made.artifact("two")
    return made


def left_nothing(world: World) -> bool:
    """No release got a number, nothing was changed, nobody holds the lease."""
    return world.app().ledger.last_number("dev") == 1 and not world.aws.calls and world.lease() is None


def test_a_frozen_environment_is_not_deployed_to_until_the_freeze_is_lifted(world: World) -> None:
    ledger = world.app().ledger
    ledger.freeze(Freeze("dev", "jane", "Black Friday", world.clock.now()))
    world.aws.calls.clear()

    with pytest.raises(Refused, match="dev is frozen by jane") as refused:
        world.deploy()

    assert "freeze off --env dev" in refused.value.hint
    assert left_nothing(world)
    ledger.unfreeze("dev", "jane", "it is over")
    assert world.deploy().release == "r-2"


def test_a_freeze_that_begins_while_it_is_built_stops_the_deploy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, usual = world.app().ledger, world.progress.end
    world.aws.calls.clear()

    def frozen_meanwhile(result) -> None:
        usual(result)
        if result.title == "Build":
            ledger.freeze(Freeze("dev", "jane", "Black Friday", world.clock.now()))

    monkeypatch.setattr(world.progress, "end", frozen_meanwhile)

    with pytest.raises(Refused, match="is frozen"):
        world.deploy()

    assert left_nothing(world)


def test_a_freeze_of_another_environment_stops_nothing(world: World) -> None:
    world.app().ledger.freeze(Freeze("production", "jane", "Black Friday", world.clock.now()))

    assert world.deploy().release == "r-2"


def test_code_that_was_rolled_back_in_production_is_not_deployed_to_dev_until_it_is_lifted(world: World) -> None:
    ledger = world.app().ledger
    bad = Quarantine("two", "r-13", "production", "the guard", "5xx > 5 in 5 min", world.clock.now())
    ledger.quarantine(bad)
    ledger.quarantine(replace(bad, code_digest="three"))
    world.aws.calls.clear()

    with pytest.raises(Refused, match=r"rolled back as r-13 in production .* by the guard: 5xx > 5 in 5 min"):
        world.deploy()

    assert left_nothing(world)
    ledger.lift("two", "jane", "it was the network")
    assert world.deploy().release == "r-2"


def test_other_code_than_the_one_in_quarantine_is_deployed(world: World) -> None:
    world.app().ledger.quarantine(Quarantine("one", "r-1", "dev", "jane", "it was slow", world.clock.now()))

    assert world.deploy().release == "r-2"
