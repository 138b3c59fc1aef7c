"""`rollback` as typed, at every moment of a release's life, on the embedded AWS and under load.

One story: each test begins where `reset` puts the service.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from emulator.canary_world import Load
from emulator.gateway_world import World
from emulator.release_world import make_ledger
from emulator.rollback_moments import MOMENTS, Moment, Production, at

from manuel_release.rehearsal.process import EmbeddedCloud, Options, client_environment, scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("rollback")
    with (
        EmbeddedCloud.start(folder / "cloud", Options(shift_seconds_per_minute=3.0)) as running,
        World(running) as world,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in client_environment(world.endpoint, world.region).items():
            environment.setenv(name, value)
        make_ledger(world)
        made = Production(world, folder, "fine", "production")
        made.make_account()
        yield made
        made.close()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def typed(service: Production, cache: Path) -> Callable[..., Any]:
    """`typed(*arguments)` runs the command in a process of its own; its JSON, and what it said meanwhile."""

    def run(*arguments: str, code: int = 0, home: Path = cache, **variables: str) -> tuple[Any, str]:
        environment = scrubbed(dict(os.environ))
        environment |= client_environment(service.world.endpoint, service.world.region)
        environment |= {"XDG_CACHE_HOME": str(home), **variables}
        command = [sys.executable, "-P", "-m", "manuel_release", "rollback"]
        done = subprocess.run(
            [*command, "--config", str(service.settings), "--output", "json", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout), done.stderr

    return run


def test_the_first_rollback_of_a_machine_looks_the_api_up_and_remembers_it(service, typed, cache) -> None:
    service.reset()
    service.start_canary(10)

    answer, told = typed("--no-probe")

    assert answer["api_calls_before_restored"] == 3
    assert list(cache.rglob("*.json"))
    assert "traffic restored in" in told
    assert "(3 API calls): r-1 serves instead of r-2" in told


QUICK = [one for one in MOMENTS if not one.cold and not one.variables]


@pytest.mark.parametrize("moment", QUICK, ids=lambda one: one.name)
def test_traffic_is_back_after_two_calls_and_the_rest_is_put_right(service, typed, moment: Moment) -> None:
    with at(service, moment):
        answer, _ = typed("--no-probe", *moment.arguments, code=moment.code)

        assert (answer["from_release"], answer["to_release"]) == ("r-2", "r-1")
        assert answer["api_calls_before_restored"] == moment.calls
        assert answer["left"] == []
        assert service.live() == ("1", {})
        assert service.shares() | {"rolled_back": ""} == {
            "release": "live",
            "current": "r-1",
            "previous": "none",
            "candidate": "none",
            "rolled_back": "",
        }
        assert service.answers() == {"r-1"}


def test_the_stack_was_restored_where_that_was_asked_for(service) -> None:
    assert service.world.resource(service.stack, "Note")


def test_under_load_no_request_fails_and_the_probe_sees_the_last_bad_answer(service, typed) -> None:
    for _ in range(8):  # traffic may be back before the lot sends the probe's first request to the canary
        service.reset()
        service.start_canary(50)
        with Load(service) as load:
            answer, _ = typed()
        assert {status for _, status in load.seen} == {200}
        assert answer["bad_release_is_gone"]
        if answer["bad_responses"]:
            break

    assert answer["bad_responses"] > 0
    assert answer["good_responses"] >= 100
    assert 0 < answer["seconds_to_last_bad_response"] <= answer["seconds_to_traffic_restored"] + 1
    assert answer["bad_requests"] > 0


def test_without_a_ledger_traffic_is_back_and_the_next_run_does_the_rest(service, typed, tmp_path) -> None:
    service.reset()
    service.complete()
    ssm = service.world.client("ssm")
    name = {"Name": "/manuel/operations/ledger", "Type": "String", "Overwrite": True}
    ssm.put_parameter(**name, Value="gone")
    first, _ = typed("--no-probe", code=6, home=tmp_path)
    assert service.answers() == {"r-1"}
    assert service.shares()["release"] == "r-1"
    ssm.put_parameter(**name, Value="manuel-releases")

    second, _ = typed("--no-probe", home=tmp_path)

    assert first["traffic_restored"]
    assert any("ledger" in one or "gone" in one for one in first["left"])
    assert (second["from_release"], second["to_release"], second["left"]) == ("r-2", "r-1", [])
    assert service.shares()["release"] == "live"


def test_the_incident_keeps_the_receipt(service) -> None:
    incidents = service.ledger().incidents("production")

    assert incidents
    assert incidents[0].receipt["environment"] == "production"
