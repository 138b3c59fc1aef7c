"""Two people on one environment, in processes of their own: one acts, the other is told; and what is never deleted."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from emulator.desk_world import Desk
from emulator.gateway_world import World
from emulator.release_world import ReleaseWorld, make_ledger

from manuel_release.app import App
from manuel_release.apply.context import Context
from manuel_release.model.entry import Entry, EntryKind, Quarantine
from manuel_release.model.options import GlobalOptions
from manuel_release.observe.service import service_of
from manuel_release.perform import Recorder
from manuel_release.pruning import prune_after_deploy
from manuel_release.record import entry_id
from manuel_release.rehearsal.process import EmbeddedCloud, Options, client_environment
from manuel_release.view.progress import NoProgress

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.story]

PATIENCE_SECONDS = 60.0


class Person(Desk):
    """Runs commands on one environment's service, in processes of their own."""

    def __init__(self, cloud: EmbeddedCloud, service: ReleaseWorld) -> None:
        super().__init__(service.settings.parent, cloud)
        self.service = service

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        options = ("--config", str(self.service.settings), "--env", self.service.environment, "--output", "json")
        return super().start(*arguments, *options, "--yes", **variables)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    options = Options(shift_seconds_per_minute=5.0)
    with EmbeddedCloud.start(tmp_path_factory.mktemp("cloud"), options) as running:
        yield running


@pytest.fixture(scope="module")
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        make_ledger(made)
        yield made


@pytest.fixture(scope="module")
def service(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ReleaseWorld]]:
    """`service(environment)`: r-1 live, r-2 staged; one for each environment."""
    made: dict[str, ReleaseWorld] = {}

    def of(environment: str) -> ReleaseWorld:
        if environment not in made:
            made[environment] = ReleaseWorld(world, tmp_path_factory.mktemp("service"), "fine", environment)
        return made[environment]

    yield of
    for one in made.values():
        one.close()


@pytest.fixture
def signed_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in client_environment(world.endpoint, world.region).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def production(cloud: EmbeddedCloud, service, signed_in: None) -> Person:
    return Person(cloud, service("production"))


@pytest.fixture
def staging(cloud: EmbeddedCloud, service, signed_in: None) -> Person:
    return Person(cloud, service("staging"))


def kinds(one: ReleaseWorld) -> list[EntryKind]:
    return [entry.kind for entry in one.ledger().entries(one.environment)]


def test_of_two_who_start_at_the_same_moment_one_does_it_and_it_is_done_once(production: Person) -> None:
    both = [production.start("canary", "start") for _ in range(2)]

    ran = [production.ended(process) for process in both]

    assert sorted(one.code for one in ran) in ([0, 0], [0, 3])
    assert [one.answer["status"] for one in ran if one.code == 0].count("done") == 1
    for late in (one.answer for one in ran if one.code == 3):
        assert "is being changed by" in late["error"]["message"]
    assert kinds(production.service).count(EntryKind.CANARY_STARTED) == 1
    canary = production.service.world.shown(production.service.api)["canarySettings"]
    assert (canary["percentTraffic"], canary["stageVariableOverrides"]) == (10.0, {"release": "r-2"})


def test_while_one_rolls_out_the_other_is_told_who_since_when_why_and_how_to_take_over(production: Person) -> None:
    rolling_out = production.start(
        "canary", "promote", "100", "--allow-step", "--override", "a rehearsal", "--reason", "the fair opens"
    )
    held = leases(production)

    refused = production.run("canary", "abort")

    assert refused.code == 3
    error, (lease,) = refused.answer["error"], held
    since = datetime.fromisoformat(lease["taken_at"])
    assert error["message"] == (
        f"production (prod) is being changed by {lease['holder']} since {since:%Y-%m-%d %H:%M:%S} UTC: "
        f"{lease['reason']}"
    )
    assert 'manuel-release lease take --env production --reason "WHY"' in error["hint"]
    done = production.ended(rolling_out)
    assert (done.code, done.answer["status"], done.answer["percent"]) == (0, "done", 100.0)
    assert production.service.shares()["current"] == "r-2"
    assert production.run("lease", "show").answer["leases"] == []


def leases(person: Person) -> list[dict[str, Any]]:
    """The leases as soon as there are any; raises AssertionError when there are none for too long."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        ledger = person.service.ledger()
        found = ledger.leases(person.service.environment)
        if found:
            return [{"holder": one.holder, "reason": one.reason, "taken_at": one.taken_at.isoformat()} for one in found]
        time.sleep(0.05)
    raise AssertionError("nobody took the lease")


def test_a_lease_whose_process_died_is_taken_over_and_used_by_the_next_command(staging: Person) -> None:
    ledger = staging.service.ledger()
    dead = ledger.acquire("staging", "prod", "jane (jane@a-laptop-in-a-lake)", "deploy abc1234", 3600, "hers")
    assert staging.run("canary", "start").code == 3

    taken = staging.run("lease", "take", "--reason", "her laptop is in the lake")
    started = staging.run("canary", "start")

    assert taken.answer["previous_lease"]["holder"] == dead.holder
    assert (started.code, started.answer["status"]) == (0, "done")
    (entry,) = [one for one in ledger.entries("staging") if one.kind is EntryKind.LEASE_TAKEN]
    assert (entry.details["holder"], entry.reason) == (dead.holder, "her laptop is in the lake")
    assert staging.run("canary", "abort").code == 0


def test_code_that_was_rolled_back_in_one_environment_is_refused_in_another_until_it_is_lifted(staging: Person) -> None:
    ledger, code = staging.service.ledger(), f"{staging.service.stack}-code-2"
    ledger.quarantine(Quarantine(code, "r-7", "production", "the guard", "5xx > 5 in 5 min", datetime.now(UTC)))

    refused = staging.run("canary", "start")

    assert refused.code == 3
    assert "rolled back as r-7 in production: 5xx > 5 in 5 min" in refused.answer["error"]["message"]
    assert "manuel-release quarantine lift" in refused.answer["error"]["hint"]
    lifted = staging.run("quarantine", "lift", code, "--reason", "it was the network")
    assert (lifted.code, lifted.answer["quarantine"]["release"]) == (0, "r-7")
    assert staging.run("canary", "start").code == 0


def test_pruning_deletes_what_nobody_can_go_back_to_and_keeps_every_target(production: Person) -> None:
    one = production.service
    functions, name = one.world.functions, one.name
    for number in range(3, 8):
        one._release(f"r-{number}", "fine")
        version = functions.get_alias(FunctionName=name, Name=f"r-{number}")["FunctionVersion"]
        kind = EntryKind.DEPLOY_FAILED if number in {4, 6} else EntryKind.RELEASE_LIVE
        at = datetime.now(UTC) - timedelta(seconds=60 - number)
        details = {"versions": {name: version}}
        one.ledger().append(Entry(entry_id(at), "production", "prod", at, kind, f"r-{number}", "test", "", details))
    one.world.patch(one.api, ("replace", "/variables/current", "r-7"), ("replace", "/variables/previous", "r-5"))
    one.world.patch(one.api, ("replace", "/variables/candidate", "r-4"))
    app = App(GlobalOptions(environment="production", config=str(one.settings)), screen=None)  # type: ignore[arg-type]
    settings = replace(app.settings, retained_releases=2)
    context = Context(app.aws, settings, NoProgress(), app.now, app.sleep, one.world.region)

    (result,) = prune_after_deploy(
        Recorder(app, "production", "prod", "r-7", ""), context, service_of(app.aws, one.stack)
    )
    app.aws.close()

    assert (result.status, result.detail) == ("done", "r-1, r-3")
    aliases = {each["Name"]: each["FunctionVersion"] for each in functions.list_aliases(FunctionName=name)["Aliases"]}
    assert set(aliases) == {"live", "r-2", "r-4", "r-5", "r-6", "r-7"}
    versions = {each["Version"] for each in functions.list_versions_by_function(FunctionName=name)["Versions"]}
    assert versions == {"$LATEST", "1", *aliases.values()}
    history = production.run("history").answer["releases"]
    assert {each["release"] for each in history if each["pruned_at"]} == {"r-1", "r-3"}
