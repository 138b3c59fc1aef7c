"""The split of requests, users that stay on one arm, and the specification's limits."""

from __future__ import annotations

from random import Random

import pytest
from unit.verdict.traffic import arm, binomial, feed, judged, release, signal

from manuel_release.verdict import Judge, LimitsMode, Routing, Settings, Value


@pytest.mark.parametrize("real_share", [0.7, 1.3])
def test_a_router_that_splits_otherwise_than_set_is_noticed_and_not_blamed_on_the_canary(real_share: float) -> None:
    random = Random(f"split {real_share}")
    verdict = feed(
        judged(requests=200),
        list(release(random, per_second=20, stable_5xx=0.02, canary_5xx=0.02, real_share=real_share)),
    )

    assert verdict.value is not Value.ROLLBACK
    assert verdict.split.investigate
    assert verdict.investigate[0] == verdict.split.sentence
    assert ("missing" if real_share < 1 else "more traffic") in verdict.split.sentence


def test_errors_that_come_in_runs_of_one_user_are_recognised_and_weigh_less() -> None:
    random = Random("runs")
    judge = Judge()
    for i in range(60):
        judge.warmup(10.0 * (i - 60), arm(900, 8 * (random.random() < 0.5)))
    verdict = judge.update(10, arm(900, 8), arm(100, 8))

    assert verdict.value is Value.CONTINUE
    assert signal(verdict, "5xx").phi > 2
    assert any("count as one" in sentence for sentence in verdict.investigate)
    steady = judged(past=60, errors=4)
    assert steady.update(10, arm(900, 8), arm(100, 8)).value is Value.ROLLBACK


def test_bursts_of_traffic_do_not_take_the_weight_from_errors() -> None:
    random = Random("bursts of traffic")
    judge = Judge()
    for i in range(60):
        requests = random.choice([0, 300, 600, 6000])
        judge.warmup(10.0 * (i - 60), arm(requests, binomial(random, requests, 0.01)))
    verdict = judge.update(10, arm(900, 8), arm(100, 8))

    assert signal(verdict, "5xx").phi == 1
    assert verdict.value is Value.ROLLBACK


def test_declared_per_request_routing_gives_every_event_its_full_weight() -> None:
    random = Random("bursts")
    judge = Judge(settings=Settings(routing=Routing.PER_REQUEST))
    for i in range(60):
        judge.warmup(10.0 * (i - 60), arm(900, 8 * (random.random() < 0.5)))

    assert judge.update(10, arm(900, 8), arm(100, 8)).value is Value.ROLLBACK


def test_declared_per_user_routing_waits_for_several_users() -> None:
    declared = judged(Settings(routing=Routing.PER_USER), errors=0)

    assert declared.update(10, arm(900, 0), arm(100, 6)).value is Value.CONTINUE
    assert signal(declared.verdict, "latency").phi > 1
    assert feed(declared, [(arm(900, 5), arm(100, 30))] * 12, start=10).value is Value.ROLLBACK


def test_users_that_stay_on_one_arm_are_recognised_by_the_split_of_requests() -> None:
    random = Random("users that stay")
    judge = judged()
    verdict = None
    for i in range(60):
        canary = 10 * sum(random.random() < 0.1 for _ in range(100))
        verdict = judge.update(10.0 * (i + 1), arm(1000 - canary, 5), arm(canary, 0))

    assert verdict is not None
    assert signal(verdict, "latency").phi > 4
    assert signal(verdict, "5xx").phi > 4


def test_the_specifications_limits_only_report_unless_asked() -> None:
    verdict = feed(judged(), [(arm(1800, 0), arm(200, 0))] * 19 + [(arm(1800, 62), arm(200, 6))])

    assert [breach.limit for breach in verdict.breaches] == ["more than 5 5xx in 5 min"]
    assert not verdict.breaches[0].rolls_back
    assert verdict.breaches[0].sentence in verdict.investigate
    assert verdict.value is not Value.ROLLBACK


def test_a_limit_that_both_arms_break_holds_the_promotion() -> None:
    intervals = [(arm(1800, 0), arm(200, 0))] * 25 + [(arm(1800, 9), arm(200, 1))] * 6
    held = feed(judged(Settings(limits=LimitsMode.SHARED)), intervals)

    assert feed(judged(), intervals).value is Value.PROMOTE
    assert held.value is Value.CONTINUE
    assert held.hold
    assert held.sentence.startswith("Held, a shared incident: ")


def test_a_limit_that_the_canary_breaks_alone_rolls_back() -> None:
    quiet = (arm(9, 0), arm(1, 0))
    bad = (arm(9, 0), arm(1, 1))
    intervals = [quiet] * 30 + [bad] * 6
    verdict = feed(judged(Settings(limits=LimitsMode.SHARED), requests=9, errors=0, alpha=1e-9), intervals)

    assert verdict.value is Value.ROLLBACK
    assert "more than 5 5xx in 5 min" in verdict.sentence


def test_the_literal_reading_rolls_back_in_a_shared_incident_too() -> None:
    verdict = feed(judged(Settings(limits=LimitsMode.ABSOLUTE)), [(arm(900, 100), arm(100, 11))] * 2)

    assert verdict.value is Value.ROLLBACK
    assert verdict.breaches[0].shared


def test_a_router_that_is_slow_to_follow_is_not_taken_for_runs_or_lost_traffic() -> None:
    old, judge, verdict = 0.1, judged(requests=1000), None
    for i in range(144):
        weight = 0.5 if (i // 6) % 2 else 0.1
        real = old if i % 6 < 3 else weight
        old = weight if i % 6 == 5 else old
        stable, canary = round(2000 * (1 - real)), round(2000 * real)
        verdict = judge.update(
            10.0 * (i + 1), arm(stable, stable // 20, weight=weight), arm(canary, canary // 20, weight=weight)
        )
        assert not verdict.split.investigate

    assert verdict is not None
    assert [one.phi for one in verdict.signals] == [1.0, 1.0, 1.0]
