"""A canary moved by the real commands on the embedded AWS, counted by those who ask the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from emulator.canary_world import Load
from emulator.gateway_world import World, interval
from emulator.release_world import ReleaseWorld, make_ledger

from manuel_release.cli import root
from manuel_release.rehearsal.process import EmbeddedCloud, Options, client_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.story]

REQUESTS = 2_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        EmbeddedCloud.start(tmp_path_factory.mktemp("cloud"), Options(shift_seconds_per_minute=3.0)) as running,
        World(running) as made,
    ):
        make_ledger(made)
        yield made


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`shell(service, *arguments)` runs the command line against the embedded AWS."""
    for name, value in client_environment(world.endpoint, world.region).items():
        monkeypatch.setenv(name, value)

    def run(service: ReleaseWorld, *arguments: str, code: int = 0) -> Any:
        options = ("--config", str(service.settings), "--env", service.environment, "--output", "json")
        result = CliRunner().invoke(root, [*arguments, *options])
        assert result.exit_code == code, result.output + result.stderr
        return (
            [json.loads(line) for line in result.stdout.splitlines()]
            if "watch" in arguments
            else json.loads(result.stdout)
        )

    return run


@pytest.fixture(scope="module")
def service(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseWorld]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in client_environment(world.endpoint, world.region).items():
            environment.setenv(name, value)
        made = ReleaseWorld(world, tmp_path_factory.mktemp("service"), "fine", "production")
        yield made
        made.close()


def counted(service: ReleaseWorld) -> tuple[int, set[int]]:
    """How many of REQUESTS requests r-2 answered, and with which statuses all were answered."""
    replies = service.world.many(service.api, "/", REQUESTS)
    return sum(reply.json.get("release") == "r-2" for reply in replies), {reply.status for reply in replies}


def test_a_start_gives_a_tenth_of_real_requests(shell, service) -> None:
    answer = shell(service, "canary", "start", "--yes")

    assert (answer["status"], answer["release"], answer["percent"]) == ("done", "r-2", 10.0)
    assert {check["answer"] for check in answer["plan"]["way_back"]["checks"]} == {"green"}
    low, high = interval(REQUESTS, 10)
    hits, statuses = counted(service)
    assert statuses == {200}
    assert low <= hits <= high


def test_a_promotion_without_a_verdict_is_refused(shell, service) -> None:
    refused = shell(service, "canary", "promote", "50", "--yes", code=3)

    assert "the verdict on r-2 is cannot tell yet" in refused["error"]["message"]
    assert "--override REASON" in refused["error"]["hint"]


def test_half_of_real_requests_after_a_promotion(shell, service) -> None:
    answer = shell(service, "canary", "promote", "50", "--yes", "--override", "counting requests")

    assert (answer["percent"], answer["plan"]["override"]) == (50.0, "counting requests")
    assert answer["plan"]["worst_case"].startswith("If the canary is as bad as it could still be")
    low, high = interval(REQUESTS, 50)
    hits, statuses = counted(service)
    assert statuses == {200}
    assert low <= hits <= high


def test_a_rollout_under_load_loses_no_request(shell, service) -> None:
    with Load(service) as load:
        answer = shell(service, "canary", "promote", "--yes", "--override", "counting requests")

    assert (answer["percent"], answer["plan"]["order"]) == (100.0, "gradual")
    assert {status for _, status in load.seen} == {200}
    assert {release for release, _ in load.seen} == {"r-1", "r-2"}
    assert service.world.get(service.api, "/").json == {"release": "r-2"}
    shown = service.world.shown(service.api)
    assert "canarySettings" not in shown
    wanted = {"release": "live", "current": "r-2", "previous": "r-1", "candidate": "none"}
    assert {name: shown["variables"][name] for name in wanted} == wanted
