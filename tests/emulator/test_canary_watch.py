"""A canary that was set by hand, watched: counts of both arms from real requests, and a regression that is found."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from emulator.canary_world import CanaryWorld, Load
from emulator.gateway_world import World

from manuel_release.cli import root
from manuel_release.rehearsal.process import EmbeddedCloud, Options, client_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.story]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        EmbeddedCloud.start(tmp_path_factory.mktemp("cloud"), Options()) as running,
        World(running) as made,
    ):
        yield made


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`shell(service, *arguments)` runs the command line against the embedded AWS."""
    for name, value in client_environment(world.endpoint, world.region).items():
        monkeypatch.setenv(name, value)

    def run(service: CanaryWorld, *arguments: str) -> Any:
        return CliRunner().invoke(root, [*arguments, "--config", str(service.settings)])

    return run


@pytest.fixture(scope="module")
def crashing(world: World, tmp_path_factory: pytest.TempPathFactory) -> CanaryWorld:
    """Its canary raises before it writes anything; made first, because AWS's own metrics take a minute."""
    made = CanaryWorld(world, tmp_path_factory.mktemp("crashing"), "crashes")
    made.start_canary(50)
    made.seen = made.send(60)
    return made


@pytest.fixture(scope="module")
def missing(world: World, tmp_path_factory: pytest.TempPathFactory) -> CanaryWorld:
    """Its canary names a release that the function has no alias of."""
    made = CanaryWorld(world, tmp_path_factory.mktemp("missing"), "fine")
    made.start_canary(50, "r-9")
    time.sleep(1.0)  # the access log is read from the next second on
    made.seen = made.send(60)
    return made


def test_without_a_canary_there_is_nothing_to_watch(world, shell, tmp_path, crashing, missing) -> None:
    service = CanaryWorld(world, tmp_path, "fine")

    result = shell(service, "canary", "status")

    assert result.exit_code == 1
    assert "production (prod) has no canary" in result.stderr
    assert "manuel-release status --env production" in result.stderr


def test_counts_of_both_arms_are_what_the_load_generator_saw(world, shell, tmp_path) -> None:
    service = CanaryWorld(world, tmp_path, "fine")
    before = service.send(40)
    service.start_canary(50)
    time.sleep(1.0)  # the stage remembers whole seconds; what comes before the next one is warm-up
    sent = service.send(80) + service.send(30, {"mood": "lost"})
    deadline = time.monotonic() + 20

    def counted() -> Any:
        return json.loads(shell(service, "canary", "status", "--output", "json").stdout)

    document = counted()
    while sum(arm["requests"] for arm in document["arms"].values()) < 110 and time.monotonic() < deadline:
        document = counted()
    arms = document["arms"]
    assert before == {("r-1", 200): 40}
    for arm, release in (("stable", "r-1"), ("canary", "r-2")):
        assert arms[arm]["requests"] == sent[release, 200] + sent[release, 404]
        assert arms[arm]["errors_4xx"] == sent[release, 404]
        assert arms[arm]["errors_5xx"] == 0
        assert 0 < arms[arm]["p95_ms"] <= 50
    assert document["blast_radius"] == {"canary_requests": arms["canary"]["requests"], "canary_failures": 0}
    assert (document["release"], document["stable_release"], document["desired_percent"]) == ("r-2", "r-1", 50.0)
    assert document["verdict"]["value"] == "cannot_tell_yet"


def test_a_planted_regression_ends_the_watch_with_5(world, shell, tmp_path) -> None:
    service = CanaryWorld(world, tmp_path, "breaks")
    service.start_canary(50)

    with Load(service) as load:
        result = shell(service, "canary", "watch", "--timeout", "40s")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 5, result.stderr
    assert lines[-1]["verdict"]["value"] == "bad"
    assert "5xx" in lines[-1]["verdict"]["sentence"]
    assert {line["verdict"]["value"] for line in lines[:-1]} <= {"cannot_tell_yet", "bad"}
    seconds = [line["observed_seconds"] for line in lines[:-1]]
    assert seconds == sorted(set(seconds)), "one line for every look at new intervals"
    assert lines[-1]["next_command"] == "manuel-release rollback --env production"
    assert 0 < lines[-1]["blast_radius"]["canary_failures"] <= load.seen["r-2", 503]


def failed(shell: Callable[..., Any], service: CanaryWorld) -> Any:
    """The status as soon as it counts failures: AWS's own metrics of the minute are there."""
    deadline = time.monotonic() + 75
    while True:
        document = json.loads(shell(service, "canary", "status", "--output", "json").stdout)
        if document["arms"]["canary"]["errors_5xx"] or time.monotonic() > deadline:
            return document
        time.sleep(0.5)


def test_failures_that_no_embedded_metric_shows_are_counted_from_awss_own(shell, crashing) -> None:
    document = failed(shell, crashing)

    crashed = crashing.seen["", 502]
    assert crashed > 5
    assert document["arms"]["canary"] == {"requests": crashed, "errors_4xx": 0, "errors_5xx": crashed, "p95_ms": None}
    assert document["arms"]["stable"]["errors_5xx"] == 0
    assert document["verdict"]["value"] == "bad"


def test_failures_that_reach_no_function_are_counted_from_the_access_log(shell, missing) -> None:
    document = failed(shell, missing)

    lost = missing.seen["", 500]
    assert lost > 5
    assert document["arms"]["canary"]["errors_5xx"] == lost
    assert document["arms"]["stable"]["errors_5xx"] == 0
    assert document["verdict"]["value"] == "bad"
