"""What is not the canary's fault: incidents, cold starts, differences too small to matter."""

from __future__ import annotations

from random import Random

import pytest
from unit.verdict.traffic import (
    COLD,
    EDGES_MS,
    HEALTHY,
    SLOWER,
    THREE_TIMES_SLOWER,
    USUAL,
    arm,
    feed,
    judged,
    release,
    signal,
)

from manuel_release.verdict import Finding, Judge, Settings, Value


def test_an_incident_that_hits_both_arms_blames_nobody() -> None:
    incident = (arm(900, 450, shares=THREE_TIMES_SLOWER), arm(100, 50, shares=THREE_TIMES_SLOWER))
    verdict = feed(judged(), [HEALTHY] * 10 + [incident] * 12 + [HEALTHY] * 10)

    assert verdict.value is not Value.ROLLBACK
    assert max(one.e_value for one in verdict.signals) < 10


def test_an_incident_across_a_raised_weight_blames_nobody() -> None:
    small = (arm(900, 300), arm(100, 33))
    large = (arm(500, 167, weight=0.5), arm(500, 166, weight=0.5))
    verdict = feed(judged(), [HEALTHY] * 10 + [small] * 5 + [large] * 5)

    assert verdict.value is not Value.ROLLBACK


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("per_second", [0.2, 2.0, 20.0])
def test_random_harmless_releases_pass(per_second: float, seed: int) -> None:
    random = Random(f"harmless {per_second} {seed}")
    verdict = feed(
        judged(requests=round(10 * per_second)),
        list(release(random, per_second=per_second, stable_5xx=0.01, canary_5xx=0.01, incident=(25, 35, 0.3))),
    )

    assert verdict.value is not Value.ROLLBACK


def test_two_equal_arms_may_swap_their_names() -> None:
    alarms = swapped_alarms = 0
    for seed in range(120):
        random = Random(f"swap {seed}")
        intervals = list(release(random, per_second=5, stable_5xx=0.03, canary_5xx=0.03, weights=(0.5,) * 30))
        swapped = [(canary, stable) for stable, canary in intervals]
        alarms += feed(judged(requests=50), intervals).value is Value.ROLLBACK
        swapped_alarms += feed(judged(requests=50), swapped).value is Value.ROLLBACK

    assert alarms <= 4
    assert swapped_alarms <= 4


def test_cold_starts_do_not_count_as_a_latency_regression() -> None:
    start = [(arm(900, 5), arm(100, 0, shares=COLD))] * 6
    raised = [(arm(500, 3, weight=0.5), arm(500, 3, weight=0.5, shares=COLD))] * 3
    warm = [(arm(500, 3, weight=0.5), arm(500, 3, weight=0.5))] * 20
    judge = judged()
    judge_of_late_cold = judged()

    verdict = feed(judge, start + [HEALTHY] * 24 + raised + warm)
    assert verdict.value is not Value.ROLLBACK
    assert feed(judge_of_late_cold, [HEALTHY] * 24 + start).value is Value.ROLLBACK


def test_the_first_requests_of_a_quiet_canary_are_cold_whenever_they_come() -> None:
    cold = (arm(18, 0), arm(1, 0, shares=(0, 0, 0, 0, 0, 0, 0, 1, 0)))
    nothing = (arm(18, 0), arm(0, 0))
    judge = judged(requests=18, errors=0)
    eager = judged(Settings(grace_requests=0), requests=18, errors=0)
    intervals = [nothing] * 9 + [cold] * 5

    assert feed(judge, intervals).value is not Value.ROLLBACK
    assert feed(eager, intervals).value is Value.ROLLBACK


def test_a_canary_three_times_slower_is_found_while_cold_starts_are_expected() -> None:
    slow = (arm(180, 1), arm(20, 0, shares=THREE_TIMES_SLOWER))
    verdict = feed(judged(requests=180), [slow] * 6)

    assert verdict.value is Value.ROLLBACK
    assert verdict.decided_at is not None
    assert verdict.decided_at <= 60


def test_a_proven_but_immaterial_difference_is_reported_and_not_rolled_back() -> None:
    tiny = (arm(180_000, 0, shares=USUAL), arm(20_000, 4, shares=USUAL))
    judge = judged(requests=180_000, errors=0)
    verdict = feed(judge, [tiny] * 6)

    assert verdict.value is not Value.ROLLBACK
    assert signal(verdict, "5xx").finding is Finding.IMMATERIAL
    assert any("too little to matter" in sentence for sentence in verdict.investigate)
    assert (
        feed(judged(Settings(material_5xx_percent=0.0), requests=180_000, errors=0), [tiny] * 6).value is Value.ROLLBACK
    )


def test_an_immaterial_difference_that_grows_is_rolled_back() -> None:
    tiny = (arm(180_000, 0), arm(20_000, 4))
    judge = judged(requests=180_000, errors=0)
    feed(judge, [tiny] * 6)

    assert judge.update(70, arm(180_000, 0), arm(20_000, 2000)).value is Value.ROLLBACK


def test_an_immaterial_difference_may_be_promoted() -> None:
    tiny = (arm(180_000, 0), arm(20_000, 4))
    verdict = feed(judged(requests=180_000, errors=0), [tiny] * 12)

    assert verdict.value is Value.PROMOTE


@pytest.mark.parametrize("edges_ms", [(), EDGES_MS])
def test_an_immaterial_slowdown_is_not_rolled_back(edges_ms: tuple[float, ...]) -> None:
    intervals = [HEALTHY] * 7 + [(arm(900, 5), arm(100, 0, shares=SLOWER))] * 12
    lenient = feed(judged(Settings(edges_ms=edges_ms, material_p95_ratio=3.0, material_slow_percent=30.0)), intervals)
    strict = feed(judged(Settings(edges_ms=edges_ms)), intervals)

    assert strict.value is Value.ROLLBACK
    assert lenient.value is not Value.ROLLBACK
    assert signal(lenient, "latency").finding is Finding.IMMATERIAL


def test_a_material_change_after_a_long_good_time_is_rolled_back() -> None:
    good = (arm(180_000, 0), arm(20_000, 0))
    verdict = feed(judged(requests=180_000, errors=0), [good] * 100 + [(arm(180_000, 0), arm(20_000, 40))])

    assert verdict.value is Value.ROLLBACK


def test_an_immaterial_difference_that_went_away_is_forgotten() -> None:
    judge = judged(requests=180_000, errors=0)
    feed(judge, [(arm(180_000, 0), arm(20_000, 4))] * 6)
    feed(judge, [(arm(180_000, 400), arm(20_000, 0))] * 10, start=60)
    verdict = judge.update(170, arm(180, 0), arm(20, 1))

    assert verdict.value is not Value.ROLLBACK
    assert signal(verdict, "5xx").finding is Finding.IMMATERIAL


def test_a_longer_tail_is_material_although_p95_stays_where_it_was() -> None:
    usual, tail = (0.2, 0.6, 0.19, 0.01, 0.0), (0.2, 0.6, 0.17, 0.0, 0.03)
    judge = Judge(settings=Settings(edges_ms=(100.0, 390.0, 400.0, 3200.0)))
    for i in range(30):
        judge.warmup(10.0 * (i - 30), arm(1800, 9, shares=usual))
    verdict = feed(judge, [(arm(1800, 9, shares=usual), arm(200, 1, shares=tail))] * 40)
    found = signal(verdict, "latency")

    assert verdict.value is Value.ROLLBACK
    assert found.canary.p95_ms == pytest.approx(found.stable.p95_ms, rel=0.03)
