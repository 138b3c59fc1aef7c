"""A stage's canary gets its share of real requests, drawn anew for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from emulator.gateway_world import World, interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

REQUESTS = 2_000


@pytest.fixture(scope="module")
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture(scope="module")
def api(world: World) -> str:
    made = world.api()
    world.proxy(made, "/", world.function(versions=2) + ":${stageVariables.release}")
    world.stage(made, variables={"release": "r-1"})
    return made


@pytest.mark.parametrize("percent", [10, 50])
def test_the_canarys_share_of_2000_requests_is_inside_the_binomial_interval(world, api, percent):
    world.patch(
        api,
        ("replace", "/canarySettings/percentTraffic", str(percent)),
        ("replace", "/canarySettings/stageVariableOverrides/release", "r-2"),
    )
    replies = world.many(api, "/", REQUESTS)
    assert {reply.status for reply in replies} == {200}
    told = [reply.json for reply in replies]
    assert {(said["version"], said["canary"]) for said in told} == {("1", False), ("2", True)}
    low, high = interval(REQUESTS, percent)
    assert low <= sum(said["canary"] for said in told) <= high


def test_the_interval_is_the_exact_binomial_one():
    assert interval(10, 50, confidence=0.95) == (2, 8)
    assert interval(REQUESTS, 50) == (891, 1109)
