from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.observe.numbers import BEGAN, SOURCE, Numbers

from manuel_release.observe.counts import fast_metrics, minute_metrics
from manuel_release.observe.intake import Intake, Timing

TIMING = Timing(delay_seconds=20.0, minute_delay_seconds=90.0)


def tenth(_start: float, _end: float) -> float:
    return 0.1


def an_intake(began: int = BEGAN, **more) -> Intake:
    return Intake(replace(SOURCE, **more), began, TIMING)


def steady(until: int, begin: int = 0) -> Numbers:
    made = Numbers()
    for seconds in range(begin, until, 10):
        made.serve(SOURCE.stable, seconds, 90)
        made.serve(SOURCE.canary, seconds, 10)
    return made


def taken(intake: Intake, numbers: Numbers, seconds: int):
    return intake.take(numbers.answers(seconds), BEGAN + seconds, tenth)


def test_an_interval_is_judged_once_when_its_delay_is_over() -> None:
    intake, numbers = an_intake(), steady(120)

    assert taken(intake, numbers, 29) == []
    assert [one.t for one in taken(intake, numbers, 30)] == [10.0]
    assert [one.t for one in taken(intake, numbers, 51)] == [20.0, 30.0]
    assert intake.next_look() == BEGAN + 60


def test_intervals_carry_both_arms_and_the_weight() -> None:
    (first,) = taken(an_intake(), steady(120), 30)

    assert (first.stable.requests, first.canary.requests) == (90, 10)
    assert (first.stable.weight, first.canary.weight) == (0.1, 0.1)


def test_an_interval_without_requests_is_judged_as_empty() -> None:
    ready = taken(an_intake(), Numbers(), 50)

    assert [(one.t, one.stable.requests, one.canary.requests) for one in ready] == [
        (10.0, 0, 0),
        (20.0, 0, 0),
        (30.0, 0, 0),
    ]


def test_weight_is_asked_for_the_interval_itself() -> None:
    asked = []

    def weight(start: float, end: float) -> float:
        asked.append((start - BEGAN, end - BEGAN))
        return 0.5

    an_intake().take(steady(60).answers(40), BEGAN + 40, weight)

    assert asked == [(0, 10), (10, 20)]


def test_embedded_metrics_that_come_late_are_added_to_the_next_interval() -> None:
    intake, numbers = an_intake(), steady(120)
    taken(intake, numbers, 30)
    numbers.serve(SOURCE.canary, 0, 4, errors_5xx=4)

    (second,) = taken(intake, numbers, 40)

    assert (second.canary.requests, second.canary.errors_5xx) == (14, 4)
    assert second.stable.requests == 90
    assert sum(second.canary.hist) == 14
    (third,) = taken(intake, numbers, 50)
    assert third.canary.requests == 10, "told once"


def test_late_data_wait_for_an_interval_to_go_with() -> None:
    intake, numbers = an_intake(), steady(120)
    taken(intake, numbers, 30)
    numbers.serve(SOURCE.canary, 0, 4)

    assert taken(intake, numbers, 35) == []
    (second,) = taken(intake, numbers, 40)
    assert second.canary.requests == 14


def test_failures_by_the_minute_reach_the_next_interval_of_both_arms_once() -> None:
    intake, numbers = an_intake(), steady(400)
    numbers.fail(SOURCE.canary, 30, errors=5)
    numbers.fail(SOURCE.stable, 30, throttles=2)

    before = taken(intake, numbers, 149)
    (after,) = taken(intake, numbers, 159)

    assert sum(one.canary.errors_5xx for one in before) == 0
    assert (after.canary.errors_5xx, after.canary.requests) == (5, 15)
    assert (after.stable.errors_5xx, after.stable.requests) == (2, 92)
    assert after.canary.counters["function_errors"] == 5
    assert after.stable.counters["throttles"] == 2
    assert sum(one.canary.errors_5xx for one in taken(intake, numbers, 300)) == 0


def test_nothing_is_complete_before_a_whole_minute_is_confirmed() -> None:
    intake, numbers = an_intake(), steady(600)

    assert not any(one.stable.complete or one.canary.complete for one in taken(intake, numbers, 149))
    assert intake.doubts == ("AWS's own counts of a whole minute are not there yet.",)
    assert all(one.stable.complete and one.canary.complete for one in taken(intake, numbers, 159))
    assert intake.doubts == ()


def test_the_minute_in_which_it_began_is_not_compared() -> None:
    intake, numbers = an_intake(BEGAN + 30), steady(600, begin=30)
    numbers.serve(SOURCE.stable, 0, 0, invocations=500)  # before the canary: its requests are not asked for again

    taken(intake, numbers, 149)
    assert intake.doubts
    assert taken(intake, numbers, 220)[-1].canary.complete


def test_sources_that_disagree_make_intervals_incomplete() -> None:
    intake, numbers = an_intake(), steady(600)
    numbers.serve(SOURCE.canary, 0, 0, invocations=50)

    ready = taken(intake, numbers, 160)

    assert not ready[-1].canary.complete
    assert not ready[-1].stable.complete
    assert [sentence.split()[0] for sentence in intake.doubts] == ["manuel-query-prod:r-2"]


def test_a_disagreement_is_forgotten_when_its_minutes_are_long_past() -> None:
    intake, numbers = an_intake(), steady(900)
    numbers.serve(SOURCE.canary, 0, 0, invocations=50)
    for seconds in range(160, 460, 60):
        taken(intake, numbers, seconds)

    assert taken(intake, numbers, 470)[-1].canary.complete


def test_metrics_that_cannot_be_read_make_intervals_incomplete() -> None:
    intake, numbers = an_intake(), steady(600)
    taken(intake, numbers, 160)
    failed = {fast_metrics(SOURCE)[0]: "InternalError"}

    ready = intake.take(numbers.answers(170, failed), BEGAN + 170, tenth)

    assert not ready[-1].canary.complete
    assert intake.doubts == ("Manuel/Application Requests: InternalError",)


def test_awss_minutes_that_stay_away_make_intervals_incomplete() -> None:
    intake, numbers = an_intake(), steady(600)
    taken(intake, numbers, 160)
    broken = {minute_metrics(SOURCE)[0]: "InternalError"}
    for seconds in range(210, 330, 60):
        intake.take(numbers.answers(seconds, broken), BEGAN + seconds, tenth)

    ready = intake.take(numbers.answers(340), BEGAN + 301, tenth)
    assert ready[-1].canary.complete, "they are there again"


def test_aws_that_is_far_behind_is_a_doubt() -> None:
    intake, numbers = an_intake(), steady(600)
    taken(intake, numbers, 160)
    broken = {minute_metrics(SOURCE)[0]: "InternalError"}

    intake.take(numbers.answers(330, broken), BEGAN + 330, tenth)

    assert intake.doubts[-1] == "AWS's own counts are 270 s behind."


def test_only_what_is_due_is_asked_for() -> None:
    intake, numbers = an_intake(), steady(600)

    assert intake.wanted(BEGAN + 29)[0] == ()
    metrics, start = intake.wanted(BEGAN + 30)
    assert set(metrics) == set(fast_metrics(SOURCE))
    assert start == BEGAN - 1800
    taken(intake, numbers, 30)
    metrics, start = intake.wanted(BEGAN + 150)
    assert set(metrics) == {*fast_metrics(SOURCE), *minute_metrics(SOURCE)}
    assert start % 60 == 0
    assert start <= BEGAN - 240
    taken(intake, numbers, 150)
    assert set(intake.wanted(BEGAN + 160)[0]) == set(fast_metrics(SOURCE))


def test_a_long_pause_is_asked_for_from_its_beginning() -> None:
    intake = an_intake()
    taken(intake, steady(60), 60)

    assert intake.wanted(BEGAN + 5000)[1] <= BEGAN + 40


def test_the_stable_arm_before_the_canary_is_warm_up() -> None:
    intake, numbers = an_intake(), steady(60)
    numbers.serve(SOURCE.stable, -600, 70, errors_5xx=1)
    numbers.serve(SOURCE.stable, -10, 80)
    numbers.serve(SOURCE.canary, -10, 3)
    taken(intake, numbers, 30)

    warm = intake.warmup()

    assert (warm[0].t, warm[0].stable.requests, warm[0].stable.errors_5xx) == (-600.0, 70, 1)
    assert (warm[-1].t, warm[-1].stable.requests) == (-10.0, 80)
    assert {one.canary for one in warm} == {None}
    assert len(warm) == 60


@settings(max_examples=40, deadline=None)
@given(
    looks=st.lists(st.integers(1, 70), min_size=1, max_size=20),
    late=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.booleans()), max_size=12),
)
def test_no_request_is_lost_or_counted_twice_however_often_one_looks(looks, late) -> None:
    intake, numbers = an_intake(), steady(310)
    seen = {"stable": 0, "canary": 0}
    wanted = {"stable": 31 * 90, "canary": 31 * 10}
    now = 20

    def add(ready) -> None:
        for one in ready:
            seen["stable"] += one.stable.requests
            seen["canary"] += one.canary.requests

    for pause in looks:
        now += pause
        add(taken(intake, numbers, now))
        if late:
            interval, requests, on_canary = late.pop()
            numbers.serve(SOURCE.canary if on_canary else SOURCE.stable, interval * 10, requests)
            wanted["canary" if on_canary else "stable"] += requests
    now = max(now, 330)
    for _ in range(2):
        now += 10
        add(taken(intake, numbers, now))

    assert seen == wanted


def test_failures_that_reached_no_function_are_the_arms_that_the_access_log_names() -> None:
    intake, numbers = an_intake(), steady(600)
    numbers.api_failures(70, 40)
    asked = []

    def read_log(start: int, end: int) -> tuple[int, int]:
        asked.append((start - BEGAN, end - BEGAN))
        return 4, 36

    def look(seconds: int):
        return intake.take(numbers.answers(seconds), BEGAN + seconds, tenth, read_log)

    look(159)
    ready = look(219)

    assert asked == [(60, 120)], "only the minute that is not explained, once"
    assert (ready[0].stable.errors_5xx, ready[0].canary.errors_5xx) == (4, 36)
    assert ready[0].canary.requests == 46
    assert ready[0].canary.complete
    look(279)
    assert asked == [(60, 120)]


def test_failures_that_the_access_log_does_not_know_stay_a_doubt() -> None:
    intake, numbers = an_intake(), steady(600)
    numbers.api_failures(10, 40)

    ready = intake.take(numbers.answers(160), BEGAN + 160, tenth, lambda _start, _end: (0, 0))

    assert not ready[-1].canary.complete
    assert intake.doubts == ("The API failed 40 times, and the functions of both arms account for 0.",)


def test_the_access_log_is_not_read_for_what_was_before_the_canary() -> None:
    intake, numbers = an_intake(BEGAN + 30), steady(600, begin=30)
    numbers.api_failures(0, 40)
    asked = []

    def read_log(start: int, end: int) -> tuple[int, int]:
        asked.append((start - BEGAN, end - BEGAN))
        return 0, 0

    intake.take(numbers.answers(200), BEGAN + 200, tenth, read_log)

    assert asked == [(30, 60)]
