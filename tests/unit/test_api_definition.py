"""A deploy after a rollback that restored an older definition of the API: the stage serves the stack's own again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from deploy_world import World

from manuel_release.errors import GateFailed, Refused, ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.plan import ExecuteChangeSet, PublishRelease, UseApiDeployment, WriteStageVariables
from manuel_release.model.stack import API_DEPLOYMENT, Resource
from manuel_release.model.traffic import Canary
from manuel_release.observe.service import api_deployment_of

if TYPE_CHECKING:
    from pathlib import Path

RESTORED, OWN = "d-restored", "d-own"


def held(physical_id: str, status: str = "CREATE_COMPLETE") -> Resource:
    return Resource(f"ApiDeployment{physical_id}", physical_id, API_DEPLOYMENT, status)


class Restored(World):
    """r-1 and r-2 held 100 %; a rollback put the stage on another definition than the stack's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, environment: str = "dev") -> None:
        super().__init__(folder, monkeypatch, environment)
        self.deploy()
        self.clock.sleep(1)  # two entries of the ledger are never of the same moment
        self.artifact("two")
        others = self.aws.stacks.resources
        self.aws.stacks.resources = lambda name: (*others(name), held(OWN))  # type: ignore[method-assign]
        self.serve(RESTORED)
        self.aws.calls.clear()

    def serve(self, deployment: str) -> None:
        self.aws.gateway.stages["api1"] = replace(self.aws.gateway.stages["api1"], deployment_id=deployment)

    @property
    def served(self) -> str:
        return self.aws.gateway.stages["api1"].deployment_id


@pytest.fixture(params=["dev", "production"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restored:
    return Restored(tmp_path / "artifact", monkeypatch, request.param)


def test_the_stage_serves_the_stacks_own_definition_again_and_the_ledger_says_so(world: Restored) -> None:
    world.deploy()

    assert world.served == OWN
    started, ended = world.app().ledger.entries(world.environment)[-2:]
    assert UseApiDeployment.title in started.details["steps"]
    assert ended.details["api_deployment_id"] == OWN
    assert {kind for kind in world.kinds() if kind is EntryKind.DEPLOY_FAILED} == set()


def test_it_is_moved_right_after_the_stack_where_an_update_of_the_api_would_have_moved_it(world: Restored) -> None:
    world.deploy()

    kinds = [type(step) for step in world.shown[-1].steps]
    assert kinds[:4] == [WriteStageVariables, ExecuteChangeSet, UseApiDeployment, PublishRelease]


def test_a_dry_run_shows_it_with_what_it_means_and_moves_nothing(world: Restored) -> None:
    outcome = world.deploy(dry_run=True)

    assert outcome.status is OutcomeStatus.PLANNED
    assert UseApiDeployment("manuel-dev").title in [step.title for step in world.shown[-1].steps]
    assert any(RESTORED in warning and "all requests at once" in warning for warning in world.shown[-1].warnings)
    assert world.served == RESTORED


def test_a_stage_on_the_stacks_own_definition_is_left_alone(world: Restored) -> None:
    world.serve(OWN)
    world.deploy()

    assert not [step for step in world.shown[-1].steps if isinstance(step, UseApiDeployment)]
    assert world.shown[-1].warnings == ()
    assert "use_deployment" not in world.aws.calls


def test_what_the_stack_update_has_moved_already_is_not_moved_again(world: Restored) -> None:
    world.aws.stack_seconds = 30.0
    execute = world.aws.stacks.execute

    def moved(change_set_id: str, token: str) -> None:
        execute(change_set_id, token)
        world.serve(OWN)

    world.aws.stacks.execute = moved  # type: ignore[method-assign]
    outcome = world.deploy()

    (result,) = [one for one in outcome.results if one.title == UseApiDeployment.title]
    assert result.status == "skipped"
    assert "use_deployment" not in world.aws.calls


def test_a_canary_keeps_the_definition_that_it_was_started_with(world: Restored) -> None:
    stage = world.aws.gateway.stages["api1"]
    world.aws.gateway.stages["api1"] = replace(stage, canary=Canary(10.0, "r-1"))

    with pytest.raises(Refused, match="a canary is active"):
        world.deploy()
    assert world.served == RESTORED


def test_a_release_that_is_taken_back_takes_the_definition_back_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Restored(tmp_path / "artifact", monkeypatch)
    answer = world._answer

    def only_the_old_one_answers(url: str, timeout: float = 0) -> object:
        world.health_is_up = world.live() == {"r-1"}
        return answer(url, timeout)

    monkeypatch.setattr("manuel_release.apply.stage.ask", only_the_old_one_answers)
    with pytest.raises(GateFailed, match="r-1 serves again"):
        world.deploy()

    assert world.aws.calls.count("use_deployment") == 2
    assert world.served == RESTORED


def test_a_release_that_fails_before_it_has_traffic_leaves_the_definition_that_was_served(world: Restored) -> None:
    world.aws.broken = {"manuel-health-dev"}

    with pytest.raises(ReleaseError):
        world.deploy()

    assert world.aws.calls.count("use_deployment") == 2
    assert world.served == RESTORED
    assert world.kinds()[-1] is EntryKind.DEPLOY_FAILED


@pytest.mark.parametrize(
    ("resources", "own"),
    [
        ((), ""),
        ((held("d-1"),), "d-1"),
        ((held("d-1", "DELETE_SKIPPED"), held("d-2", "UPDATE_COMPLETE")), "d-2"),
        ((held("d-1"), held("d-2")), ""),
    ],
)
def test_the_stacks_own_definition_is_the_one_that_it_holds(resources: tuple[Resource, ...], own: str) -> None:
    assert api_deployment_of(resources) == own


def test_a_stack_that_does_not_say_which_is_its_own_moves_nothing(world: Restored) -> None:
    others = world.aws.stacks.resources
    world.aws.stacks.resources = lambda name: (*others(name), held("d-other"))  # type: ignore[method-assign]
    world.deploy()

    assert world.served == RESTORED
