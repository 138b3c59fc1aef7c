"""The split of requests, and events that come in runs."""

from __future__ import annotations

from random import Random

import pytest
from unit.verdict.traffic import arm, binomial, poisson

from manuel_release.verdict import Routing
from manuel_release.verdict.clustering import EventRuns, SplitRuns
from manuel_release.verdict.routing import CanaryShare, SplitWatch
from manuel_release.verdict.signals import EventSignal, Interval, Kind


def test_at_low_traffic_the_weight_counts_and_at_high_traffic_the_real_split() -> None:
    low, high = CanaryShare(), CanaryShare()

    assert low.update(0, 0.1, 2, 8) == pytest.approx((0.1, 22 / 210))
    assert high.update(0, 0.1, 4000, 16_000) == pytest.approx((0.1, 4020 / 20_200))


def test_the_share_of_the_last_minute_and_the_share_at_this_weight_both_count() -> None:
    share = CanaryShare()
    for i in range(12):
        share.update(10.0 * i, 0.1, 50, 950)
    lower, upper = share.update(120.0, 0.1, 400, 600)

    assert lower == pytest.approx((12 * 50 + 400 + 20) / (13_000 + 200))
    assert upper == pytest.approx((5 * 50 + 400 + 20) / (6000 + 200))


def test_a_new_weight_forgets_the_old_split() -> None:
    share = CanaryShare()
    share.update(0, 0.1, 500, 500)

    assert share.update(10, 0.5, 0, 0) == (0.5, 0.5)


def test_after_a_lowered_weight_the_router_may_still_send_by_the_old_one() -> None:
    share = CanaryShare()
    share.update(0, 0.5, 50, 50)

    assert share.update(10, 0.1, 5, 5)[1] == 0.5
    assert share.update(39, 0.1, 1, 9)[1] == 0.5
    assert share.update(41, 0.1, 1, 9)[1] < 0.2


def test_the_share_stays_below_one() -> None:
    assert CanaryShare().update(0, 1.0, 1000, 0)[1] == 0.999


@pytest.mark.parametrize(
    ("real", "investigate"), [(0.1, False), (0.09, False), (0.115, False), (0.06, True), (0.16, True)]
)
def test_a_split_beyond_a_fifth_less_or_a_quarter_more_asks_for_a_person(real: float, investigate: bool) -> None:
    random = Random(f"watch {real}")
    watch = SplitWatch()
    canary = total = 0
    for _ in range(60):
        n = poisson(random, 200)
        mine = binomial(random, n, real)
        watch.update(0.1, mine, n - mine)
        canary, total = canary + mine, total + n
    split = watch.finding(0.1, total - canary, canary)

    assert split.investigate is investigate
    assert split.actual_percent == pytest.approx(100 * canary / total)
    assert split.desired_percent == pytest.approx(10)


def test_splits_within_the_tolerance_ask_for_a_person_at_most_rarely() -> None:
    random = Random("tolerance")
    asked = 0
    for _ in range(200):
        watch = SplitWatch()
        real = random.choice([0.08, 0.125])
        for _ in range(40):
            mine = binomial(random, 50, real)
            watch.update(0.1, mine, 50 - mine)
            if watch.finding(0.1, 1, 1).investigate:
                asked += 1
                break

    assert asked <= 6


def test_single_events_are_not_taken_for_runs_in_incidents_and_busy_hours() -> None:
    random = Random("incidents")
    taken = 0
    for _ in range(100):
        runs = EventRuns()
        rate = 3.0
        for i in range(120):
            rate *= 1.0 + 0.1 * (random.random() - 0.5)
            incident = 20.0 if 60 <= i < 72 else 0.0
            runs.learn(10.0 * i, poisson(random, rate + incident), 200)
        taken += runs.phi > 1.0

    assert taken <= 15


def test_runs_of_events_are_recognised_with_about_their_length() -> None:
    random = Random("runs")
    lengths = []
    for _ in range(40):
        runs = EventRuns()
        for i in range(180):
            runs.learn(10.0 * i, 6 * poisson(random, 0.5), 200)
        lengths.append(runs.phi)

    assert sum(length > 1 for length in lengths) >= 36
    assert 4 <= sorted(lengths)[20] <= 8


def test_traffic_that_jumps_is_not_taken_for_runs() -> None:
    random = Random("jumps")
    taken = 0
    for _ in range(60):
        runs = EventRuns()
        for i in range(90):
            requests = random.choice([0, 100, 200, 3000])
            runs.learn(10.0 * i, binomial(random, requests, 0.02), requests)
        taken += runs.phi > 1.0

    assert taken <= 3


def test_runs_of_events_are_recognised_in_traffic_that_jumps() -> None:
    random = Random("runs that jump")
    found = 0
    for _ in range(40):
        runs = EventRuns()
        for i in range(180):
            requests = random.choice([0, 100, 200, 600])
            runs.learn(10.0 * i, 6 * binomial(random, requests // 6, 0.02), requests)
        found += runs.phi > 1.0

    assert found >= 30


def test_assumed_runs_yield_to_what_is_seen() -> None:
    runs = EventRuns(assumed=True)
    assert runs.phi == 8.0
    for i in range(360):
        runs.learn(10.0 * i, 3, 200)

    assert runs.phi == 1.0


def test_the_labels_of_a_worse_canary_are_not_taken_for_runs() -> None:
    random = Random("worse")
    taken = 0
    for _ in range(100):
        runs = SplitRuns()
        for _ in range(60):
            events = poisson(random, 10)
            mine = binomial(random, events, 0.6)
            runs.update(mine, events - mine)
        taken += runs.phi > 1.0

    assert taken <= 8


def test_labels_that_come_in_runs_are_recognised() -> None:
    random = Random("labels")
    found = 0
    for _ in range(40):
        runs = SplitRuns()
        for _ in range(60):
            mine = 5 * binomial(random, 8, 0.3)
            runs.update(mine, 40 - mine)
        found += runs.phi > 2.0

    assert found >= 36


def test_a_restless_error_rate_is_hardly_taken_for_runs() -> None:
    random = Random("restless")
    taken = 0
    for _ in range(60):
        runs = EventRuns()
        for i in range(90):
            runs.learn(10.0 * i, poisson(random, 40.0 * random.lognormvariate(0.0, 0.15)), 200)
        taken += runs.phi > 1.0

    assert taken <= 20


def test_the_split_refutes_runs_that_only_the_counts_show() -> None:
    random = Random("refuted")
    runs = EventRuns()
    for i in range(120):
        runs.learn(10.0 * i, poisson(random, random.choice([2.0, 30.0])), 200)
    assert runs.phi > 2.0
    for _ in range(60):
        mine = binomial(random, 40, 0.1)
        runs.see_split(mine, 40 - mine)

    assert runs.phi == 1.0


def test_runs_that_begin_late_are_noticed() -> None:
    random = Random("late")
    runs = SplitRuns()
    for _ in range(400):
        mine = binomial(random, 40, 0.3)
        runs.update(mine, 40 - mine)
    assert runs.phi == 1.0
    for _ in range(60):
        mine = 10 * binomial(random, 4, 0.3)
        runs.update(mine, 40 - mine)

    assert runs.phi > 1.0


def test_the_split_says_nothing_while_the_router_follows_a_new_weight() -> None:
    random = Random("settling")
    signal = EventSignal(Kind("5xx", 0.6, lambda arm: (arm.errors_5xx, arm.requests), 0.1), 0.01, Routing.UNKNOWN)
    for i in range(120):
        signal.learn(10.0 * i, arm(900, 40 if random.random() < 0.3 else 2))

    def see(mine: int, *, settled: bool) -> None:
        counts = arm(360, 40 - mine), arm(40, mine)
        signal.update(Interval(0.0, 10.0, (0.1, 0.5), True, settled, False, 1.0, *counts))

    for _ in range(60):
        see(binomial(random, 40, 0.1), settled=True)
    assert signal.phi == 1.0
    for i in range(20):
        see(20 * (i % 2), settled=False)
    see(4, settled=True)

    assert signal.phi == 1.0
    for i in range(20):
        see(20 * (i % 2), settled=True)
    assert signal.phi > 1.0
