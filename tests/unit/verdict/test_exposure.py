"""What the next step costs at most."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.verdict.traffic import arm, feed, judged

from manuel_release.verdict import Judge
from manuel_release.verdict.exposure import log_mixture, poisson_upper, upper_rate, worst_case


def test_the_bound_on_the_rate_holds_at_all_times_together() -> None:
    random = Random("bound")
    broken = 0
    for _ in range(400):
        events = 0
        for n in range(1, 301):
            events += random.random() < 0.05
            if n % 10 == 0 and upper_rate(events, n) < 0.05:
                broken += 1
                break

    assert broken <= 400 * 0.025 * 1.5


@given(st.integers(0, 30), st.integers(1, 3000))
@settings(deadline=None)
def test_the_bound_is_where_the_mixture_is_forty_times_better(events: int, more: int) -> None:
    requests = events + more
    rate = upper_rate(events, requests)
    fixed = (events * math.log(rate) if events else 0.0) + (requests - events) * math.log1p(-rate)

    assert events / requests < rate < 1.0
    assert log_mixture(events, requests - events, 0.5, 0.5) - fixed == pytest.approx(math.log(40.0), rel=1e-6)


def test_without_requests_everything_is_possible() -> None:
    assert upper_rate(0, 0) == 1.0
    assert worst_case(0, 0, 2.0, 0.5).failed_requests_at_most == 600


@pytest.mark.parametrize("mean", [0.0, 0.3, 3.0, 40.0, 300.0, 499.0, 501.0, 5000.0])
def test_the_poisson_bound_is_exceeded_one_time_in_forty_or_less(mean: float) -> None:
    bound = poisson_upper(mean)
    below = (
        math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(bound + 1)) if mean else 1.0
    )

    assert below >= 1.0 - 0.025
    if mean <= 500:
        smaller = (
            math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(bound)) if mean else 0
        )
        assert smaller < 1.0 - 0.025
    else:
        assert bound < mean + 2.1 * math.sqrt(mean) + 4


def test_more_clean_requests_make_the_next_step_cheaper() -> None:
    costs = [worst_case(0, n, 20.0, 0.5).failed_requests_at_most for n in (10, 100, 1000, 10_000)]

    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 20


def test_the_judge_knows_traffic_and_failures_of_the_release() -> None:
    judge = judged()
    feed(judge, [(arm(180, 1), arm(20, 0))] * 30)
    worst = judge.worst_case(0.5)

    assert worst.next_percent == 50
    assert worst.seconds == 600
    assert worst.confidence_percent == 95
    assert worst.failure_percent_at_most == pytest.approx(100 * upper_rate(0, 600))
    expected = poisson_upper(20.0 * 600 * 0.5 * upper_rate(0, 600))
    assert worst.failed_requests_at_most == expected
    assert f"50 % of traffic costs at most {expected} failed requests in 10 min" in worst.sentence
    assert Judge().worst_case(0.1).failed_requests_at_most == 0


def test_a_canary_that_fails_may_cost_much() -> None:
    judge = judged()
    feed(judge, [(arm(180, 1), arm(20, 10))])

    assert judge.worst_case(0.5).failed_requests_at_most > 3000
