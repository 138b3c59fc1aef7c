"""Pruning at the end of a deploy, on an AWS in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from deploy_world import World

from manuel_release import pruning
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.plan import Refusal
from manuel_release.model.traffic import Alarm
from manuel_release.plan.rollback import named
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

KEEP = 3
FUNCTION = "manuel-health-dev"


class Keeping(World):
    """dev, whose settings keep so many releases."""

    keep = KEEP

    def app(self, **options):
        app = super().app(**options)
        app.__dict__["settings"] = replace(app.settings, retained_releases=self.keep)
        app.now = self._now
        return app

    def _now(self) -> datetime:
        self.clock.sleep(0.001)  # two entries of the ledger are never of the same moment
        return self.clock.now()

    def releases(self, count: int):
        """Deploy so many different releases; the last outcome."""
        for number in range(count):
            self.artifact(f"code {number}")
            outcome = self.deploy()
        return outcome

    @property
    def function(self):
        return self.aws.functions.all[FUNCTION]

    def pruned(self) -> list[str]:
        entries = self.app().ledger.entries("dev")
        return [name for e in entries if e.kind is EntryKind.RELEASES_PRUNED for name in e.details["releases"]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeping:
    return Keeping(tmp_path, monkeypatch)


def test_the_newest_releases_are_kept_with_their_versions_and_version_1(world: Keeping) -> None:
    world.releases(6)

    assert set(world.function.aliases) == {"live", "r-4", "r-5", "r-6"}
    assert set(world.function.versions) == {"1", "4", "5", "6"}
    assert world.pruned() == ["r-1", "r-2", "r-3"]
    assert world.live() == {"r-6"}


def test_alarms_of_a_pruned_release_are_deleted_and_those_of_others_are_not(world: Keeping) -> None:
    mine, others = "manuel-dev-r-1-errors", "manuel-dev-r-10-errors"
    world.aws.alarms.all = tuple(Alarm(name, f"arn:{name}", "OK") for name in (mine, others))

    world.releases(4)

    assert [alarm.name for alarm in world.aws.alarms.all] == [others]


def test_what_was_pruned_is_the_last_step_of_the_deploy_and_none_where_nothing_is(world: Keeping) -> None:
    assert pruning.TITLE not in [step.title for step in world.releases(KEEP).results]

    world.artifact("one more")
    last = world.deploy().results[-1]

    assert (last.title, last.status, last.detail) == (pruning.TITLE, "done", "r-1")


def test_a_deploy_whose_pruning_fails_has_not_failed_and_the_next_one_tries_again(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(function: str, name: str) -> None:
        raise ReleaseError("AccessDenied: lambda:DeleteAlias")

    world.releases(KEEP)
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", denied)
        world.artifact("one more")
        outcome = world.deploy()

    assert outcome.status is OutcomeStatus.LIVE
    assert outcome.results[-1].status == "skipped"
    assert "AccessDenied: lambda:DeleteAlias" in outcome.results[-1].detail
    assert "r-1" in world.function.aliases
    assert world.pruned() == ["r-1"]

    world.artifact("and another")
    world.deploy()
    assert world.pruned() == ["r-1", "r-2"]
    assert "r-1" not in world.function.aliases


def test_what_is_written_down_before_a_failure_is_deleted_next_time_with_the_rest(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(function: str, name: str) -> None:
        if name == "r-2":
            raise ReleaseError("AccessDenied: lambda:DeleteAlias")
        usual(function, name)

    world.keep = 10
    world.releases(4)
    world.keep, usual = 1, world.aws.functions.delete_alias
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", deny)
        world.artifact("one more")
        world.deploy()

    assert world.pruned() == ["r-1", "r-2"]
    world.artifact("and another")
    world.deploy()
    assert world.pruned() == ["r-1", "r-2", "r-3", "r-4"]
    assert set(world.function.aliases) == {"live", "r-5", "r-6"}
    assert set(world.function.versions) == {"1", "5", "6"}


def test_a_release_that_a_rollback_goes_to_meanwhile_is_left(world: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    world.releases(4)
    stages, usual = world.aws.gateway.stages, world.aws.functions.delete_alias

    def rolled_back_meanwhile(function: str, name: str) -> None:
        usual(function, name)
        stages["api1"] = replace(stages["api1"], variables={**stages["api1"].variables, "release": "r-3"})

    world.keep = 1
    world.artifact("one more")
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", rolled_back_meanwhile)
        world.deploy()

    assert world.pruned() == ["r-1", "r-2"]
    assert "r-3" in world.function.aliases


def test_no_rollback_is_sent_to_a_release_whose_pruning_died_half_way(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = world.aws.functions.delete_alias

    def dies_after_one(function: str, name: str) -> None:
        usual(function, name)
        raise KeyboardInterrupt

    world.releases(KEEP)
    world.artifact("one more")
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", dies_after_one)
        with pytest.raises(KeyboardInterrupt):
            world.deploy()
    assert len([one for one in world.aws.functions.all.values() if "r-1" in one.aliases]) == 1

    known = releases(world.app().ledger.entries("dev"))
    refused = named("r-1", known, "dev", insist=True)
    assert isinstance(refused, Refusal)
    assert "its aliases were deleted" in refused.reason


def test_the_next_deploy_finishes_a_pruning_that_died_although_it_has_nothing_else_to_prune(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(function: str, name: str) -> None:
        raise KeyboardInterrupt

    world.releases(KEEP)
    world.artifact("one more")
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", dies)
        with pytest.raises(KeyboardInterrupt):
            world.deploy()

    world.keep = 10
    world.artifact("and another")
    last = world.deploy().results[-1]

    assert (last.title, last.status, last.detail) == (pruning.TITLE, "done", "r-1")
    assert {name for one in world.aws.functions.all.values() for name in one.aliases if name == "r-1"} == set()
    assert world.pruned() == ["r-1"]


def test_what_is_left_over_of_a_release_that_the_stage_names_again_is_not_deleted(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(function: str, name: str) -> None:
        raise ReleaseError("AccessDenied: lambda:DeleteAlias")

    world.releases(KEEP)
    world.artifact("one more")
    with monkeypatch.context() as patched:
        patched.setattr(world.aws.functions, "delete_alias", denied)
        world.deploy()
    stage = world.aws.gateway.stages["api1"]
    world.aws.gateway.stages["api1"] = replace(stage, variables={**stage.variables, "rescue": "r-1"})

    world.artifact("and another")
    world.deploy()

    assert "r-1" in world.function.aliases
