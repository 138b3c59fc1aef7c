"""What a deploy decides, on observed worlds made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from manuel_release.model.caller import Caller
from manuel_release.model.deploy import DeployState
from manuel_release.model.entry import Freeze, Quarantine
from manuel_release.model.plan import (
    CheckHealth,
    CreateReleaseAlarms,
    DeployPlan,
    ExecuteChangeSet,
    NothingToDo,
    PublishRelease,
    Refusal,
    ShiftLive,
    SmokeTest,
    WriteStageVariables,
)
from manuel_release.model.release import Release, ReleaseState
from manuel_release.model.stack import Action, Change, ChangeSet, Stack
from manuel_release.model.traffic import Alarm, Alias, ApiStage, Canary
from manuel_release.plan import guards
from manuel_release.plan.deploy import admit, plan_deploy, rollback_triggers, unfinished
from manuel_release.settings import Settings

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
CALLER = Caller("123456789012", "arn:aws:iam::123456789012:user/ann", "eu-west-1")
CHANGES = ChangeSet("cs", "manuel-dev", (Change(Action.MODIFY, "F", "f", "AWS::Lambda::Function"),))


def a_release(number: int, state: ReleaseState, digest: str = "") -> Release:
    return Release(f"r-{number}", "dev", "v1", state, NOW, "ann", digest=digest or f"digest-{number}")


def a_state(environment: str = "dev", **changes: Any) -> DeployState:
    """An environment where r-1 serves and nothing is under way."""
    settings = Settings().environment(environment)
    state = DeployState(
        environment=settings,
        api_stage="v1",
        caller=CALLER,
        stack=Stack(settings.stack, "arn", "UPDATE_COMPLETE", outputs={"ApiStage": "v1"}),
        stage=ApiStage("api", "v1", "d1", {"release": "live"}),
        live={"f": Alias("f", "live", "1")},
        releases=(a_release(1, ReleaseState.LIVE),),
    )
    return replace(state, **changes)


def a_plan(state: DeployState, change_set: ChangeSet = CHANGES, release: str = "r-2") -> DeployPlan:
    return plan_deploy(
        state,
        release=release,
        digest="d" * 64,
        code_digest="c" * 64,
        commit="abc",
        change_set=change_set,
        descriptions={},
    )


def kinds(plan: DeployPlan) -> list[type]:
    return [type(step) for step in plan.steps]


def test_dev_and_staging_go_live_at_the_end() -> None:
    for name in ("dev", "staging"):
        plan = a_plan(a_state(name))

        assert kinds(plan) == [
            WriteStageVariables,
            ExecuteChangeSet,
            PublishRelease,
            SmokeTest,
            ShiftLive,
            WriteStageVariables,
            CheckHealth,
        ]
        assert plan.steps[0].variables == {"candidate": "r-2"}
        assert plan.serves_at_end
        assert plan.previous == "r-1"


def test_production_holds_the_release_at_0_percent() -> None:
    plan = a_plan(a_state("production"))

    assert kinds(plan) == [WriteStageVariables, ExecuteChangeSet, PublishRelease, CreateReleaseAlarms, SmokeTest]
    assert plan.steps[0].variables == {"candidate": plan.release}
    assert not plan.serves_at_end
    assert not plan.undo


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
@pytest.mark.parametrize("stack", [None, Stack("s", "arn", "REVIEW_IN_PROGRESS")])
def test_the_first_release_serves_as_soon_as_its_stack_exists(environment: str, stack: Stack | None) -> None:
    plan = a_plan(a_state(environment, stack=stack, stage=None, live={}, releases=()), release="r-1")

    made = [CreateReleaseAlarms] if environment == "production" else []
    assert kinds(plan) == [ExecuteChangeSet, PublishRelease, *made, SmokeTest, WriteStageVariables, CheckHealth]
    assert plan.serves_at_end
    assert not plan.undo


def test_a_first_release_whose_process_died_is_gone_on_with_as_a_first_release() -> None:
    state = a_state("production", releases=(a_release(1, ReleaseState.DEPLOYING, "x"),))

    assert unfinished(state, "x") == "r-1"
    assert kinds(a_plan(state, ChangeSet("", "s"), "r-1")) == [
        PublishRelease,
        CreateReleaseAlarms,
        SmokeTest,
        WriteStageVariables,
        CheckHealth,
    ]


def test_a_release_after_a_failed_first_one_moves_live_when_live_has_moved_before() -> None:
    state = a_state(live={"f": Alias("f", "live", "3")}, releases=(a_release(1, ReleaseState.FAILED),))

    assert ShiftLive in kinds(a_plan(state))


def test_an_unfinished_release_with_another_digest_is_gone_past() -> None:
    state = a_state(releases=(a_release(2, ReleaseState.DEPLOYING, "x"), a_release(1, ReleaseState.LIVE)))

    assert unfinished(state, "y") is None
    assert unfinished(state, "x") == "r-2"


def test_only_the_newest_release_can_be_gone_on_with() -> None:
    state = a_state(releases=(a_release(3, ReleaseState.LIVE), a_release(2, ReleaseState.DEPLOYING, "x")))

    assert unfinished(state, "x") is None


def test_an_empty_change_set_is_not_executed() -> None:
    assert ExecuteChangeSet not in kinds(a_plan(a_state(), ChangeSet("", "manuel-dev")))


def test_what_is_taken_back_begins_where_traffic_does() -> None:
    plan = a_plan(a_state())

    assert isinstance(plan.steps[plan.point_of_traffic], ShiftLive)
    assert [type(step) for step in plan.undo] == [ShiftLive, WriteStageVariables, CheckHealth]
    assert [getattr(step, "release", "r-1") for step in plan.undo] == ["r-1", "r-1", "r-1"]


@pytest.mark.parametrize(
    ("candidate", "history", "left"),
    [
        ("none", (1,), "none"),
        ("r-2", (2, 1), "r-2"),  # waits at 0 %, and goes on waiting
        ("r-3", (2, 1), "r-2"),  # an earlier run of this deploy wrote itself down already
        ("none", (2, 1), "none"),  # somebody took it back
        ("r-9", (2, 1), "none"),
    ],
)
def test_a_release_that_fails_without_traffic_leaves_the_candidate_that_waited(
    candidate: str, history: tuple[int, ...], left: str
) -> None:
    known = tuple(a_release(n, ReleaseState.LIVE if n == 1 else ReleaseState.STAGED) for n in history)
    stage = ApiStage("api", "v1", "d1", {"release": "live", "current": "r-1", "candidate": candidate})
    (step,) = a_plan(a_state("production", releases=known, stage=stage), release="r-3").forget

    assert isinstance(step, WriteStageVariables)
    assert (step.variables, step.only_if) == ({"candidate": left}, {"candidate": "r-3"})


def test_a_first_release_has_no_candidate_to_forget() -> None:
    assert a_plan(a_state(stack=None, stage=None, live={}, releases=()), release="r-1").forget == ()


def test_the_stage_remembers_the_two_last_releases() -> None:
    _, step = [s for s in a_plan(a_state()).steps if isinstance(s, WriteStageVariables)]

    assert step.variables == {"current": "r-2", "previous": "r-1", "candidate": "none"}


def test_new_functions_get_the_aliases_of_the_retained_releases() -> None:
    history = (a_release(4, ReleaseState.STAGED), a_release(3, ReleaseState.LIVE), a_release(2, ReleaseState.FAILED))
    (step,) = [
        s
        for s in a_plan(a_state(releases=(*history, a_release(1, ReleaseState.REPLACED)))).steps
        if isinstance(s, PublishRelease)
    ]

    assert step.retained == ("r-1", "r-3", "r-4")


def test_a_release_that_was_pruned_is_not_retained() -> None:
    kept, pruned = a_release(2, ReleaseState.LIVE), a_release(1, ReleaseState.REPLACED)
    history = (kept, replace(pruned, pruned_at=kept.started_at))

    assert a_state(releases=history).retained == ("r-2",)


def test_the_same_digest_as_what_runs_is_nothing_to_do() -> None:
    answer = admit(a_state(), "digest-1")

    assert isinstance(answer, NothingToDo)
    assert answer.release == "r-1"


def test_the_same_digest_as_what_waits_at_0_percent_is_nothing_to_do() -> None:
    state = a_state("production", releases=(a_release(2, ReleaseState.STAGED), a_release(1, ReleaseState.LIVE)))

    answer = admit(state, "digest-2")

    assert isinstance(answer, NothingToDo)
    assert answer.release == "r-2"


def test_a_digest_that_waited_before_a_newer_release_may_be_deployed_again() -> None:
    state = a_state(
        "production",
        releases=(
            a_release(3, ReleaseState.STAGED),
            a_release(2, ReleaseState.STAGED),
            a_release(1, ReleaseState.LIVE),
        ),
    )

    assert admit(state, "digest-2") is None


def test_another_digest_is_admitted() -> None:
    assert admit(a_state(), "new") is None


REFUSED = {
    guards.wrong_account: a_state(environment="dev"),
    guards.other_stage: a_state(stack=Stack("s", "a", "UPDATE_COMPLETE", outputs={"ApiStage": "v2"})),
    guards.frozen: a_state(freeze=Freeze("dev", "ann", "Black Friday", NOW)),
    guards.quarantined: a_state(quarantine=Quarantine("c" * 64, "r-3", "production", "guard", "5xx", NOW)),
    guards.stack_busy: a_state(stack=Stack("s", "a", "UPDATE_IN_PROGRESS")),
    guards.stack_stuck: a_state(stack=Stack("s", "a", "UPDATE_ROLLBACK_FAILED")),
    guards.canary_active: a_state(stage=ApiStage("api", "v1", "d", {}, Canary(10.0, "r-2"))),
    guards.pinned: a_state(stage=ApiStage("api", "v1", "d", {"release": "r-1"})),
    guards.deployment_active: a_state(deploying=("d-1",)),
    guards.alias_weighted: a_state(live={"f": Alias("f", "live", "1", weights={"2": 0.5})}),
}
REFUSED[guards.wrong_account] = replace(
    REFUSED[guards.wrong_account],
    environment=replace(REFUSED[guards.wrong_account].environment, account_id="999999999999"),
)


@pytest.mark.parametrize("guard", guards.GUARDS, ids=lambda guard: guard.__name__)
def test_each_guard_refuses_its_own_situation_with_a_way_out(guard: Any) -> None:
    answer = admit(REFUSED[guard])

    assert answer == guard(REFUSED[guard])
    assert isinstance(answer, Refusal)
    assert answer.hint


@pytest.mark.parametrize("guard", guards.GUARDS, ids=lambda guard: guard.__name__)
def test_no_guard_refuses_an_environment_where_nothing_is_under_way(guard: Any) -> None:
    assert guard(a_state()) is None


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"])
def test_a_stack_that_aws_does_not_update_is_refused(status: str) -> None:
    answer = guards.stack_stuck(a_state(stack=Stack("manuel-dev", "a", status)))

    assert isinstance(answer, Refusal)
    assert "manuel-dev" in answer.hint


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
)
def test_a_stack_that_aws_updates_is_not_refused(status: str) -> None:
    assert guards.stack_stuck(a_state(stack=Stack("manuel-dev", "a", status))) is None


def test_alarms_that_are_red_before_are_not_rollback_triggers_and_are_said() -> None:
    alarms = (Alarm("a", "arn:a", "ALARM"), Alarm("b", "arn:b", "OK"), Alarm("c", "arn:c", "INSUFFICIENT_DATA"))

    assert rollback_triggers(alarms) == ("arn:b", "arn:c")
    assert a_plan(a_state(alarms=alarms)).warnings == ("red before this deploy, and so not watched by it: a",)


def test_aws_takes_no_more_than_five_rollback_triggers() -> None:
    assert len(rollback_triggers(tuple(Alarm(f"a{n}", f"arn:{n}", "OK") for n in range(9)))) == 5
