"""The process ends before or after any call; the same command, or the guard's continuation, finishes the rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rollback_world import Production

from manuel_release.model.release import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Begin = Callable[[Production], None]

WRITES = ("put_new", "put_if_free", "replace_if", "delete_if")


class Died(BaseException):
    """The end of a process."""


class Fate:
    """Ends the process at the n-th call, before or after it is done."""

    def __init__(self, world: Production, at: int, after: bool) -> None:
        self.count, self.at, self.after = 0, at, after
        for target, names in (
            (world.aws.gateway, ("shift", "flush_cache", "remove_canary", "use_deployment", "write_variables")),
            (world.aws.functions, ("create_alias", "point_alias")),
            (world.aws.deployments, ("stop",)),
            (world.aws.table_of, WRITES),
        ):
            for name in names:
                setattr(target, name, self.mortal(getattr(target, name)))

    def mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            self.count += 1
            mine = self.count == self.at
            if mine and not self.after:
                raise Died
            answer = call(*given, **named)
            if mine:
                raise Died
            return answer

        return called


def in_the_middle(world: Production) -> None:
    """`live` of one function has moved, and one alias is missing."""
    world.canary(50)
    world.move_live("r-3", "manuel-usage-dev")
    del world.aws.functions.all["manuel-health-dev"].aliases["r-2"]


def completed(world: Production) -> None:
    world.hold_all("r-3", "r-2")


def deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Begin) -> Iterator[Production]:
    """A world for each call at which a rollback died."""
    for after in (False, True):
        for at in range(1, 60):
            folder = tmp_path / f"{begin.__name__}-{at}-{after}"
            folder.mkdir()
            world = Production(folder, monkeypatch)
            begin(world)
            fate = Fate(world, at, after)
            try:
                world.roll_back()
            except Died:
                yield world
            else:
                assert fate.count > 10
                break


@pytest.mark.parametrize("begin", [in_the_middle, completed])
@pytest.mark.parametrize("who", ["person", "guard"])
def test_a_killed_rollback_is_finished_by_the_next_run(tmp_path, monkeypatch, begin, who) -> None:
    for world in deaths(tmp_path, monkeypatch, begin):
        if who == "person":
            world.roll_back()
        elif world.resume() is None:
            continue  # it died before anything was changed, or after everything was

        assert world.exposed() == world.live() == {"r-2"}
        stage = world.stage
        assert (stage.serving, stage.current, stage.previous, stage.candidate) == ("live", "r-2", "r-1", None)
        assert stage.canary is None
        assert world.states()["r-3"] is ReleaseState.ROLLED_BACK
        assert [one.code_digest for one in world.app().ledger.quarantines()] == ["three"]
        assert len(world.app().ledger.incidents("production")) == 1


@pytest.mark.parametrize("begin", [in_the_middle, completed])
def test_no_death_after_the_traffic_call_gives_the_bad_release_traffic(tmp_path, monkeypatch, begin) -> None:
    for world in deaths(tmp_path, monkeypatch, begin):
        if "shift" in world.aws.calls:
            assert "r-3" not in world.exposed()
