"""Observing a step to its end, as the pipeline does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release import canary, observing
from manuel_release.errors import Refused
from manuel_release.judging import observation
from manuel_release.model.canary_change import CanaryRequest
from manuel_release.model.entry import EntryKind
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Alarm

if TYPE_CHECKING:
    from manuel_release.observing import Observed


def observe(world, looks: list[Any] | None = None, **options: Any) -> Observed:
    warned: list[str] = []
    seen = looks if looks is not None else []
    return observing.observe(world.app(**options), seen.append, warned.append, world.progress)


def heartbeat(world):
    return world.app().ledger.heartbeat("production", "dev")


def test_a_good_canary_ends_the_step_and_leaves_people_the_time_of_a_gate(world) -> None:
    world.start()
    began = world.clock.at
    looks: list[Any] = []

    end = observe(world, looks)

    assert end.exit_code == 0
    assert end.next_command == "manuel-release canary promote 50 --env production"
    assert timedelta(seconds=300) <= world.clock.at - began < timedelta(seconds=900), "good, and the least time is over"
    words = [one.word for one in looks]
    assert words == sorted(words), "it could not be told, and then it was good"
    assert heartbeat(world).until - world.clock.at == timedelta(hours=2)


def test_every_step_is_observed_for_its_least_time_however_good_the_one_before_was(world) -> None:
    world.start()
    observe(world)
    canary.promote(world.app(), CanaryRequest(percent=50), world.progress, lambda _: None, lambda _: True)
    began = world.clock.at

    assert observe(world).exit_code == 0
    assert world.clock.at - began >= timedelta(seconds=300)


def test_judged_intervals_are_kept_and_another_observer_comes_to_the_same_verdict(world) -> None:
    world.start()
    looks: list[Any] = []
    observe(world, looks)
    kept = world.app().ledger.counts("production", "r-2")

    again = observation(world.app(), world.app().environment, lambda _: None).observer.look(world.clock.at)

    assert len(kept) > 5
    assert again.verdict == looks[-1].verdict
    assert again.verdict.canary.requests > 0


def test_a_verdict_goes_on_from_the_ledger_when_cloudwatch_has_forgotten(world) -> None:
    world.start()
    observe(world)
    world.wait(4 * 3600)

    status = observation(world.app(), world.app().environment, lambda _: None).observer.look(world.clock.at)

    early = sum(payload["canary"]["requests"] for _, payload in world.app().ledger.counts("production", "r-2")[1:])
    assert status.verdict.canary.requests > early
    assert status.started_at < world.clock.at - timedelta(hours=4)


def test_a_bad_canary_is_rolled_back_before_the_observation_ends(world) -> None:
    world.start()
    world.traffic.bad_percent = 20.0

    end = observe(world)

    assert end.exit_code == 5
    assert end.receipt.to_release == "r-1"
    assert world.stage.canary is None or world.stage.canary.percent == 0
    assert world.states()["r-2"] is ReleaseState.ROLLED_BACK
    back = next(e for e in world.entries() if e.kind is EntryKind.ROLLBACK_STARTED)
    assert back.details["trigger"] == "verdict"
    assert "5xx" in back.reason


def test_without_enough_traffic_the_step_ends_after_its_time(world) -> None:
    world.traffic.per_second = 0.5
    world.start()
    began = world.clock.at

    end = observe(world)

    assert end.exit_code == 8
    assert abs((world.clock.at - began).total_seconds() - 900) < 20
    assert "canary extend 15m" in end.next_command


def test_an_extension_is_taken_up_while_one_observes(world) -> None:
    world.traffic.per_second = 0.5
    world.start()
    began = world.clock.at
    slept, asked = world.clock.sleep, []

    def sleep(seconds: float) -> None:
        slept(seconds)
        if not asked and world.clock.at - began > timedelta(seconds=300):
            asked.append(canary.extend(world.app(), CanaryRequest(), 600.0))

    world.clock.sleep = sleep  # type: ignore[method-assign]
    assert observe(world).exit_code == 8
    assert abs((world.clock.at - began).total_seconds() - 1500) < 20


def test_a_rollback_by_somebody_else_ends_it_with_5(world) -> None:
    world.traffic.per_second = 0.5
    world.start()
    slept, done = world.clock.sleep, []

    def sleep(seconds: float) -> None:
        slept(seconds)
        if not done:
            done.append(True)
            stage = world.stage
            world.aws.gateway.shift("api1", stage.name, percent=0.0, release="r-1")
            from manuel_release.perform import Recorder  # noqa: PLC0415

            Recorder(world.app(), "production", "dev", "r-2", "bad")(EntryKind.ROLLBACK_STARTED, to="r-1")

    world.clock.sleep = sleep  # type: ignore[method-assign]
    assert observe(world).exit_code == 5


@pytest.mark.parametrize("red", [False, True])
def test_after_100_percent_the_releases_alarms_decide(world, red) -> None:
    world.start()
    world.good()
    world.promote()
    world.good()
    world.promote()
    began = world.clock.at
    if red:
        world.aws.alarms.all = (Alarm("manuel-prod-r-2-5xx", "arn", "ALARM", "6 errors"),)

    end = observe(world)

    if red:
        assert heartbeat(world).until > heartbeat(world).at, "nobody found it proven"
        assert (end.exit_code, end.receipt.to_release) == (5, "r-1")
        assert "manuel-prod-r-2-5xx: 6 errors" in end.message
    else:
        assert end.exit_code == 0
        assert 1790 <= (world.clock.at - began).total_seconds() <= 1800
        assert heartbeat(world).until == heartbeat(world).at == world.clock.at, "its trial is over"


@pytest.mark.parametrize("share", [10, 100])
def test_another_release_than_the_one_that_was_meant_is_not_observed(world, share) -> None:
    world.start()
    while share == 100 and world.stage.current != "r-2":
        world.good()
        world.promote()

    with pytest.raises(Refused, match="r-2 is on trial in production and not r-1, which was to be observed"):
        observing.observe(world.app(), lambda _: None, lambda _: None, world.progress, "r-1")

    assert observing.observe(world.app(), lambda _: None, lambda _: None, world.progress, "r-2").exit_code == 0
