"""Quantiles, shares, and the way numbers are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.verdict import wording
from manuel_release.verdict.clock import Clock
from manuel_release.verdict.evidence import ArmNumbers
from manuel_release.verdict.histogram import beyond, quantile_ms, share_beyond
from manuel_release.verdict.latency import LatencyPast, LatencyProcess

EDGES = (10.0, 20.0, 40.0)


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    assert quantile_ms((10, 10, 0, 0), EDGES, 0.5) == 10.0
    assert quantile_ms((10, 10, 0, 0), EDGES, 0.75) == 15.0
    assert quantile_ms((0, 0, 4, 0), EDGES, 0.5) == 30.0


def test_the_open_bucket_gives_its_lower_edge() -> None:
    assert quantile_ms((0, 0, 0, 5), EDGES, 0.5) == 40.0


def test_without_counts_or_edges_there_is_no_quantile() -> None:
    assert quantile_ms((0, 0, 0, 0), EDGES, 0.5) is None
    assert quantile_ms((1, 2, 3), (), 0.5) is None


def test_requests_beyond_a_bucket() -> None:
    assert beyond((1, 2, 3, 4), 1) == 7
    assert beyond((1, 2, 3, 4), 3) == 0


@given(st.lists(st.integers(1, 50), min_size=3, max_size=8), st.floats(0.05, 0.95))
def test_a_histogram_has_its_own_share_beyond_its_quantile(hist: list[int], share: float) -> None:
    assert share_beyond(hist, hist, share) == pytest.approx(1.0 - share)


def test_all_of_a_slower_histogram_is_beyond() -> None:
    assert share_beyond((0, 0, 9), (5, 4, 0), 0.95) == 1.0


def test_the_past_fades_and_refuses_other_buckets() -> None:
    past = LatencyPast()
    for _ in range(60):
        past.learn((2, 0))
    assert past.counts == [61.0, 0.0]
    assert past.quantile_bucket(0.95) == 0
    with pytest.raises(ValueError, match="buckets changed"):
        past.learn((1, 2, 3))


def test_nineteen_past_requests_are_too_few_to_bet_on() -> None:
    past, process = LatencyPast(), LatencyProcess()
    past.learn((10, 9))
    process.update((0, 5), (5, 0), (0.1, 0.1), past)
    assert process.value == pytest.approx(1.0)
    past.learn((1, 0))
    process.update((0, 5), (5, 0), (0.1, 0.1), past)
    assert process.value > 2.0


@pytest.mark.parametrize(("growth", "waiting", "renewed"), [(1.05, 0, False), (1.05, 12, True), (1.5, 0, True)])
def test_the_bets_follow_the_past_after_a_dozen_intervals_or_a_tenth_of_growth(
    growth: float, waiting: int, renewed: bool
) -> None:
    nothing, interval = (0, 0, 0), ((0, 3, 4), (9, 9, 9))
    past = LatencyPast()
    past.learn((1000, 500, 20))
    running, fresh = LatencyProcess(), LatencyProcess()
    running.update(nothing, nothing, (0.1, 0.1), past)
    past.learn((0, 0, round((growth - 1.0) * 1520)))
    for _ in range(waiting):
        running.update(nothing, nothing, (0.1, 0.1), past)
    for process in (running, fresh):
        process.update(*interval, (0.1, 0.1), past)

    assert (running.value == fresh.value) is renewed


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (450, "7 min 30 s"), (3599.6, "1 h"), (9000, "2 h 30 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "no requests"), (0.0, "0 %"), (0.034, "0.034 %"), (2.36, "2.4 %"), (45.45, "45.5 %"), (100.0, "100 %")],
)
def test_percentages_have_the_digits_that_matter(value: float | None, said: str) -> None:
    assert wording.percent(value) == said


def test_odds_and_shares_are_readable() -> None:
    assert wording.odds(166.67) == "167 to 1"
    assert wording.odds(1.53) == "1.5 to 1"
    assert wording.odds(1e9) == "more than a million to 1"
    assert wording.share_of(ArmNumbers(0, 0)) == "no requests"
    assert wording.share_of(ArmNumbers(12_500, 12)) == "0.096 % (12 of 12,500)"
    assert wording.name("query_failures") == "failed queries"
    assert wording.name("something_else") == "something else"


def test_the_clock_reads_ends_unless_the_first_stamp_is_zero() -> None:
    ends, begins = Clock(), Clock()

    assert [ends.interval(t) for t in (10, 20, 40)] == [(0, 10), (10, 20), (20, 40)]
    assert [begins.interval(t) for t in (0, 10, 30)] == [(0, 10), (10, 20), (30, 50)]


@pytest.mark.parametrize("seconds", [1, 5, 30, 60])
def test_the_first_interval_is_as_long_as_the_warm_up_s_or_began_at_zero(seconds: int) -> None:
    ends, late, begins, alone, coarse = Clock(), Clock(), Clock(), Clock(), Clock()
    for warmed in (ends, late, begins, coarse):
        for i in (-5, -4, -2, -1):
            warmed.warmup(i * seconds)

    assert ends.interval(seconds) == (0, seconds)
    assert coarse.interval(1) == (0, 1)
    assert late.interval(600) == (600 - seconds, 600)
    assert begins.interval(0) == (0, seconds)
    assert alone.interval(seconds) == (0, seconds)
