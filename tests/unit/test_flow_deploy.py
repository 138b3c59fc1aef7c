"""A deploy from end to end on an AWS in memory: what happens, what is written down, what happens when a step fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from deploy_world import World

from manuel_release import flow
from manuel_release.apply import stage as stage_steps
from manuel_release.errors import AccessError, GateFailed, Partial, Pending, Refused, ReleaseError, UsageError
from manuel_release.lease import TOKEN_VARIABLE
from manuel_release.model.deploy import DeployRequest
from manuel_release.model.entry import EntryKind
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.release import ReleaseState
from manuel_release.model.stack import Action, Change
from manuel_release.model.traffic import Alarm, Alias, Canary

if TYPE_CHECKING:
    from pathlib import Path


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


def test_where_only_rehearsed_commits_are_taken_another_one_is_refused_before_anything_changes(
    production: World,
) -> None:
    production.only_rehearsed = True

    with pytest.raises(Refused, match="production takes rehearsed commits only, and abc1234 has no stamp"):
        production.deploy()
    assert production.kinds() == []

    production.days = ("good day",)
    production.artifact("one")
    assert production.deploy().release == "r-1"


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


def test_when_one_deployment_cannot_be_made_the_others_have_ended_before_anything_is_taken_back(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_seconds = 60
    deployments = world.aws.deployments
    create = deployments.create

    def only_one(**request: Any) -> str:
        if deployments.made:
            raise ReleaseError("CodeDeploy takes no deployment of manuel-usage-dev")
        return create(**request)

    def stop(deployment_id: str, roll_back: bool) -> None:  # CodeDeploy needs a while to move the alias back
        assert roll_back
        world.aws.codedeploy_fault = "stopped on request"
        request = deployments.asked[deployment_id]
        deployments.at_work[deployment_id] = (world.clock.at + timedelta(seconds=20), request)

    deployments.create, deployments.stop = only_one, stop  # type: ignore[method-assign]
    with pytest.raises(GateFailed, match="r-1 serves again: CodeDeploy takes no deployment of manuel-usage-dev"):
        world.deploy()

    assert {one.status for one in deployments.made.values()} == {"Failed"}
    assert len(deployments.made) == 1
    assert world.live() == {"r-1"}


def test_a_failing_codedeploy_deployment_stops_the_others_and_says_why(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_fault = "alarm manuel-dev-errors is red"

    with pytest.raises((GateFailed, Partial), match="manuel-dev-errors is red"):
        world.deploy()

    assert world.live() == {"r-1"}


def test_a_deployment_that_cannot_be_stopped_does_not_hide_why_another_one_failed(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_seconds = 30.0
    world.aws.codedeploy_fault = "alarm manuel-dev-errors is red"
    world.aws.faults["deployments.stop"] = ReleaseError("cannot stop deployment d-2: throttled")

    with pytest.raises((GateFailed, Partial), match="manuel-dev-errors is red"):
        world.deploy()

    assert "cannot stop deployment d-2: throttled" in world.progress.notes
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


REMOVAL = Change(Action.REMOVE, "UsageTable", "manuel-usage-dev", "AWS::DynamoDB::Table")
LIVE_ALIAS = Change(
    Action.MODIFY,
    "HealthLiveAlias",
    "arn:aws:lambda:eu-west-1:123456789012:function:manuel-health-dev:live",
    "AWS::Lambda::Alias",
    scope=("Properties",),
)


def test_a_refused_change_is_shown_and_leaves_nothing_behind(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.other_changes = (REMOVAL,)
    before = len(world.kinds())

    with pytest.raises(flow.PlanRefused, match=r"UsageTable\) is deleted") as refused:
        world.deploy()

    assert refused.value.plan is world.shown[-1]
    assert refused.value.exit_code == 3
    assert world.aws.stacks.change_sets == {}
    assert world.lease() is None
    assert len(world.kinds()) == before
    assert world.live() == {"r-1"}


def test_a_refused_dry_run_is_refused_too(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.other_changes = (LIVE_ALIAS,)

    with pytest.raises(flow.PlanRefused):
        world.deploy(dry_run=True, override_shared="no")

    assert world.aws.stacks.change_sets == {}
    assert world.app().ledger.last_number("dev") == 1


def test_a_reason_allows_a_breaking_change_and_is_kept_and_shown(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.other_changes = (REMOVAL,)

    outcome = world.deploy(override_shared="the table is empty")

    assert outcome.status is OutcomeStatus.LIVE
    assert "not additive, and allowed because: the table is empty (UsageTable)" in world.shown[-1].warnings
    started = [e for e in world.app().ledger.entries("dev") if e.kind is EntryKind.DEPLOY_STARTED][-1]
    assert started.details["override_shared"] == "the table is empty"


def test_a_reason_that_nothing_needs_is_said(world: World) -> None:
    world.deploy(override_shared="just in case")

    assert "--override-shared was given, and nothing here needs it" in world.shown[-1].warnings


def test_values_of_properties_are_asked_for_only_with_details(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.deploy(details=True)

    assert [asked["values"] for asked in world.aws.stacks.asked] == [False, True]


def test_an_api_is_compared_with_the_one_that_runs(world: World) -> None:
    world.deploy()
    world.artifact("two")
    api = "  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {paths: {/a: {get: {}}%s}}}}\n"
    text = (world.folder / "packaged-template.yaml").read_text()
    world.aws.stacks.texts["manuel-dev"] = text + api % ", /b: {get: {}}"
    (world.folder / "packaged-template.yaml").write_text(text + api % "")
    world.aws.other_changes = (Change(Action.MODIFY, "Api", "abc", "AWS::ApiGateway::RestApi", properties=("Body",)),)

    with pytest.raises(flow.PlanRefused, match="no longer knows GET /b"):
        world.deploy()


def test_what_is_removed_is_named_by_the_running_templates_sentence(world: World) -> None:
    world.deploy()
    world.artifact("two")
    sentence = "  UsageTable: {Type: AWS::DynamoDB::Table, Metadata: {Description: A table of counts.}}\n"
    text = (world.folder / "packaged-template.yaml").read_text()
    world.aws.stacks.texts["manuel-dev"] = text + sentence
    world.aws.other_changes = (REMOVAL,)

    with pytest.raises(flow.PlanRefused, match=r"A table of counts \(UsageTable\) is deleted"):
        world.deploy()


def test_a_running_template_that_may_not_be_read_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: str) -> str:
        raise AccessError("cannot read the template")

    world.deploy()
    world.artifact("two")
    world.aws.other_changes = (REMOVAL,)
    monkeypatch.setattr(world.aws.stacks, "template", denied)

    with pytest.raises(AccessError):
        world.deploy()

    assert world.aws.stacks.change_sets == {}


def test_where_nobody_can_be_asked_nothing_is_left_behind(world: World) -> None:
    def nobody(_: object) -> bool:
        raise UsageError("nobody can be asked")

    request = DeployRequest(artifact=world.folder)
    with pytest.raises(UsageError):
        flow.deploy(world.app(), request, world.progress, world.shown.append, nobody)

    assert world.aws.stacks.change_sets == {}
    assert world.aws.stacks.there == {}


def test_a_first_change_set_that_aws_refuses_leaves_no_empty_stack(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = world.aws.stacks.create_change_set

    def refuse(**request: Any) -> Any:
        create(**request)
        world.aws.stacks.change_sets.clear()
        raise ReleaseError("AWS refuses the change")

    monkeypatch.setattr(world.aws.stacks, "create_change_set", refuse)
    with pytest.raises(ReleaseError, match="AWS refuses the change"):
        world.deploy()

    assert world.aws.stacks.there == {}


def slow(world: World) -> None:
    """r-1 serves, the next artifact is another one, and its stack update takes ten minutes."""
    world.deploy()
    world.artifact("two")
    world.aws.stack_seconds = 600


def test_a_deploy_gives_up_in_time_and_is_gone_on_with(world: World) -> None:
    slow(world)
    began = world.clock.at
    with pytest.raises(Pending, match="r-2 is unfinished"):
        world.deploy(timeout=60.5)
    assert (world.clock.at - began).total_seconds() == pytest.approx(60.5, abs=0.01)
    assert world.states()["r-2"] is ReleaseState.DEPLOYING
    assert world.lease() is None
    world.aws.calls.clear()

    outcome = world.deploy()

    assert (outcome.release, outcome.status) == ("r-2", OutcomeStatus.LIVE)
    assert world.progress.starts.count("Follow the update of the stack that is under way") == 1
    assert world.progress.notes.count("update complete: A function that answers GET /health.") == 2
    assert world.aws.calls.count("execute") == 0
    assert world.live() == {"r-2"}
    assert world.app().ledger.last_number("dev") == 2


def test_an_update_that_fails_while_it_is_followed_is_that_releases_failure(world: World) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    world.aws.stack_fault = "The role is wrong"

    with pytest.raises(ReleaseError, match="The role is wrong"):
        world.deploy()

    assert world.states() == {"r-2": ReleaseState.FAILED, "r-1": ReleaseState.LIVE}
    assert world.lease() is None


def test_a_first_stack_that_is_still_being_made_is_followed_too(world: World) -> None:
    world.aws.stack_seconds = 600
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    assert world.aws.stacks.there["manuel-dev"].status == "CREATE_IN_PROGRESS"

    outcome = world.deploy()

    assert (outcome.release, outcome.status) == ("r-1", OutcomeStatus.LIVE)


def test_other_code_waits_for_an_update_that_an_unfinished_release_began(world: World) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    world.artifact("three")

    with pytest.raises(Refused, match="AWS is still at work on r-2"):
        world.deploy()

    assert world.states()["r-2"] is ReleaseState.DEPLOYING


def test_an_update_that_another_operation_began_is_not_followed(world: World) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    world.aws.stacks._event("manuel-dev", "UPDATE_IN_PROGRESS", "somebody-elses-token")

    with pytest.raises(Refused, match="no deploy in the ledger began that"):
        world.deploy()


def test_an_update_is_known_by_its_change_set_where_events_have_no_token(world: World) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    started = [e for e in world.app().ledger.entries("dev") if e.kind is EntryKind.DEPLOY_STARTED][-1]
    there = world.aws.stacks.there["manuel-dev"]
    world.aws.stacks.there["manuel-dev"] = replace(there, change_set_id=started.details["change_set"])
    world.aws.stacks._event("manuel-dev", "UPDATE_IN_PROGRESS", "")

    assert world.deploy().release == "r-2"


def test_a_live_process_is_never_joined(world: World) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    world.app().ledger.acquire("dev", "dev", "bea", "the same", 900, "hers")

    with pytest.raises(Refused, match="being changed by bea") as refused:
        world.deploy()

    assert "`manuel-release deploy --env dev --attach`" in refused.value.hint


def test_the_commands_of_one_build_share_their_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "build-7")
    world.app().ledger.acquire("dev", "dev", "killed", "the same build", 900, "build-7")

    assert world.deploy().status is OutcomeStatus.LIVE


def test_a_lease_that_cannot_be_given_back_does_not_hide_why_the_deploy_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy()
    world.artifact("two")

    def expired(*_: object) -> None:
        raise AccessError("the credentials have expired", hint="Sign in.")

    monkeypatch.setattr(world.aws.functions, "publish", expired)
    monkeypatch.setattr(world.aws.table_of, "delete_if", expired)
    with pytest.raises(AccessError, match="r-2 is unfinished: the credentials have expired") as ended:
        world.deploy()

    assert ended.value.hint.startswith("Sign in. The same command goes on with r-2")
    assert world.states()["r-2"] is ReleaseState.DEPLOYING


def test_deployments_that_codedeploy_still_makes_are_waited_for(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_seconds = 600
    with pytest.raises(Pending, match="CodeDeploy goes on with what it was given by itself"):
        world.deploy(timeout=60.0)
    assert world.live() == {"r-1"}

    outcome = world.deploy()

    assert outcome.status is OutcomeStatus.LIVE
    assert "Follow the CodeDeploy deployments that are under way" in world.progress.starts
    assert len(world.aws.deployments.made) == 2  # one for each function, none twice
    assert world.live() == {"r-2"}


def test_time_that_is_up_after_traffic_has_moved_takes_nothing_back(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.health_is_up = False

    with pytest.raises(Pending, match="r-2 serves, and it is not proven that it answers"):
        world.deploy(timeout=6.0)

    assert world.live() == {"r-2"}
    assert world.states()["r-2"] is ReleaseState.DEPLOYING


def test_what_is_taken_back_is_taken_back_even_when_time_is_up(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_seconds = 2
    answer = world._answer

    def only_the_first(url: str, timeout: float = 0) -> stage_steps.Answer:
        found = answer(url)
        return found if found.release == "r-1" else stage_steps.Answer(502, problem="HTTP 502")

    stage_steps.ask = only_the_first  # type: ignore[assignment]
    with pytest.raises(GateFailed, match="r-1 serves again"):
        world.deploy(timeout=12.0)

    assert world.live() == {"r-1"}


def test_what_is_followed_may_have_changed_the_world_that_is_planned_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(world)
    with pytest.raises(Pending):
        world.deploy(timeout=60.0)
    settle = world.aws.stacks._settle

    def settled(*given: Any) -> None:
        settle(*given)
        world.aws.alarms.all = (Alarm("manuel-dev-errors", "arn:a", "ALARM"),)

    monkeypatch.setattr(world.aws.stacks, "_settle", settled)
    world.deploy()

    assert world.shown[-1].warnings == ("red before this deploy, and so not watched by it: manuel-dev-errors",)


def test_time_is_measured_over_all_steps(world: World) -> None:
    world.deploy()
    world.artifact("two")
    settle = world.aws.stacks._settle

    def settled_late(*given: Any) -> None:
        world.clock.sleep(100)
        settle(*given)

    world.aws.stacks._settle = settled_late  # type: ignore[method-assign]
    with pytest.raises(Pending, match="this was not begun: Publish versions and release aliases"):
        world.deploy(timeout=50.0)


def test_a_stack_that_shows_its_old_state_for_a_while_is_not_taken_for_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy()
    world.artifact("two")
    stacks = world.aws.stacks

    def execute(change_set_id: str, token: str) -> None:
        request = stacks.change_sets.pop(change_set_id)
        stacks.at_work = (world.clock.at + timedelta(seconds=20), request, token)

    monkeypatch.setattr(stacks, "execute", execute)

    assert world.deploy().status is OutcomeStatus.LIVE
    assert world.live() == {"r-2"}


def test_a_stack_whose_events_name_no_operation_is_believed_after_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy()
    world.artifact("two")
    events = world.aws.stacks.events
    monkeypatch.setattr(
        world.aws.stacks, "events", lambda *where, token=None: events(*where, token=f"{token}?" if token else None)
    )
    began = world.clock.at

    assert world.deploy().status is OutcomeStatus.LIVE
    assert 60 < (world.clock.at - began).total_seconds() < 90


def test_a_dry_run_of_an_unfinished_release_names_it_again(world: World) -> None:
    world.deploy()
    world.artifact("two")
    world.aws.codedeploy_fault = ""
    world.aws.broken = set()
    stop = world.aws.functions.publish
    world.aws.functions.publish = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt())  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.deploy()
    world.aws.functions.publish = stop  # type: ignore[method-assign]

    assert world.deploy(dry_run=True).release == "r-2"
