"""The specification's absolute limits, and whose fault a breach is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.verdict.traffic import EDGES_MS, USUAL, arm

from manuel_release.verdict import ArmCounts, Breach, LimitsMode
from manuel_release.verdict.limits import SPECIFICATION, LimitWatch, binomial_tail

SIX_SECONDS = (0.0,) * 7 + (1.0, 0.0)
TWELVE_SECONDS = (0.0,) * 8 + (1.0,)
EDGES = (*EDGES_MS, 15_000.0)


def watched(
    intervals: list[tuple[ArmCounts, ArmCounts]], mode: LimitsMode = LimitsMode.SHARED, rho: float = 0.1
) -> tuple[Breach, ...]:
    watch = LimitWatch(mode, EDGES)
    breaches: tuple[Breach, ...] = ()
    for i, (stable, canary) in enumerate(intervals):
        breaches = watch.update(10.0 * i, stable, canary, rho)
    return breaches


def counted(**counters: int) -> ArmCounts:
    return arm(100, counters=counters)


@pytest.mark.parametrize(
    ("limit", "below", "above", "seconds"),
    [
        ("more than 5 5xx in 5 min", arm(100, 1), arm(100, 2), 50),
        ("more than 10 Lambda errors in 5 min", counted(function_errors=2), counted(function_errors=3), 50),
        ("more than 5 throttled requests in 5 min", counted(throttles=1), counted(throttles=2), 50),
        ("a quota failure in 5 min", counted(quota_failures=0), counted(quota_failures=1), 10),
        (
            "query success below 95 %",
            counted(queries=20, query_failures=1),
            counted(queries=20, query_failures=2),
            50,
        ),
        (
            "transcription failures above 5 %",
            counted(transcriptions=20, transcription_failures=1),
            counted(transcriptions=20, transcription_failures=2),
            50,
        ),
        ("5xx rate of 1 % for 10 min", arm(1000, 9), arm(1000, 10), 610),
        ("4xx rate of 1 % for 10 min", arm(1000, 0, 9), arm(1000, 0, 10), 610),
        ("P95 above 5 s for 10 min", arm(100), arm(100, shares=SIX_SECONDS), 610),
        ("P95 above 10 s for 5 min", arm(100, shares=SIX_SECONDS), arm(100, shares=TWELVE_SECONDS), 310),
    ],
)
def test_each_limit_of_the_specification_is_broken_at_its_number_and_not_before(
    limit: str, below: ArmCounts, above: ArmCounts, seconds: int
) -> None:
    quiet = arm(100)

    assert limit not in [b.limit for b in watched([(quiet, below)] * (seconds // 10))]
    found = {b.limit: b for b in watched([(quiet, above)] * (seconds // 10))}
    assert limit in found
    assert found[limit].rolls_back
    assert found[limit].canary_value > 0


def test_every_limit_of_the_specification_is_tested_above() -> None:
    marks = test_each_limit_of_the_specification_is_broken_at_its_number_and_not_before.pytestmark

    assert [case[0] for case in marks[0].args[1]] == [limit.name for limit in SPECIFICATION]


def test_a_limit_of_ten_minutes_needs_every_one_of_them() -> None:
    bad, good = (arm(1000), arm(1000, 20)), (arm(1000), arm(1000, 0))
    rate = "5xx rate of 1 % for 10 min"

    assert rate in [b.limit for b in watched([bad] * 61)]
    assert rate not in [b.limit for b in watched([bad] * 30 + [good] * 6 + [bad] * 25)]
    assert rate not in [b.limit for b in watched([bad] * 30 + [(arm(1000), arm(0))] * 6 + [bad] * 25)]


def test_a_count_is_forgotten_after_its_window() -> None:
    assert watched([(arm(1000), arm(1000, 30))] + [(arm(1000), arm(1000, 0))] * 29)
    assert not watched([(arm(1000), arm(1000, 30))] + [(arm(1000), arm(1000, 0))] * 35)


def test_when_the_stable_arm_breaks_the_same_limit_it_is_an_incident() -> None:
    (shared,) = watched([(arm(900, 60), arm(100, 7))])

    assert shared.shared
    assert not shared.rolls_back
    assert (shared.canary_value, shared.stable_value, shared.threshold) == (7.0, 60.0, 5)
    assert "it is an incident" in shared.sentence


def test_when_chance_explains_the_canarys_events_it_is_an_incident() -> None:
    (by_chance,) = watched([(arm(500, 4), arm(500, 7))], rho=0.5)
    (alone,) = watched([(arm(500, 1), arm(500, 18))], rho=0.5)

    assert by_chance.shared
    assert not alone.shared


def test_events_that_the_stable_arm_does_not_have_are_not_explained_by_chance() -> None:
    (one,) = watched([(counted(quota_failures=0), counted(quota_failures=1))], rho=0.5)

    assert one.rolls_back


def test_chance_is_taken_minute_by_minute_when_the_weight_was_raised() -> None:
    before = [(arm(90, 0, weight=0.1), arm(10, 6, weight=0.1))]
    watch = LimitWatch(LimitsMode.SHARED, EDGES)
    watch.update(0.0, *before[0], 0.1)
    (breach,) = watch.update(60.0, arm(50, 0), arm(50, 0), 0.5)

    assert breach.rolls_back


def test_within_a_minute_the_largest_share_counts() -> None:
    watch = LimitWatch(LimitsMode.SHARED, EDGES)
    watch.update(0.0, arm(90), arm(10), 0.1)
    (breach,) = watch.update(10.0, arm(50, 4), arm(50, 7), 0.5)
    watch.update(20.0, arm(90), arm(10), 0.1)
    (later,) = watch.update(30.0, arm(90), arm(10), 0.1)

    assert breach.shared
    assert later.shared


def test_no_more_minutes_are_kept_than_the_longest_window_needs() -> None:
    watch = LimitWatch(LimitsMode.SHARED, EDGES)
    for i in range(200):
        watch.update(60.0 * i, arm(10), arm(1), 0.1)

    assert len(watch._minutes) == 11


def test_the_literal_reading_rolls_back_a_shared_breach_and_a_report_rolls_back_nothing() -> None:
    incident = [(arm(900, 60), arm(100, 7))]
    own_fault = [(arm(900, 0), arm(100, 7))]

    assert watched(incident, LimitsMode.ABSOLUTE)[0].rolls_back
    assert not watched(own_fault, LimitsMode.REPORT)[0].rolls_back


def test_what_is_not_measured_breaks_no_limit() -> None:
    assert not watched([(arm(100), ArmCounts(100, 0, 0, (), 0.1))] * 70)


def test_few_queries_are_no_rate() -> None:
    few = (arm(100), counted(queries=3, query_failures=1))

    assert not watched([few] * 5)
    assert watched([few] * 8)


def test_a_slow_arm_beside_a_slow_arm_is_an_incident() -> None:
    slow = arm(100, shares=SIX_SECONDS)
    breaches = watched([(slow, slow)] * 61)

    assert [b.limit for b in breaches] == ["P95 above 5 s for 10 min"]
    assert breaches[0].shared
    assert "ms" in breaches[0].sentence
    assert not watched([(arm(100, shares=USUAL), slow)] * 61)[0].shared


def test_what_cannot_happen_has_no_chance() -> None:
    assert binomial_tail(1, 5, 0.0) == 0.0
    assert binomial_tail(0, 5, 0.0) == 1.0


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 0.99))
def test_the_binomial_tail_is_the_sum_of_its_terms(k: int, more: int, p: float) -> None:
    n = k + more
    expected = math.fsum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))

    assert binomial_tail(k, n, p) == pytest.approx(expected, rel=1e-9)
