"""Until when a canary is looked after: what the guard goes by."""

from __future__ import annotations

from datetime import timedelta

from unit.canary.test_observing import observe

from manuel_release.canary_perform import beat


def until(world):
    return world.app().ledger.heartbeat("production", "dev").until - world.clock.at


def test_a_raised_share_is_to_be_observed_however_long_people_had_for_the_one_before(world) -> None:
    world.start()
    observe(world)
    assert until(world) == timedelta(hours=2)

    world.promote()

    assert timedelta(0) < until(world) <= timedelta(seconds=180)


def test_a_canary_that_is_started_again_is_to_be_observed_again(world) -> None:
    world.start()
    beat(world.app(), "dev", "r-2", world.clock.at + timedelta(hours=2))
    world.abort()

    world.start()

    assert timedelta(0) < until(world) <= timedelta(seconds=180)


def test_somebody_who_only_looks_does_not_shorten_the_time_that_people_have(world) -> None:
    world.start()
    beat(world.app(), "dev", "r-2", world.clock.at + timedelta(hours=2))

    beat(world.app(), "dev", "r-2", world.clock.at + timedelta(seconds=180))

    assert until(world) == timedelta(hours=2)
