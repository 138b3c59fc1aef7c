"""A canary from its start to 100 %, on an AWS in memory."""

from __future__ import annotations

from manuel_release.model.canary_change import ChangeStatus
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Canary


def kinds(world) -> list[EntryKind]:
    return [entry.kind for entry in world.entries()]


def test_deploy_names_the_candidate_on_the_stage(world) -> None:
    assert world.stage.variables["candidate"] == "r-2"
    assert world.stage.canary is None


def test_a_start_is_one_change_of_the_stage_and_is_written_down(world) -> None:
    outcome = world.start(reason="faster")

    assert (outcome.status, outcome.release, outcome.percent) == (ChangeStatus.DONE, "r-2", 10.0)
    assert world.stage.canary == Canary(10.0, "r-2")
    assert world.aws.calls == ["shift"]
    last = world.entries()[-1]
    assert (last.kind, last.release, last.reason) == (EntryKind.CANARY_STARTED, "r-2", "faster")
    assert (last.details["percent"], last.details["stable"]) == (10.0, "r-1")
    beat = world.app().ledger.heartbeat("production", "dev")
    assert (beat.release, (beat.until - beat.at).total_seconds()) == ("r-2", 180.0)
    assert world.lease() is None


def test_a_good_canary_goes_from_10_over_50_to_100(world) -> None:
    world.start()
    world.good()
    half = world.promote()
    assert (half.percent, world.stage.canary) == (50.0, Canary(50.0, "r-2"))
    world.good()
    all_of_it = world.promote(100.0)

    assert all_of_it.percent == 100.0
    assert world.live() == {"r-2"}
    assert world.stage.canary is None
    wanted = {"release": "live", "current": "r-2", "previous": "r-1", "candidate": "none"}
    assert {name: world.stage.variables[name] for name in wanted} == wanted
    assert kinds(world)[-4:] == [
        EntryKind.CANARY_STARTED,
        EntryKind.CANARY_PROMOTED,
        EntryKind.ROLLOUT_STARTED,
        EntryKind.RELEASE_LIVE,
    ]
    assert world.states() == {"r-1": ReleaseState.REPLACED, "r-2": ReleaseState.LIVE}
    assert world.promote().status is ChangeStatus.NOTHING_TO_DO
