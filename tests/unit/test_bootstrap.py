"""`bootstrap`: the stack is made without functions first, because their package lies in a bucket of the stack."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import CALLER, Clock, FakeAws, Told
from tests_root import ROOT

from manuel_release import settings
from manuel_release.app import App
from manuel_release.bootstrap import PIPELINE_STACK, bootstrap
from manuel_release.errors import SettingsError
from manuel_release.model.options import GlobalOptions
from manuel_release.model.outcome import OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from manuel_release.model.bootstrap import BootstrapOutcome
    from manuel_release.model.stack import ChangeSet

STACK = settings.OPERATIONS_STACK


class World:
    """An account and a checkout."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.aws: Any = FakeAws(clock=self.clock, functions_in_template=("manuel-guard",))
        self.aws.parameters.values.update(
            {settings.LEDGER_PARAMETER: "ledger", settings.ARTIFACTS_PARAMETER: "artifacts"}
        )
        self.objects = self.aws.storage.objects
        self.aws.storage.exists = lambda bucket, key: f"{bucket}/{key}" in self.objects
        self.folder = folder
        shutil.copy(ROOT / "operations.yaml", folder)
        (folder / "src" / "operations").mkdir(parents=True)
        self.code("one = 1\n")
        self.shown: list[ChangeSet] = []

    def code(self, text: str) -> None:
        (self.folder / "src" / "operations" / "guard.py").write_text(text)

    def run(
        self,
        agree: Callable[[ChangeSet], bool] = lambda _: True,
        pipeline: dict[str, str] | None = None,
        **options: Any,
    ) -> BootstrapOutcome:
        app = App(GlobalOptions(**options), screen=None)  # type: ignore[arg-type]
        known = replace(settings.Settings(), root=self.folder)
        for name, value in {"settings": known, "aws": self.aws, "caller": CALLER}.items():
            app.__dict__[name] = value
        app.now, app.sleep = self.clock.now, self.clock.sleep  # type: ignore[method-assign]
        return bootstrap(app, Told(), self.shown.append, agree, pipeline)

    @property
    def keys(self) -> list[str]:
        """The packages that the stack was asked to run, in the order of its changes."""
        return [asked["parameters"]["FunctionsKey"] for asked in self.aws.stacks.asked if asked["stack"] == STACK]

    @property
    def pipelines(self) -> list[dict[str, Any]]:
        """What the pipeline's stack was asked for."""
        return [asked for asked in self.aws.stacks.asked if asked["stack"] == PIPELINE_STACK]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.delenv("MANUEL_CONFIG", raising=False)
    return World(tmp_path)


def test_the_first_time_the_stack_makes_the_bucket_and_then_the_guard(world: World) -> None:
    outcome = world.run()

    assert outcome.status is OutcomeStatus.LIVE
    assert world.keys == ["", outcome.guard]
    assert list(world.objects) == [f"artifacts/{outcome.guard}"]
    assert len(world.shown) == 2


def test_again_it_is_nothing_to_do(world: World) -> None:
    world.run()
    uploaded = dict(world.objects)
    world.shown.clear()

    assert world.run().status is OutcomeStatus.NOTHING_TO_DO
    assert (world.shown, world.objects) == ([], uploaded)


def test_other_code_is_one_change_and_other_parameters_stay(world: World) -> None:
    first = world.run()
    stack = world.aws.stacks.there[STACK]
    world.aws.stacks.there[STACK] = replace(stack, parameters={**stack.parameters, "BuildRetentionDays": "90"})
    world.code("one = 2\n")

    second = world.run()

    assert second.guard != first.guard
    assert world.aws.stacks.asked[-1]["parameters"] == {"BuildRetentionDays": "90", "FunctionsKey": second.guard}
    assert len(world.objects) == 2


def test_a_dry_run_uploads_and_makes_nothing(world: World) -> None:
    assert world.run(dry_run=True).status is OutcomeStatus.PLANNED
    assert (world.objects, world.aws.stacks.there.get(STACK)) == ({}, None)


def test_who_does_not_agree_to_the_guard_has_the_rest(world: World) -> None:
    answers = iter((True, False))

    outcome = world.run(agree=lambda _: next(answers))

    assert (outcome.status, outcome.guard, outcome.ledger) == (OutcomeStatus.LIVE, "", "ledger")
    assert world.objects == {}


SMALL = """
Parameters: {RepositoryId: {Type: String}, BranchName: {Type: String, Default: main}}
Resources: {Topic: {Type: 'AWS::SNS::Topic'}}
"""
OURS = {"RepositoryId": "manuel/manuel-backend"}


@pytest.fixture
def with_pipeline(world: World) -> World:
    (world.folder / "pipeline.yaml").write_text(SMALL)
    world.aws.parameters.values["/manuel/pipeline/name"] = "manuel-pipeline"
    return world


def test_without_a_repository_there_is_no_pipeline(world: World) -> None:
    assert world.run().pipeline == ""
    assert world.pipelines == []


def test_with_one_the_pipeline_is_made_last_from_a_template_in_the_bucket(with_pipeline: World) -> None:
    outcome = with_pipeline.run(pipeline=OURS)

    (asked,) = with_pipeline.pipelines
    assert asked is with_pipeline.aws.stacks.asked[-1]
    assert (asked["creates"], asked["parameters"], asked["template_body"]) == (True, OURS, None)
    (key,) = (one for one in with_pipeline.objects if one.endswith(".yaml"))
    assert asked["template_url"].endswith(key.removeprefix("artifacts/"))
    assert with_pipeline.objects[key] == SMALL.encode()
    assert outcome.pipeline == "manuel-pipeline"


def test_from_then_on_every_bootstrap_updates_it_and_what_is_not_given_stays(with_pipeline: World) -> None:
    with_pipeline.run(pipeline=OURS)

    with_pipeline.run(pipeline={"BranchName": "release"})

    asked = with_pipeline.pipelines[-1]
    assert (asked["creates"], asked["parameters"]) == (False, {"RepositoryId": None, "BranchName": "release"})


def test_who_does_not_agree_to_operations_is_not_asked_about_the_pipeline(with_pipeline: World) -> None:
    with_pipeline.run(pipeline=OURS, agree=lambda _: False)

    assert with_pipeline.pipelines == []


@pytest.mark.parametrize("options", [{"agree": lambda _: False}, {"dry_run": True}])
def test_a_change_of_the_pipeline_that_nobody_agreed_to_is_planned_and_not_nothing(
    with_pipeline: World, options: dict[str, Any]
) -> None:
    with_pipeline.run(pipeline=OURS)

    outcome = with_pipeline.run(pipeline={"BranchName": "release"}, **options)

    assert outcome.status is OutcomeStatus.PLANNED


def test_a_parameter_that_somebody_deleted_is_named_with_the_commands_that_put_it_back(world: World) -> None:
    world.run()
    del world.aws.parameters.values[settings.LEDGER_PARAMETER]

    with pytest.raises(SettingsError) as caught:
        world.run()

    assert f"aws ssm put-parameter --name {settings.LEDGER_PARAMETER}" in caught.value.hint
    assert "`manuel-release bootstrap`" in caught.value.hint
