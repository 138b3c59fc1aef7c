"""A deploy from end to end on an AWS in memory: what happens, what is written down, what happens when a step fails."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import CALLER, Clock, FakeAws, Told

from manuel_release import flow, settings
from manuel_release.app import App
from manuel_release.apply import stage as stage_steps
from manuel_release.errors import GateFailed, Partial, Refused, ReleaseError, UsageError
from manuel_release.model.deploy import DeployRequest
from manuel_release.model.entry import EntryKind
from manuel_release.model.options import GlobalOptions
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic import Alarm, Alias, Canary
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.model.plan import DeployPlan

TEMPLATE = """
Parameters:
  Environment: {Type: String, AllowedValues: [dev, staging, prod]}
  ApiVersionStage: {Type: String, Default: dev}
  ReleaseId: {Type: String, Default: r-1}
  Memory: {Type: Number, Default: 128}
Resources:
  manuel-health-dev:
    Type: AWS::Lambda::Function
    Metadata: {Description: A function that answers GET /health.}
"""


class World:
    """One App on a FakeAws, a packaged artifact, and a public URL that answers as the fake's aliases do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, environment: str = "dev") -> None:
        self.clock = Clock()
        self.aws = FakeAws(clock=self.clock)
        self.folder = folder
        self.progress = Told()
        self.shown: list[DeployPlan] = []
        self.health_is_up = True
        self.agrees = True
        self.environment = environment
        self.aws.parameters.values.update(
            {settings.LEDGER_PARAMETER: "ledger", settings.ARTIFACTS_PARAMETER: "artifacts"}
        )
        monkeypatch.setattr(stage_steps, "ask", self._answer)
        self.artifact("one")

    def artifact(self, code_digest: str, **parameters: str) -> None:
        short = {"production": "prod"}.get(self.environment, self.environment)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "packaged-template.yaml").write_text(TEMPLATE)
        (self.folder / "artifact.json").write_text(json.dumps({"code_digest": code_digest, "commit": "abc1234"}))
        values = {"Environment": short, **parameters}
        for name in ("dev", "staging", "production"):
            (self.folder / f"parameters-{name}.json").write_text(json.dumps(values))

    def _answer(self, url: str, timeout: float = 0) -> stage_steps.Answer:
        if not self.health_is_up:
            return stage_steps.Answer(502, problem="HTTP 502")
        live = next(iter(self.aws.functions.all.values()))
        return stage_steps.Answer(200, live.versions[live.aliases["live"].version])

    def app(self, **options: Any) -> App:
        app = App(GlobalOptions(environment=self.environment, **options), screen=None)  # type: ignore[arg-type]
        quick = replace(settings.Settings(), root=self.folder, health_seconds=5.0)
        for name, value in {"settings": quick, "aws": self.aws, "caller": CALLER}.items():
            app.__dict__[name] = value
        app.now, app.sleep = self.clock.now, self.clock.sleep  # type: ignore[method-assign]
        return app

    def deploy(self, **request: Any) -> DeployOutcome:
        def agree(_: DeployPlan) -> bool:
            return self.agrees

        what = DeployRequest(artifact=self.folder, **request)
        return flow.deploy(self.app(), what, self.progress, self.shown.append, agree)

    def kinds(self) -> list[EntryKind]:
        return [entry.kind for entry in self.app().ledger.entries(self.environment)]

    def states(self) -> dict[str, ReleaseState]:
        return {r.name: r.state for r in releases(self.app().ledger.entries(self.environment))}

    def live(self) -> set[str]:
        """The releases that `live` of the functions is on."""
        return {f.versions[f.aliases["live"].version] for f in self.aws.functions.all.values()}

    def lease(self) -> Any:
        return self.app().ledger.lease(self.environment, "dev")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "artifact", monkeypatch)


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "artifact", monkeypatch, "production")


def test_the_first_release_of_production_serves_at_once(production: World) -> None:
    outcome = production.deploy()

    assert (outcome.release, outcome.status, outcome.previous) == ("r-1", OutcomeStatus.LIVE, None)
    assert production.states() == {"r-1": ReleaseState.LIVE}
    assert production.aws.deployments.made == {}
    assert production.aws.gateway.stages["api1"].variables == {"release": "live", "current": "r-1"}


def test_the_second_release_of_dev_replaces_the_first(world: World) -> None:
    world.deploy()
    world.artifact("two")

    outcome = world.deploy()

    assert (outcome.release, outcome.status, outcome.previous) == ("r-2", OutcomeStatus.LIVE, "r-1")
    assert world.live() == {"r-2"}
    assert world.states() == {"r-2": ReleaseState.LIVE, "r-1": ReleaseState.REPLACED}
    variables = world.aws.gateway.stages["api1"].variables
    assert (variables["release"], variables["current"], variables["previous"]) == ("live", "r-2", "r-1")


def test_the_second_release_of_production_is_held_at_0_percent(production: World) -> None:
    production.deploy()
    production.artifact("two")

    outcome = production.deploy()

    assert (outcome.release, outcome.status) == ("r-2", OutcomeStatus.STAGED)
    assert production.live() == {"r-1"}
    assert production.states() == {"r-2": ReleaseState.STAGED, "r-1": ReleaseState.LIVE}
    for function in production.aws.functions.all.values():
        assert function.aliases["r-2"].version == "2"


def test_the_ledger_has_the_plan_before_and_the_versions_after(world: World) -> None:
    world.deploy(reason="first")
    started, ended = world.app().ledger.entries("dev")

    assert (started.kind, ended.kind) == (EntryKind.DEPLOY_STARTED, EntryKind.RELEASE_LIVE)
    assert started.reason == "first"
    assert started.details["steps"] == [step.title for step in world.shown[0].steps]
    assert ended.details["versions"] == {"manuel-health-dev": "1", "manuel-usage-dev": "1"}
    assert "ann" in started.by


def test_nothing_changed_is_success_and_calls_nothing(world: World) -> None:
    world.deploy()
    world.aws.calls.clear()

    outcome = world.deploy()

    assert (outcome.status, outcome.release) == (OutcomeStatus.NOTHING_TO_DO, "r-1")
    assert world.aws.calls == []
    assert world.app().ledger.last_number("dev") == 1


def test_a_release_id_in_the_parameter_file_makes_no_new_release(world: World) -> None:
    world.deploy()
    world.artifact("one", ApiVersionStage="dev", ReleaseId="r-99")

    assert world.deploy().status is OutcomeStatus.NOTHING_TO_DO


def test_a_changed_parameter_value_is_a_new_release(world: World) -> None:
    world.deploy()
    world.artifact("one", Memory="256")

    outcome = world.deploy()

    assert (outcome.release, outcome.status) == ("r-2", OutcomeStatus.LIVE)
    assert world.live() == {"r-2"}


def test_wrong_parameters_are_said_before_anything_is_called(world: World) -> None:
    world.artifact("one", Percnt="1")
    world.aws.stacks.describe = lambda _: pytest.fail("AWS was called")  # type: ignore[method-assign]

    with pytest.raises(UsageError, match="Percnt"):
        world.deploy()


def test_parameters_of_another_environment_are_refused(world: World) -> None:
    (world.folder / "parameters-dev.json").write_text('{"Environment": "staging"}')

    with pytest.raises(UsageError, match="staging"):
        world.deploy()


def test_a_guard_refuses_before_anything_is_reserved(world: World) -> None:
    world.deploy()
    stage = world.aws.gateway.stages["api1"]
    world.aws.gateway.stages["api1"] = replace(stage, canary=Canary(10.0, "r-9"))
    world.artifact("two")

    with pytest.raises(Refused, match="canary"):
        world.deploy()
    assert world.app().ledger.last_number("dev") == 1


def test_a_lease_held_by_somebody_else_refuses_and_names_them(world: World) -> None:
    world.app().ledger.acquire("dev", "dev", "bea", "hotfix", 900, "t")

    with pytest.raises(Refused, match="bea"):
        world.deploy()
    assert world.kinds() == []


def test_the_lease_is_given_back_after_success_and_after_failure(world: World) -> None:
    world.deploy()
    assert world.lease() is None
    world.aws.stack_fault = "no"
    world.artifact("two")
    with pytest.raises(ReleaseError):
        world.deploy()
    assert world.lease() is None


def test_a_long_step_keeps_the_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 10**6, 400))
    monkeypatch.setattr(flow.time, "monotonic", lambda: float(next(moments)))
    app = world.app()
    with flow.leased(app, "dev", "x") as keeper:
        before = keeper.lease.expires_at
        keeper.pause(400)
        assert keeper.lease.expires_at > before


def test_a_declined_plan_leaves_nothing_behind(world: World) -> None:
    world.agrees = False

    outcome = world.deploy()

    assert outcome.status is OutcomeStatus.PLANNED
    assert world.aws.stacks.change_sets == {}
    assert world.aws.stacks.there == {}
    assert world.kinds() == []


def test_a_dry_run_shows_the_plan_and_reserves_nothing(world: World) -> None:
    outcome = world.deploy(dry_run=True)

    assert outcome.status is OutcomeStatus.PLANNED
    assert [plan.release for plan in world.shown] == ["r-1"]
    assert world.shown[0].change_set.changes[0].description == "A function that answers GET /health."
    assert world.app().ledger.last_number("dev") == 0
    assert world.aws.stacks.there == {}


def test_a_failing_stack_leaves_the_old_release_and_speaks_in_the_resources_words(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.stack_fault = "The role is wrong"

    with pytest.raises(ReleaseError) as caught:
        world.deploy()

    assert "HealthFunction" in caught.value.message
    assert "The role is wrong" in caught.value.message
    assert "cancelled" not in caught.value.message
    assert "run the same command again" in caught.value.hint
    assert world.live() == {"r-1"}
    assert world.states() == {"r-2": ReleaseState.FAILED, "r-1": ReleaseState.LIVE}


def test_a_failing_first_stack_says_how_to_delete_what_is_left(world: World) -> None:
    world.aws.stack_fault = "no"

    with pytest.raises(ReleaseError) as caught:
        world.deploy()

    assert "delete-stack --stack-name manuel-dev" in caught.value.hint
    with pytest.raises(Refused, match="ROLLBACK_COMPLETE"):
        world.deploy()


def test_a_failing_smoke_test_never_moves_traffic(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.broken = {"manuel-usage-dev"}

    with pytest.raises(ReleaseError, match="manuel-usage-dev:r-2 answered 500"):
        world.deploy()

    assert world.live() == {"r-1"}
    assert world.aws.deployments.made == {}


def test_when_the_public_url_does_not_answer_the_traffic_goes_back(world: World) -> None:
    world.deploy()
    world.artifact("two")
    answer = world._answer

    def only_the_first(url: str, timeout: float = 0) -> stage_steps.Answer:
        found = answer(url)
        return found if found.release == "r-1" else stage_steps.Answer(502, problem="HTTP 502")

    stage_steps.ask = only_the_first  # type: ignore[assignment]
    with pytest.raises(GateFailed, match="r-1 serves again"):
        world.deploy()

    assert world.live() == {"r-1"}
    assert world.states() == {"r-2": ReleaseState.FAILED, "r-1": ReleaseState.LIVE}
    assert world.aws.gateway.stages["api1"].variables["current"] == "r-1"
    assert EntryKind.TRAFFIC_RETURNED in world.kinds()


def test_when_taking_back_fails_too_a_person_is_told_what_to_look_at(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.health_is_up = False

    with pytest.raises(Partial) as caught:
        world.deploy()

    assert "manuel-release status" in caught.value.hint
    assert world.live() == {"r-1"}


def test_a_failing_codedeploy_deployment_stops_the_others_and_says_why(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_fault = "alarm manuel-dev-errors is red"

    with pytest.raises((GateFailed, Partial), match="manuel-dev-errors is red"):
        world.deploy()

    assert world.live() == {"r-1"}


def test_an_interrupted_deploy_goes_on_with_the_same_release(world: World) -> None:
    world.deploy()
    world.artifact("two")
    publish = world.aws.functions.publish
    world.aws.functions.publish = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt())  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt) as stopped:
        world.deploy()
    assert "r-2 is unfinished" in stopped.value.__notes__[0]
    assert world.states()["r-2"] is ReleaseState.DEPLOYING
    assert world.live() == {"r-1"}

    world.aws.functions.publish = publish  # type: ignore[method-assign]
    world.aws.calls.clear()
    outcome = world.deploy()

    assert (outcome.release, outcome.status) == ("r-2", OutcomeStatus.LIVE)
    assert "execute" not in world.aws.calls
    assert world.live() == {"r-2"}


def test_a_new_function_gets_the_aliases_of_the_retained_releases(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.functions_in_template = (*world.aws.functions_in_template, "manuel-query-dev")

    world.deploy()

    aliases = world.aws.functions.all["manuel-query-dev"].aliases
    assert set(aliases) == {"live", "r-1", "r-2"}
    assert aliases["r-1"].version == aliases["r-2"].version


def test_a_missing_release_alias_of_an_old_function_is_not_papered_over(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.deploy()
    del world.aws.functions.all["manuel-usage-dev"].aliases["r-1"]
    world.artifact("three")

    world.deploy()

    assert "r-1" not in world.aws.functions.all["manuel-usage-dev"].aliases


def test_red_alarms_are_no_rollback_triggers(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.alarms.all = (Alarm("manuel-dev-a", "arn:a", "ALARM"), Alarm("manuel-dev-b", "arn:b", "OK"))
    asked: list[Any] = []
    create = world.aws.stacks.create_change_set

    def watched(**request: Any) -> Any:
        asked.append(request["rollback_alarms"])
        return create(**request)

    world.aws.stacks.create_change_set = watched  # type: ignore[method-assign]
    world.deploy()

    assert asked == [("arn:b",)]


def test_an_alias_with_weights_is_refused_with_the_way_out(world: World) -> None:
    world.deploy()
    function = world.aws.functions.all["manuel-usage-dev"]
    function.aliases["live"] = Alias("manuel-usage-dev", "live", "1", weights={"2": 0.1})
    world.artifact("two")

    with pytest.raises(Refused) as caught:
        world.deploy()

    assert "aws lambda update-alias --function-name manuel-usage-dev" in caught.value.hint


def test_without_a_bootstrap_the_command_to_run_is_named(world: World) -> None:
    world.aws.parameters.values.clear()

    with pytest.raises(ReleaseError) as caught:
        world.deploy()

    assert "manuel-release bootstrap" in caught.value.hint
