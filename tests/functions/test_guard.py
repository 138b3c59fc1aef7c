"""The guard: what it does about events and once a minute, with a rollback that only says that it was called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import CALLER, Clock, FakeAws

from manuel_release import settings
from manuel_release.app import App
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.options import GlobalOptions
from manuel_release.model.rollback import Receipt
from manuel_release.model.traffic import Alarm, ApiStage, Canary
from manuel_release.record.ledger import entry_id
from operations.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from manuel_release.model.rollback import RollbackRequest

MINUTE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def alarm(name: str, state: str = "ALARM") -> dict[str, Any]:
    detail = {"alarmName": name, "state": {"value": state, "reason": "6 is greater than 5."}}
    return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": detail}


def failed_rollout(group: str = "manuel-query-prod") -> dict[str, Any]:
    detail = {"application": "manuel-serverless-app", "deploymentGroup": group, "deploymentId": "d-1"}
    kind = "CodeDeploy Deployment State-change Notification"
    return {"source": "aws.codedeploy", "detail-type": kind, "detail": {**detail, "state": "FAILURE"}}


def approval(state: str = "FAILED", execution: str = "x-1") -> dict[str, Any]:
    detail = {
        "execution-id": execution,
        "stage": "CanaryApproval",
        "action": "DevOps",
        "state": state,
        "type": {"category": "Approval"},
        "execution-result": {"external-execution-summary": "Rejected by ann."},
    }
    return {"source": "aws.codepipeline", "detail-type": "CodePipeline Action Execution State Change", "detail": detail}


def dead_observer() -> dict[str, Any]:
    detail = {
        "build-status": "STOPPED",
        "project-name": "manuel-observe",
        "build-id": "arn:aws:codebuild:eu-west-1:1:build/manuel-observe:b-1",
    }
    return {"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": detail}


class World:
    """Production with r-12 serving and r-13 on trial at 10 %, looked after for three minutes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.aws: Any = FakeAws(clock=self.clock)
        self.aws.parameters.values.update(
            {settings.LEDGER_PARAMETER: "ledger", settings.TOPIC_PARAMETER: "arn:topic"}
            | {settings.API_PARAMETER.format(environment="production"): '{"rest_api_id": "api1", "stage": "v1"}'}
        )
        self.told: list[str] = []
        self.aws.topics = SimpleNamespace(publish=lambda *given: self.told.append(given[1]))
        self.settings = settings.Settings()
        self.asked: list[RollbackRequest] = []
        self.resumed: list[str] = []
        self.fault: ReleaseError | None = None
        self.left: tuple[str, ...] = ()
        self.taken_from: str | None = "r-13"
        self.bad, self.judged = "", 0
        self.judge_fault: ReleaseError | None = None
        self.stage(canary=Canary(10.0, "r-13"), candidate="r-13")
        self.write(EntryKind.RELEASE_LIVE, "r-12")
        self.write(EntryKind.CANARY_STARTED, "r-13", percent=10.0, stable="r-12")
        self.beat(180)

    def stage(self, canary: Canary | None = None, **variables: str) -> None:
        known = {"release": "live", "current": "r-12", "previous": "r-11", **variables}
        self.aws.gateway.stages["api1"] = ApiStage("api1", "v1", "d1", known, canary)

    def write(self, kind: EntryKind, release: str, **details: Any) -> None:
        self.clock.sleep(1)
        at = self.clock.at
        entry = Entry(entry_id(at), "production", "v1", at, kind, release, "ann", details=details)
        self.app("production").ledger.append(entry)

    def asks(self, execution: str, gate: str) -> None:
        """People are asked, as the pipeline does it before a gate."""
        self.clock.sleep(1)
        at, details = self.clock.at, {"gate": gate, "execution_id": execution, "decision": "requested"}
        entry = Entry(entry_id(at), "production", "", at, EntryKind.APPROVAL, "", "pipeline", details=details)
        self.app("production").ledger.append(entry)

    def beat(self, seconds: float) -> None:
        until = self.clock.at + timedelta(seconds=seconds)
        self.app("production").ledger.beat("production", "v1", "r-13", self.clock.at, until, "observer")

    def rings(self, *names: str) -> None:
        self.aws.alarms.all = tuple(Alarm(name, f"arn:{name}", "ALARM", "Planted.") for name in names)

    def holds_all(self) -> None:
        self.stage(current="r-13", previous="r-12", candidate="none")
        self.write(EntryKind.ROLLOUT_STARTED, "r-13", stable="r-12")
        self.write(EntryKind.RELEASE_LIVE, "r-13", previous="r-12")

    def app(self, environment: str | None) -> App:
        app = App(GlobalOptions(environment=environment), screen=None)  # type: ignore[arg-type]
        for name, value in {"settings": self.settings, "aws": self.aws, "caller": CALLER}.items():
            app.__dict__[name] = value
        app.now, app.sleep = self.clock.now, self.clock.sleep  # type: ignore[method-assign]
        return app

    def roll_back(self, _app: App, request: RollbackRequest, _progress: object) -> Receipt:
        self.asked.append(request)
        if self.fault is not None:
            raise self.fault
        return Receipt("production", "v1", self.taken_from, "r-12", "why", traffic_restored=True)

    def judge(self, _app: App) -> str:
        self.judged += 1
        if self.judge_fault is not None:
            raise self.judge_fault
        return self.bad

    def resume(self, _app: App, environment: object, _progress: object) -> Receipt | None:
        self.resumed.append(environment.name)  # type: ignore[attr-defined]
        if self.fault is not None:
            raise self.fault
        known = Receipt("production", "v1", "r-13", "r-12", "why", traffic_restored=True, message="finished")
        return replace(known, left=self.left)

    def happens(self, event: Mapping[str, Any]) -> list[str]:
        guard = Guard(self.app, self.roll_back, self.resume, self.judge)
        return [one["action"] for one in guard.handle(event)]

    def kinds(self) -> list[EntryKind]:
        return [entry.kind for entry in self.app("production").ledger.entries("production")]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return World()


def test_an_alarm_of_the_canary_is_rolled_back_by_its_name(world: World) -> None:
    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["roll_back"]

    (request,) = world.asked
    assert (request.trigger, request.only, request.to) == ("manuel-prod-r-13-5xx", "r-13", None)
    assert request.reason == "manuel-prod-r-13-5xx rings while r-13 is on trial: 6 is greater than 5"


def test_two_alarms_of_one_incident_are_one_rollback(world: World) -> None:
    world.happens(alarm("manuel-prod-r-13-5xx"))

    assert world.happens(alarm("manuel-prod-r-13-slowness")) == ["keep_watching"]
    assert len(world.asked) == 1


def test_a_rollback_that_died_is_begun_again_by_the_next_event(world: World) -> None:
    world.happens(alarm("manuel-prod-r-13-5xx"))
    world.clock.sleep(301)

    assert world.happens(alarm("manuel-prod-r-13-slowness")) == ["roll_back"]


def test_a_rollback_that_is_not_possible_is_told_and_tried_again(world: World) -> None:
    world.fault = ReleaseError("API Gateway is away")

    with pytest.raises(ReleaseError, match="API Gateway is away"):
        world.happens(alarm("manuel-prod-r-13-5xx"))
    assert world.told == ["A person is needed: r-13 in production"]

    world.fault = None
    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["roll_back"]


def test_it_rolls_back_without_a_ledger_too(world: World) -> None:
    del world.aws.parameters.values[settings.LEDGER_PARAMETER]

    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["roll_back"]


@pytest.mark.parametrize(
    "event",
    [
        alarm("manuel-prod-r-11-5xx"),  # an old release
        alarm("manuel-prod-r-14-5xx"),  # one that does not exist
        alarm("manuel-prod-r-13-5xx", state="OK"),
        alarm("manuel-dev-api-5xx"),
        approval("SUCCEEDED"),
        {"source": "aws.ec2", "detail": {}},
    ],
)
def test_what_is_not_about_the_release_on_trial_moves_nothing(world: World, event: dict[str, Any]) -> None:
    assert set(world.happens(event)) <= {"keep_watching"}
    assert (world.asked, world.told) == ([], [])


def test_an_alarm_of_both_arms_calls_people_once_and_is_written_down(world: World) -> None:
    world.rings("manuel-prod-r-12-5xx")

    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["escalate"]
    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["escalate"]

    assert world.asked == []
    assert world.told == ["Shared incident: r-13 in production"]
    assert world.kinds().count(EntryKind.INVESTIGATE) == 1


def test_when_the_other_arm_has_recovered_the_canary_is_blamed_after_all(world: World) -> None:
    world.rings("manuel-prod-r-13-5xx")

    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]
    assert world.asked[0].trigger == "manuel-prod-r-13-5xx"


def test_a_failed_deployment_of_a_rollout_is_rolled_back(world: World) -> None:
    assert world.happens(failed_rollout()) == ["investigate"]

    world.write(EntryKind.ROLLOUT_STARTED, "r-13", stable="r-12")
    assert world.happens(failed_rollout("manuel-query-dev")) == []
    assert world.happens(failed_rollout()) == ["roll_back"]
    assert world.asked[0].trigger == "d-1"


def test_a_rejected_or_abandoned_approval_takes_the_canary_back(world: World) -> None:
    assert world.happens(approval()) == ["roll_back"]
    assert world.asked[0].reason == "CanaryApproval/DevOps did not approve r-13: Rejected by ann"


def test_a_gate_that_was_left_waiting_by_an_earlier_canary_does_not_take_the_next_one_back(world: World) -> None:
    world.asks("x-1", "canary")
    world.write(EntryKind.ROLLED_BACK, "r-13", to="r-12")
    world.stage(canary=Canary(10.0, "r-14"), candidate="r-14")
    world.write(EntryKind.CANARY_STARTED, "r-14", percent=10.0, stable="r-12")
    world.asks("x-2", "production")

    assert world.happens(approval(execution="x-1")) == ["keep_watching"]
    assert (world.asked, world.told) == ([], [])

    world.asks("x-2", "canary")
    assert world.happens(approval(execution="x-2")) == ["roll_back"]
    assert world.asked[0].only == "r-14"


@pytest.mark.parametrize("ledger", [True, False])
def test_a_refused_gate_that_the_ledger_does_not_know_is_about_the_canary_there_is(world: World, ledger: bool) -> None:
    if ledger:
        world.asks("x-1", "canary")
    else:
        del world.aws.parameters.values[settings.LEDGER_PARAMETER]

    assert world.happens(approval(execution="x-2")) == ["roll_back"]


def test_nobody_waits_for_an_approval_without_a_canary(world: World) -> None:
    world.stage()
    world.write(EntryKind.CANARY_ENDED, "r-13", to="r-12")

    assert world.happens(approval()) == ["keep_watching"]


def test_an_observing_job_that_died_takes_the_canary_back_unless_it_had_handed_over(world: World) -> None:
    world.beat(7200)
    assert world.happens(dead_observer()) == ["keep_watching"]

    world.beat(100)
    assert world.happens(dead_observer()) == ["roll_back"]
    assert world.asked[0].trigger == "manuel-observe:b-1"


def test_a_canary_without_a_sign_of_life_is_taken_back_within_the_minute(world: World) -> None:
    world.clock.sleep(180)
    assert world.happens(MINUTE) == ["keep_watching"]

    world.clock.sleep(1)
    assert world.happens(MINUTE) == ["roll_back"]
    assert world.asked[0].trigger == "heartbeat"


def test_somebody_who_changes_the_environment_is_a_sign_of_life(world: World) -> None:
    world.clock.sleep(181)
    world.app("production").ledger.acquire("production", "v1", "ann", "promote", 900.0, "token")

    assert world.happens(MINUTE) == ["keep_watching"]


def test_a_release_with_all_requests_is_guarded_until_its_last_observation_is_over(world: World) -> None:
    world.holds_all()
    world.clock.sleep(1799)
    assert world.happens(alarm("manuel-prod-r-13-latency")) == ["roll_back"]

    world.clock.sleep(301)
    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["escalate"]
    assert (len(world.asked), world.told) == (1, ["A person is needed: r-13 in production"])


def test_a_release_that_waits_already_is_not_taken_for_the_one_that_rings(world: World) -> None:
    world.holds_all()
    world.stage(current="r-13", previous="r-12", candidate="r-14")

    world.happens(alarm("manuel-prod-r-13-5xx"))

    assert [request.only for request in world.asked] == ["r-13"]


def test_a_release_that_somebody_else_took_back_meanwhile_is_not_taken_back_twice(world: World) -> None:
    world.taken_from = None

    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["keep_watching"]


def test_while_people_decide_the_guard_judges_the_canary(world: World) -> None:
    world.beat(7200)
    assert world.happens(MINUTE) == ["keep_watching"]

    world.bad = "The canary is worse: 5xx errors 3 % on the canary against 0.5 % on stable."
    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]

    (request,) = world.asked
    assert (request.trigger, request.only) == ("verdict", "r-13")
    assert request.reason == f"the verdict on r-13 is bad: {world.bad.rstrip('.')}"


def test_a_canary_that_somebody_observes_is_left_to_their_judgement(world: World) -> None:
    world.bad = "The canary is worse."

    assert world.happens(MINUTE) == ["keep_watching"]
    assert world.judged == 0


def test_an_alarm_that_rings_is_not_held_up_by_a_judgement_that_fails(world: World) -> None:
    world.beat(7200)
    world.rings("manuel-prod-r-13-5xx")
    world.judge_fault = ReleaseError("CloudWatch is away")

    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]


def test_a_judgement_that_fails_is_tried_again_in_the_next_minute(world: World) -> None:
    world.beat(7200)
    world.judge_fault = ReleaseError("CloudWatch is away")
    assert world.happens(MINUTE) == []

    world.judge_fault, world.bad = None, "The canary is worse."
    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]


def test_after_100_percent_there_is_nothing_to_judge_it_by(world: World) -> None:
    world.holds_all()
    world.beat(7200)
    world.bad = "The canary is worse."

    assert world.happens(MINUTE) == ["keep_watching"]
    assert world.judged == 0


def test_a_rollback_that_was_begun_is_finished(world: World) -> None:
    world.stage(release="r-12", canary=Canary(0.0, "r-12"))
    world.write(EntryKind.ROLLBACK_STARTED, "r-13", to="r-12")

    assert world.happens(MINUTE) == ["continued"]
    assert world.resumed == ["production"]


def test_a_rollback_that_somebody_is_at_is_left_to_them(world: World) -> None:
    world.stage(release="r-12")
    world.app("production").ledger.acquire("production", "v1", "ann", "rollback", 900.0, "token")

    assert (world.happens(MINUTE), world.resumed) == ([], [])


def test_a_rollback_that_cannot_be_finished_is_tried_again_after_a_quarter_of_an_hour(world: World) -> None:
    world.stage(release="r-12")
    world.fault = ReleaseError("Lambda is away")
    for _ in range(3):
        assert world.happens(MINUTE) == []
    assert len(world.resumed) == 1

    world.clock.sleep(901)
    world.fault = None
    assert world.happens(MINUTE) == ["continued"]


def test_a_rollback_that_needs_a_person_is_tried_again_after_a_quarter_of_an_hour(world: World) -> None:
    world.stage(release="r-12")
    world.left = ("the alias r-12 is missing",)
    assert [world.happens(MINUTE) for _ in range(3)] == [["continued"], [], []]

    world.clock.sleep(901)
    assert world.happens(MINUTE) == ["continued"]


def test_an_unfinished_rollback_does_not_blind_the_look_at_the_release_on_trial(world: World) -> None:
    world.write(EntryKind.ROLLBACK_UNFINISHED, "r-11", to="r-12", left=["a person"])
    world.left = ("a person",)
    assert world.happens(MINUTE) == ["continued", "keep_watching"]

    world.rings("manuel-prod-r-13-5xx")
    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]


def test_an_unfinished_rollback_to_what_a_newer_release_has_replaced_is_not_continued(world: World) -> None:
    world.write(EntryKind.ROLLBACK_UNFINISHED, "r-11", to="r-12", left=["a person"])
    world.holds_all()
    world.rings("manuel-prod-r-13-5xx")

    assert world.happens(MINUTE) == ["keep_watching", "roll_back"]
    assert world.resumed == []


def test_a_release_that_its_observer_found_proven_is_on_trial_no_more(world: World) -> None:
    world.holds_all()
    world.beat(180)
    world.clock.sleep(181)
    assert world.happens(MINUTE) == ["investigate"]

    world.beat(0)
    assert world.happens(MINUTE) == ["keep_watching"]
    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["escalate"]


def test_a_pinned_release_is_nobody_s_trial(world: World) -> None:
    world.stage(release="r-12", canary=Canary(0.0, "r-12"))

    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["keep_watching"]


def test_an_environment_that_is_not_deployed_yet_is_no_error(world: World) -> None:
    del world.aws.gateway.stages["api1"]

    assert world.happens(MINUTE) == []


def test_limits_that_are_only_reported_are_told(world: World) -> None:
    world.settings = replace(world.settings, limits="report")

    assert world.happens(alarm("manuel-prod-r-13-5xx")) == ["investigate"]
    assert world.told == ["To be investigated: r-13 in production"]


def test_only_the_settings_in_ssm_count_whatever_lies_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manuel-release.toml").write_text("poll_seconds = 3\n")
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path / "code")
    monkeypatch.setattr(App, "_settings_in_ssm", lambda _: "poll_seconds = 9\n")

    assert Guard().app(None).settings.poll_seconds == 9.0
