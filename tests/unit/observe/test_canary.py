from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from unit.observe.numbers import BEGAN, FUNCTION, SOURCE, Numbers

from manuel_release.errors import AccessError, ReleaseError, SettingsError
from manuel_release.model.environment import Environment
from manuel_release.model.stack import ALIAS, Resource, Stack
from manuel_release.model.traffic import ApiStage, Canary
from manuel_release.observe.canary import FAILED, CanaryObserver, find_canary, logged_failures
from manuel_release.observe.follow import follow
from manuel_release.settings import Settings

if TYPE_CHECKING:
    from manuel_release.model.metric import MetricAnswers

PRODUCTION = Environment("production", "prod", "manuel-prod", "p.json")
CHANGED = datetime.fromtimestamp(BEGAN - 10, UTC)
STAGE = ApiStage("abc", "v1", "d1", {"release": "live", "current": "r-1"}, Canary(10.0, "r-2"), updated_at=CHANGED)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(BEGAN + seconds, UTC)


@dataclass
class Cloud:
    """An account with one service; `stage` and `numbers` may be changed while it is watched."""

    stage_now: ApiStage | None = STAGE
    numbers: Numbers = field(default_factory=Numbers)
    asked: list[tuple[int, float, float]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    lines: tuple[str, ...] | ReleaseError = ()
    logs_asked: list[tuple[str, str, float, float]] = field(default_factory=list)

    @property
    def logs(self) -> Any:
        return SimpleNamespace(matching=self._matching)

    def _matching(self, group: str, pattern: str, start: datetime, end: datetime) -> tuple[str, ...]:
        self.logs_asked.append((group, pattern, start.timestamp() - BEGAN, end.timestamp() - BEGAN))
        if isinstance(self.lines, ReleaseError):
            raise self.lines
        return self.lines

    @property
    def stacks(self) -> Any:
        outputs = {"ApiId": "abc", "ApiStage": "v1", "CodeDeployApplicationName": "manuel"}
        alias = Resource(
            "Live", f"arn:aws:lambda:eu-west-1:123456789012:function:{FUNCTION}:live", ALIAS, "CREATE_COMPLETE"
        )
        return SimpleNamespace(
            describe=lambda _name: Stack("manuel-prod", "arn", "CREATE_COMPLETE", outputs=outputs),
            resources=lambda _name: (alias,),
        )

    @property
    def gateway(self) -> Any:
        return SimpleNamespace(stage=lambda _api, _stage: self.stage_now, name=lambda _api: "manuel-api-prod")

    @property
    def metrics(self) -> Any:
        return SimpleNamespace(read=self._read)

    def _read(self, metrics: Any, start: datetime, end: datetime) -> MetricAnswers:
        if self.troubles:
            raise self.troubles.pop(0)
        self.asked.append((len(metrics), start.timestamp() - BEGAN, end.timestamp() - BEGAN))
        return self.numbers.answers(int(end.timestamp()) - BEGAN)

    def observer(self, seconds: float = 0.0, **settings: Any) -> CanaryObserver:
        subject = find_canary(self, PRODUCTION)
        return CanaryObserver(self, subject, replace(Settings(), **settings), at(seconds), "bob")


@pytest.fixture
def cloud() -> Cloud:
    """Two hours of two arms that are alike."""
    made = Cloud()
    for seconds in range(-1800, 7200, 10):
        made.numbers.serve(SOURCE.stable, seconds, 180)
        if seconds >= 0:
            made.numbers.serve(SOURCE.canary, seconds, 20)
    return made


@pytest.mark.parametrize("canary", [None, Canary(0.0, "r-2")])
def test_without_a_canary_there_is_nothing_to_observe(cloud, canary) -> None:
    cloud.stage_now = replace(STAGE, canary=canary)

    with pytest.raises(ReleaseError, match=r"production \(v1\) has no canary"):
        find_canary(cloud, PRODUCTION)


def test_a_canary_that_names_no_release_compares_nothing(cloud) -> None:
    cloud.stage_now = replace(STAGE, canary=Canary(10.0, None))

    with pytest.raises(ReleaseError, match="both sides run the same"):
        find_canary(cloud, PRODUCTION)


@pytest.mark.parametrize(
    ("variables", "ledger", "stable"),
    [
        ({"release": "live", "current": "r-1"}, "r-9", "r-1"),
        ({"release": "r-7", "current": "r-1"}, "r-9", "r-7"),
        ({"release": "live"}, "r-9", "r-9"),
    ],
)
def test_the_stable_arm_is_the_pin_else_what_the_stage_remembers_else_the_ledgers(
    cloud, variables, ledger, stable
) -> None:
    cloud.stage_now = replace(STAGE, variables=variables)

    assert find_canary(cloud, PRODUCTION, ledger).stable_release == stable


def test_an_unknown_stable_release_is_said(cloud) -> None:
    cloud.stage_now = replace(STAGE, variables={"release": "live"})

    with pytest.raises(ReleaseError, match="is not known"):
        find_canary(cloud, PRODUCTION)


def test_it_begins_with_the_first_whole_interval_after_the_stage_was_changed(cloud) -> None:
    status = cloud.observer().look(at(50))

    assert status.started_at == CHANGED
    assert status.observed_seconds == 30.0
    assert (status.verdict.stable.requests, status.verdict.canary.requests) == (540, 60)
    assert (status.desired_percent, status.actual_percent, status.step) == (10.0, 10.0, 1)
    assert (status.release, status.stable_release, status.held_by) == ("r-2", "r-1", "bob")
    assert status.next_look_at == at(60)


def test_one_look_is_one_call_for_metrics(cloud) -> None:
    observer = cloud.observer()
    observer.look(at(5))
    observer.look(at(200))
    observer.look(at(205))

    assert len(cloud.asked) == 1


def test_a_canary_older_than_cloudwatchs_memory_is_judged_over_what_is_left(cloud) -> None:
    status = cloud.observer(4 * 3600.0).look(at(4 * 3600))

    assert status.started_at == at(4 * 3600) - timedelta(hours=2, minutes=55)


def test_equal_arms_become_good_and_the_next_step_has_a_price(cloud) -> None:
    observer = cloud.observer()
    seconds = 60
    while (status := observer.look(at(seconds))).word == "cannot tell yet" and seconds < 1800:
        seconds += 60

    assert status.word == "good"
    assert status.exit_code == 0
    assert status.worst_case.next_percent == 50.0
    assert 0 < status.worst_case.failed_requests_at_most < 6000
    assert status.next_command == "manuel-release canary promote 50 --env production"


def test_equal_arms_do_not_become_good_while_the_sources_disagree(cloud) -> None:
    for seconds in range(0, 3600, 60):
        cloud.numbers.serve(SOURCE.canary, seconds, 0, invocations=60)
    observer = cloud.observer()

    statuses = [observer.look(at(seconds)) for seconds in range(60, 1800, 60)]

    assert {one.word for one in statuses} == {"cannot tell yet"}
    assert statuses[-1].doubts[0].startswith(f"{FUNCTION}:r-2 ended")
    assert statuses[-1].next_command == "manuel-release canary watch --env production"


def test_missing_data_is_never_good(cloud) -> None:
    cloud.numbers = Numbers()

    statuses = [cloud.observer().look(at(seconds)) for seconds in (60, 600, 1800)]

    assert {one.word for one in statuses} == {"cannot tell yet"}


def test_a_canary_that_fails_more_is_bad_and_the_way_back_is_named(cloud) -> None:
    for seconds in range(0, 600, 10):
        cloud.numbers.serve(SOURCE.canary, seconds, 5, errors_5xx=5)

    status = cloud.observer().look(at(120))

    assert (status.word, status.exit_code, status.decided) == ("bad", 5, True)
    assert status.next_command == "manuel-release rollback --env production"


def test_queries_that_fail_although_they_are_answered_make_it_bad(cloud) -> None:
    for seconds in range(0, 300, 10):
        cloud.numbers.serve(SOURCE.stable, seconds, 90, successes=(90, 90))
        cloud.numbers.serve(SOURCE.canary, seconds, 10, successes=(10, 4))

    status = cloud.observer().look(at(200))

    assert status.word == "bad"
    assert status.verdict.canary.errors_5xx == 0
    assert "failed queries" in status.verdict.sentence


def test_crashes_that_only_lambda_counts_make_it_bad(cloud) -> None:
    cloud.numbers.fail(SOURCE.canary, 10, errors=40)

    status = cloud.observer().look(at(200))

    assert status.word == "bad"
    assert status.verdict.canary.errors_5xx == 40


def test_a_missing_alias_is_the_canarys_fault_by_the_access_log(cloud) -> None:
    cloud.numbers = Numbers()
    for seconds in range(0, 300, 10):
        cloud.numbers.serve(SOURCE.stable, seconds, 180)
        cloud.numbers.api_failures(seconds, 20)
    cloud.stage_now = replace(STAGE, access_log="/manuel/prod/api-access")
    cloud.lines = ('{"status":"500","isCanaryRequest":"true"}',) * 120

    status = cloud.observer().look(at(200))

    assert cloud.logs_asked == [("/manuel/prod/api-access", FAILED, 0, 60)]
    assert status.word == "bad"
    assert status.verdict.canary.errors_5xx == 120
    assert status.verdict.stable.errors_5xx == 0
    assert status.doubts == ()


@pytest.mark.parametrize(
    ("group", "lines"), [("", ()), ("/a", ()), ("/a", AccessError("not allowed to do logs:FilterLogEvents"))]
)
def test_without_an_access_log_unexplained_failures_stay_a_doubt(cloud, group, lines) -> None:
    cloud.numbers.api_failures(30, 20)
    cloud.stage_now = replace(STAGE, access_log=group)
    cloud.lines = lines

    status = cloud.observer().look(at(200))

    assert status.word == "cannot tell yet"
    assert status.doubts == ("The API failed 20 times, and the functions of both arms account for 0.",)
    assert len(cloud.logs_asked) == bool(group)


def test_lines_of_an_access_log_are_told_apart_and_those_of_another_format_are_left_out() -> None:
    lines = (
        '{"status":"502","isCanaryRequest":"true"}',
        '{"status":"500","isCanaryRequest":"false"}',
        '{"status":"599","isCanaryRequest":"true","path":"/a"}',
        '{"status":"404","isCanaryRequest":"true"}',
        '{"status":"-","isCanaryRequest":"true"}',
        '{"status":"500","isCanaryRequest":"-"}',
        '{"status":"500"}',
        "500 GET /",
        "[500]",
    )

    assert logged_failures(lines) == (1, 2)


def test_a_raised_share_counts_from_the_interval_in_which_it_was_raised(cloud) -> None:
    observer = cloud.observer()
    observer.look(at(60))
    cloud.stage_now = replace(STAGE, canary=Canary(50.0, "r-2"), updated_at=at(65))

    before = observer.look(at(80))
    after = observer.look(at(100))

    assert before.desired_percent == 50.0
    assert (before.verdict.t, before.verdict.weight_percent) == (60.0, 10.0)
    assert (after.verdict.t, after.verdict.weight_percent) == (80.0, 50.0)
    assert after.worst_case.next_percent == 100.0


@pytest.mark.parametrize(
    ("stage", "ended", "code"),
    [
        (None, "The stage is gone.", 8),
        (replace(STAGE, canary=None), "The canary was ended: r-1 gets all requests.", 8),
        (replace(STAGE, canary=Canary(0.0, "r-2")), "The canary was ended: r-1 gets all requests.", 8),
        (replace(STAGE, canary=Canary(10.0, "r-3")), "Another canary took its place: r-3.", 8),
        (replace(STAGE, canary=Canary(10.0, None)), "Another canary took its place: one without a release.", 8),
        (
            replace(STAGE, canary=None, variables={"release": "live", "current": "r-2"}),
            "r-2 was given all requests.",
            0,
        ),
        (replace(STAGE, canary=None, variables={"release": "r-2"}), "r-2 was given all requests.", 0),
    ],
)
def test_it_notices_how_a_canary_ended(cloud, stage, ended, code) -> None:
    observer = cloud.observer()
    observer.look(at(30))
    cloud.stage_now = stage

    status = observer.look(at(40))

    assert (status.ended, status.exit_code, status.decided) == (ended, code, True)


@pytest.mark.parametrize("interval", [0.5, 7.0, 120.0])
def test_an_interval_that_cloudwatch_cannot_count_in_is_refused(cloud, interval) -> None:
    with pytest.raises(SettingsError, match="canary_interval_seconds"):
        cloud.observer(canary_interval_seconds=interval)


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self.told: list[str] = []

    def now(self) -> datetime:
        return at(self.seconds)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def follow(self, observer: CanaryObserver, timeout: float) -> list:
        until = self.now() + timedelta(seconds=timeout)
        return list(follow(observer, lambda: until, self.now, self.sleep, self.told.append))


def test_following_ends_by_itself_when_it_is_good(cloud) -> None:
    time = Time()
    looks = time.follow(cloud.observer(), 7200)

    assert looks[-1].word == "good"
    assert {one.word for one in looks[:-1]} == {"cannot tell yet"}
    assert set(time.pauses[1:]) == {10.0}, "one look for every interval"


def test_following_ends_when_the_time_is_over(cloud) -> None:
    time = Time()
    looks = time.follow(cloud.observer(), 45)

    assert time.seconds == 45
    assert looks[-1].exit_code == 8
    assert not looks[-1].decided


def test_a_look_that_fails_is_tried_again(cloud) -> None:
    cloud.troubles = [ReleaseError("AWS is slow")] * 4
    time = Time()

    looks = time.follow(cloud.observer(), 100)

    assert time.told == ["AWS is slow"] * 4
    assert looks[-1].observed_seconds > 60


def test_five_failures_in_a_row_end_it(cloud) -> None:
    cloud.troubles = [ReleaseError("AWS is slow")] * 5

    with pytest.raises(ReleaseError, match="AWS is slow"):
        Time().follow(cloud.observer(), 600)


def test_missing_permissions_end_it_at_once(cloud) -> None:
    cloud.troubles = [AccessError("not allowed")]
    time = Time()

    with pytest.raises(AccessError):
        time.follow(cloud.observer(), 600)
    assert time.told == []
