"""Properties that make the false-alarm bound true, checked by enumerating every possible labelling."""

from __future__ import annotations

import copy
import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manuel_release.verdict.latency import LatencyPast, LatencyProcess, closest_ratio_null, missing_fast
from manuel_release.verdict.promotion import NonInferiority
from manuel_release.verdict.wealth import RATIO_PRIOR, EventProcess, Wealth, boost, log_factors

CAP = 1000.0 / 6.0
rhos = st.sampled_from([0.02, 0.1, 0.25, 0.5, 0.9])
few_events = st.integers(1, 5)


def chance(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1.0 - p) ** (n - k)


def walk(process: EventProcess, intervals: list[tuple[int, float]], phi: float = 1.0) -> tuple[float, float]:
    """(probability of ever reaching the cap, mean of the smaller of final value and cap) over all labellings."""
    if process.value >= process.cap:
        return 1.0, process.cap
    if not intervals:
        return 0.0, process.value
    (events, rho), *rest = intervals
    reached = mean = 0.0
    for canary in range(events + 1):
        then = copy.deepcopy(process)
        then.update(canary, events - canary, rho, phi)
        p = chance(canary, events, rho)
        ever, value = walk(then, rest, phi)
        reached += p * ever
        mean += p * value
    return reached, mean


@given(st.lists(st.tuples(few_events, rhos), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_harmless_canary_reaches_the_threshold_at_most_as_often_as_alpha_allows(
    intervals: list[tuple[int, float]],
) -> None:
    reached, mean = walk(EventProcess(20.0), intervals)

    assert mean <= 1.0 + 1e-12
    assert reached <= 1.0 / 20.0 + 1e-12


@given(st.lists(st.tuples(few_events, rhos), min_size=1, max_size=3), st.floats(1.0, 8.0))
@settings(max_examples=25, deadline=None)
def test_weakened_bets_of_clustered_events_keep_the_bound(intervals: list[tuple[int, float]], phi: float) -> None:
    reached, mean = walk(EventProcess(20.0), intervals, phi)

    assert mean <= 1.0 + 1e-12
    assert reached <= 1.0 / 20.0 + 1e-12


@given(st.integers(1, 40), rhos)
@settings(max_examples=60, deadline=None)
def test_before_boosting_an_interval_changes_the_mean_by_nothing(events: int, rho: float) -> None:
    mean = 0.0
    for canary in range(events + 1):
        wealth = Wealth(RATIO_PRIOR)
        wealth.stake()
        wealth.settle(log_factors(canary, events - canary, rho))
        mean += chance(canary, events, rho) * wealth.value

    assert mean == pytest.approx(1.0, rel=1e-12)


@given(st.integers(1, 60), rhos, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_boost_spends_exactly_what_is_wasted_beyond_the_threshold(
    events: int, rho: float, before: list[tuple[int, int]]
) -> None:
    wealth = Wealth(RATIO_PRIOR)
    for canary, stable in before:
        wealth.stake()
        wealth.settle(log_factors(canary, stable, rho))
    value = wealth.value
    wealth.stake()
    factor = boost(wealth, events, rho, CAP, value) if value < CAP else 1.0

    mean = 0.0
    wasted = False
    for canary in range(events + 1):
        after = copy.deepcopy(wealth)
        after.settle(log_factors(canary, events - canary, rho))
        wasted = wasted or (factor * after.value > CAP and chance(canary, events, rho) > 1e-9)
        mean += chance(canary, events, rho) * min(CAP, factor * after.value)
    assert mean <= value * (1.0 + 1e-9)
    if wasted and 1.0 < factor < 64.0:
        assert mean == pytest.approx(value, rel=1e-9)


@given(st.lists(st.tuples(few_events, rhos), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_relabelling_equal_arms_keeps_the_bound(intervals: list[tuple[int, float]]) -> None:
    mirrored = [(events, 1.0 - rho) for events, rho in intervals]

    for labels in (intervals, mirrored):
        assert walk(EventProcess(20.0), labels)[0] <= 1.0 / 20.0 + 1e-12


def test_nothing_is_boosted_when_every_outcome_is_beyond_the_threshold() -> None:
    wealth = Wealth(RATIO_PRIOR)
    wealth.stake()

    assert boost(wealth, 3, 0.1, 1e-6, 1.0) == 1.0


def test_a_late_change_is_still_bet_on_after_an_hour() -> None:
    process = EventProcess(CAP)
    for _ in range(360):
        process.update(0, 1, 0.1)
    assert process.wealth.cash > 1e-3
    needed = 0
    while process.value < CAP:
        process.update(1, 0, 0.1)
        needed += 1

    assert needed <= 8


def test_overwhelming_evidence_stays_finite() -> None:
    process = EventProcess(CAP)
    for _ in range(10):
        process.update(5000, 0, 0.01)
        assert math.isfinite(process.value)
    process.update(0, 5000, 0.9)

    assert math.isfinite(process.value)


def test_an_interval_without_canary_requests_proves_nothing() -> None:
    proof = NonInferiority(0.005)
    proof.learn(5, 1000)
    proof.update(0, 0, 3, 100)

    assert proof.log_e == pytest.approx(0.0, abs=1e-12)


@given(st.integers(2, 4), st.sampled_from([0.1, 0.3, 0.5]), st.lists(st.integers(0, 3), min_size=4, max_size=4))
@settings(max_examples=40, deadline=None)
def test_latency_labels_drawn_by_lot_leave_the_mean_at_one_or_below(
    per_bucket: int, rho: float, past_counts: list[int]
) -> None:
    past = LatencyPast()
    past.learn([10 + 7 * count for count in past_counts])
    hist = [per_bucket, 1, 0, per_bucket]
    mean = 0.0
    for canary in product(*(range(count + 1) for count in hist)):
        process = LatencyProcess()
        process.update(canary, [n - k for n, k in zip(hist, canary, strict=True)], (rho, rho), past)
        p = math.prod(chance(k, n, rho) for k, n in zip(canary, hist, strict=True))
        mean += p * process.value

    assert mean == pytest.approx(1.0, rel=1e-9)


@given(st.floats(0.05, 0.5), st.floats(0.6, 1.6))
@settings(max_examples=40, deadline=None)
def test_a_share_anywhere_within_the_bounds_keeps_latency_evidence_valid(share: float, ratio: float) -> None:
    past = LatencyPast()
    past.learn((30, 60, 60, 30))
    other = share * ratio
    bounds = (min(share, other), max(share, other))
    hist = (2, 1, 1, 2)
    mean = 0.0
    for canary in product(*(range(count + 1) for count in hist)):
        process = LatencyProcess()
        process.update(canary, [n - k for n, k in zip(hist, canary, strict=True)], bounds, past)
        mean += math.prod(chance(k, n, share) for k, n in zip(canary, hist, strict=True)) * process.value

    assert mean <= 1.0 + 1e-12


@given(st.integers(1, 6), st.integers(1, 6), st.floats(0.02, 0.98), st.floats(0.65, 1.0))
@settings(max_examples=60, deadline=None)
def test_up_to_a_third_of_cold_starts_never_pays_the_bet_on_missing_fast_requests(
    canary: int, stable: int, fast: float, warm: float
) -> None:
    past = LatencyPast()
    past.learn((50, 50))
    mean = 0.0
    for mine, theirs in product(range(canary + 1), range(stable + 1)):
        p = chance(mine, canary, warm * fast) * chance(theirs, stable, fast)
        mean += p * math.exp(missing_fast((mine, canary - mine), (theirs, stable - theirs), past))

    assert mean <= 1.0 + 1e-9


@given(st.floats(0.001, 0.3), st.floats(0.001, 0.3), st.integers(1, 7), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_canary_worse_by_the_margin_does_not_gain_proof_of_being_good(
    stable_rate: float, past_rate: float, canary: int, stable: int
) -> None:
    margin = 0.05
    mean = 0.0
    for mine, theirs in product(range(canary + 1), range(stable + 1)):
        proof = NonInferiority(margin)
        proof.learn(1000 * past_rate, 1000)
        proof.update(mine, canary, theirs, stable)
        mean += chance(mine, canary, stable_rate + margin) * chance(theirs, stable, stable_rate) * math.exp(proof.log_e)

    assert mean <= 1.0 + 1e-9


@given(st.floats(0.1, 0.9), st.floats(0.02, 0.6), st.integers(1, 200), st.integers(1, 2000))
@settings(max_examples=60, deadline=None)
def test_the_closest_point_of_the_null_is_the_closest(theta: float, left: float, canary: int, stable: int) -> None:
    ratio, alternative = 0.65, left * theta

    def distance(t: float) -> float:
        def kl(p: float, q: float) -> float:
            return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))

        return stable * kl(theta, t) + canary * kl(alternative, ratio * t)

    t = closest_ratio_null(theta, alternative, ratio, canary, stable)
    for other in (t * 0.999, t * 1.001):
        assert distance(t) <= distance(other) * (1 + 1e-12)
