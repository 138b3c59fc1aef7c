"""A rollback while somebody promotes, and a command that died in the middle of its work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manuel_release.errors import GateFailed, Refused
from manuel_release.model.canary_change import ChangeStatus
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Canary


class Died(Exception):  # noqa: N818 - not an error
    """The process ended here."""


def die() -> None:
    raise Died


def roll_back(world) -> None:
    """The one call of a rollback, by somebody else."""
    stage = world.stage
    canary = Canary(0.0, "r-1") if stage.canary is not None else None
    world.aws.gateway.stages["api1"] = replace(stage, variables={**stage.variables, "release": "r-1"}, canary=canary)


def kinds(world) -> list[EntryKind]:
    return [entry.kind for entry in world.entries()]


def at_half(world) -> None:
    world.start()
    world.good()
    world.promote()
    world.good()
    world.aws.calls.clear()


def test_a_promotion_that_wakes_up_after_a_rollback_changes_nothing(world) -> None:
    world.start()
    world.good()
    world.agrees = True
    plans = world.plans

    def late(plan) -> None:
        plans.append(plan)
        roll_back(world)

    from manuel_release import canary  # noqa: PLC0415
    from manuel_release.model.canary_change import CanaryRequest  # noqa: PLC0415

    with pytest.raises(Refused, match="the stage was changed meanwhile"):
        canary.promote(world.app(), CanaryRequest(), world.progress, late, lambda _: True)
    assert world.stage.canary == Canary(0.0, "r-1")
    assert EntryKind.CANARY_PROMOTED not in kinds(world)


def test_a_promotion_that_comes_even_later_sends_nothing_back(world) -> None:
    """Between its look at the stage and its call: it patches the percentage alone."""
    world.start()
    world.good()
    world.aws.meanwhile["gateway.shift"] = lambda: roll_back(world)

    world.promote()

    assert world.stage.serving == "r-1"
    assert world.stage.canary.release == "r-1", "50 % of the requests go to r-1 by the canary, the others by the pin"


def test_a_lost_lease_stops_a_promotion(world) -> None:
    world.start()
    world.good()

    def taken(plan) -> None:
        world.app().ledger.take("production", "dev", "bob", "rollback", 900, "other")

    from manuel_release import canary  # noqa: PLC0415
    from manuel_release.model.canary_change import CanaryRequest  # noqa: PLC0415

    with pytest.raises(Refused, match="bob"):
        canary.promote(world.app(), CanaryRequest(), world.progress, taken, lambda _: True)
    assert world.stage.canary == Canary(10.0, "r-2")


def test_a_rollback_in_the_middle_of_a_rollout_stops_its_deployments(world) -> None:
    at_half(world)
    world.aws.codedeploy_seconds = 300.0
    slept = world.clock.sleep

    def sleep(seconds: float) -> None:
        slept(seconds)
        if world.aws.deployments.at_work:
            roll_back(world)

    world.clock.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(GateFailed, match="rolled back by somebody else"):
        world.promote()
    assert len(world.aws.deployments.stopped) == len(world.aws.functions.all)
    assert world.live() == {"r-1"}
    assert world.stage.serving == "r-1"
    assert EntryKind.RELEASE_LIVE not in kinds(world)[3:]


def test_a_start_that_died_before_it_was_written_down_is_written_down_by_the_next_one(world) -> None:
    world.aws.gateway.shift("api1", "dev", percent=10.0, release="r-2", at_once=True)

    again = world.start()

    assert again.status is ChangeStatus.NOTHING_TO_DO
    assert world.entries()[-1].kind is EntryKind.CANARY_STARTED
    assert world.states()["r-2"] is ReleaseState.CANARY
    count = len(world.entries())
    world.start()
    assert len(world.entries()) == count, "once"


def test_a_promotion_that_died_before_it_was_written_down_is_written_down_by_the_next_one(world) -> None:
    world.start()
    world.good()
    world.aws.gateway.shift("api1", "dev", percent=50.0)

    assert world.promote(50.0).status is ChangeStatus.NOTHING_TO_DO
    last = world.entries()[-1]
    assert (last.kind, last.details["percent"]) == (EntryKind.CANARY_PROMOTED, 50.0)


@pytest.mark.parametrize(
    "call",
    ["deployments.create", "gateway.shift", "gateway.remove_canary"],
)
def test_a_rollout_that_died_is_gone_on_with_by_the_same_command(world, call) -> None:
    at_half(world)
    world.aws.meanwhile[call] = die
    with pytest.raises(Died):
        world.promote()
    world.wait(1000)  # its lease has ended; CodeDeploy has gone on by itself

    outcome = world.promote()

    assert outcome.percent == 100.0
    assert world.plans[-1].resumed
    assert world.live() == {"r-2"}
    assert world.stage.canary is None
    assert (world.stage.current, world.stage.previous, world.stage.candidate) == ("r-2", "r-1", None)
    assert world.states() == {"r-1": ReleaseState.REPLACED, "r-2": ReleaseState.LIVE}
    assert kinds(world).count(EntryKind.ROLLOUT_STARTED) == 1


def test_deployments_that_an_interrupted_rollout_began_are_followed(world) -> None:
    at_half(world)
    world.aws.codedeploy_seconds = 3000.0
    slept = world.clock.sleep
    world.clock.sleep = lambda _: die()  # type: ignore[method-assign]
    with pytest.raises(Died):
        world.promote()
    world.clock.sleep = slept  # type: ignore[method-assign]
    world.wait(1000)
    made = set(world.aws.deployments.made)

    world.promote()

    assert set(world.aws.deployments.made) == made
    assert world.live() == {"r-2"}


def test_versions_with_other_roles_are_flipped_at_the_api(world) -> None:
    at_half(world)
    name = next(iter(world.aws.functions.all))
    version = world.aws.functions.all[name].aliases["r-2"].version
    world.aws.functions.roles[name, version] = "arn:aws:iam::123456789012:role/new"
    seen: list[Canary | None] = []
    world.aws.meanwhile["deployments.create"] = lambda: seen.append(world.stage.canary)

    outcome = world.promote()

    assert outcome.plan.order == "flip"
    assert "Lambda splits no alias between such versions" in " ".join(outcome.plan.notes)
    assert seen == [Canary(100.0, "r-2")], "all requests before the first alias moves"
    assert {one["config"] for one in world.aws.deployments.asked.values()} == {"CodeDeployDefault.LambdaAllAtOnce"}
    assert world.live() == {"r-2"}
    assert world.stage.canary is None
