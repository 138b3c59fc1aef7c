"""What the judge says of releases, from its stable entry."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.verdict.traffic import (
    EDGES_MS,
    SLOWER,
    THREE_TIMES_SLOWER,
    USUAL,
    arm,
    feed,
    judged,
    release,
)

from manuel_release.verdict import ArmCounts, Finding, Judge, LimitsMode, Routing, Settings, Signal, Value, Verdict

HEALTHY = (arm(900, 5), arm(100, 0))
COLD = tuple(0.7 * usual + 0.3 * late for usual, late in zip(USUAL, (0,) * 6 + (0.5, 0.5, 0), strict=True))
BROKEN = (arm(900, 5), arm(100, 30))


def signal(verdict: Verdict, metric: str) -> Signal:
    return next(one for one in verdict.signals if one.metric == metric)


def test_a_broken_canary_is_rolled_back_in_the_first_interval() -> None:
    verdict = judged().update(10, *BROKEN)

    assert verdict.value == "rollback"
    assert verdict.word == "bad"
    assert verdict.decided_at == 10
    assert "5xx errors 30 % (30 of 100) on the canary against 0.56 % (5 of 900) on stable" in verdict.sentence
    assert "limit 167 to 1" in verdict.sentence


def test_a_healthy_canary_is_promoted_and_the_numbers_say_why() -> None:
    verdict = feed(judged(), [(arm(1800, 0), arm(200, 0))] * 20)

    assert verdict.value == "promote"
    assert verdict.word == "good"
    assert (verdict.missing_requests, verdict.missing_seconds) == (0, 0.0)
    assert [one.finding for one in verdict.signals] == [Finding.GOOD] * 3
    assert "5xx errors 0 % (0 of 4,000) against 0 % (0 of 36,000)" in verdict.sentence


def test_too_few_requests_are_no_verdict_and_the_missing_ones_are_counted() -> None:
    verdict = feed(judged(), [(arm(90, 0), arm(10, 0))] * 8)

    assert verdict.value == "continue"
    assert verdict.word == "cannot tell yet"
    assert verdict.missing_requests is not None
    assert verdict.missing_requests > 100
    assert verdict.missing_seconds == pytest.approx(verdict.missing_requests / 1.0)
    assert f"good needs about {verdict.missing_requests:,} more canary requests" in verdict.sentence


def test_the_missing_requests_are_about_those_that_are_then_needed() -> None:
    judge = judged()
    verdict = feed(judge, [(arm(1800, 9), arm(200, 1))] * 7)
    missing = verdict.missing_requests
    assert missing is not None
    needed = 0
    for i in range(8, 400):
        verdict = judge.update(10.0 * i, arm(1800, 9), arm(200, 1))
        if verdict.value is Value.PROMOTE:
            break
        needed += 200

    assert verdict.value is Value.PROMOTE
    assert 0.8 * missing <= needed <= 1.25 * missing + 200


def test_a_ruling_to_roll_back_stands_while_traffic_is_moved_away() -> None:
    judge = judged()
    judge.update(10, *BROKEN)
    verdict = feed(judge, [(arm(1000, 5, weight=0.0), arm(0, weight=0.0))] * 30, start=10)

    assert verdict.value is Value.ROLLBACK
    assert verdict.decided_at == 10
    assert "30 of 100" in verdict.sentence


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


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5]))
@settings(max_examples=12, deadline=None)
def test_looking_more_often_or_from_several_places_changes_nothing(seed: int, weight: float) -> None:
    intervals = list(release(Random(seed), per_second=5, stable_5xx=0.02, canary_5xx=0.05, weights=(weight,) * 15))
    once, often = judged(requests=50), judged(requests=50)
    for i, (stable, canary) in enumerate(intervals):
        expected = once.update(10.0 * (i + 1), stable, canary)
        got = often.update(10.0 * (i + 1), stable, canary)
        looks = [often.verdict, often.worst_case(0.5), often.verdict, often.worst_case(0.1), often.verdict]
        assert looks[0] is looks[2] is looks[4] is got
        assert got == expected


@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from([0.1, 0.5]))
@settings(max_examples=15, deadline=None)
def test_detection_time_scales_with_traffic(seed: int, times: int, weight: float) -> None:
    random = Random(seed)
    stable, canary = round(400 * (1 - weight)), round(400 * weight)
    errors = max(3, round(canary * random.uniform(0.04, 0.12)))

    def intervals_until_rollback(scale: int) -> int:
        judge = judged(Settings(routing=Routing.PER_REQUEST), requests=stable * scale, errors=scale)
        for i in range(1, 200):
            pair = arm(stable * scale, scale, weight=weight), arm(canary * scale, errors * scale, weight=weight)
            if judge.update(10.0 * i, *pair).value is Value.ROLLBACK:
                return i
        return 200

    slow, fast = intervals_until_rollback(1), intervals_until_rollback(times)
    assert slow < 200
    assert slow / times - 1 <= fast <= slow / times + 1


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


def test_a_slower_canary_is_rolled_back_with_its_p95() -> None:
    slow = (arm(900, 5), arm(100, 0, shares=SLOWER))
    verdict = feed(judged(Settings(edges_ms=EDGES_MS)), [HEALTHY] * 7 + [slow] * 20)

    assert verdict.value is Value.ROLLBACK
    assert "slow requests" in verdict.sentence
    assert "P95" in verdict.sentence
    found = signal(verdict, "latency")
    assert found.canary.p95_ms > 1.2 * found.stable.p95_ms


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


def test_cold_starts_do_not_count_against_a_promotion() -> None:
    cold = (arm(1800, 0), arm(200, 0, shares=COLD))
    patient = feed(judged(), [cold])
    hasty = feed(judged(Settings(start_grace_seconds=0, step_grace_seconds=0, grace_requests=0)), [cold])

    assert signal(patient, "latency").missing_requests > 0
    assert hasty.value is Value.ROLLBACK


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


def test_client_errors_are_a_signal_of_their_own() -> None:
    verdict = feed(judged(), [(arm(900, 5, 9), arm(100, 0, 30))] * 3)

    assert verdict.value is Value.ROLLBACK
    assert "4xx errors" in verdict.sentence


def test_business_counters_roll_back_although_every_answer_is_200() -> None:
    chosen = Settings(business=("query_failures", "throttles"))
    good = {"queries": 300, "query_failures": 3, "throttles": 0}
    bad = {"queries": 33, "query_failures": 15, "throttles": 0}
    verdict = feed(judged(chosen), [(arm(900, 5, counters=good), arm(100, 0, counters=bad))] * 4)

    assert verdict.value is Value.ROLLBACK
    assert "failed queries 45.5 % (15 of 33) on the canary" in verdict.sentence


def test_all_signals_together_spend_no_more_than_alpha() -> None:
    for chosen in (Settings(), Settings(business=("query_failures", "throttles", "quota_failures"))):
        verdict = Judge(0.02, chosen).update(10, *HEALTHY)
        assert sum(1.0 / one.threshold for one in verdict.signals) == pytest.approx(0.02)


def test_a_business_counter_that_is_not_measured_is_never_good() -> None:
    chosen = Settings(business=("query_failures",))
    counted = {"queries": 600, "query_failures": 6}
    intervals = [(arm(1800, counters=counted), arm(200, counters={"queries": 66, "query_failures": 0}))] * 20

    assert feed(judged(chosen), intervals).value is Value.PROMOTE
    verdict = feed(judged(chosen), [(stable, arm(200)) for stable, _ in intervals])
    assert verdict.value is Value.CONTINUE
    assert verdict.sentence == "Cannot tell yet: no data on failed queries."


def test_latency_that_is_not_measured_is_never_good() -> None:
    blind = (ArmCounts(1800, 0, 0, (), 0.1), ArmCounts(200, 0, 0, (), 0.1))
    verdict = feed(Judge(), [blind] * 60)

    assert verdict.value is Value.CONTINUE
    assert verdict.missing_requests is None


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_counts_are_cannot_tell_yet_for_a_minute(missing: int) -> None:
    judge = judged()
    good = (arm(1800, 0), arm(200, 0))
    assert feed(judge, [good] * 20).value is Value.PROMOTE
    pair: list[ArmCounts | None] = list(good)
    pair[missing] = None

    verdict = judge.update(210, *pair)
    assert (verdict.value, verdict.word) == (Value.CONTINUE, "cannot tell yet")
    assert "missing" in verdict.sentence
    assert feed(judge, [good] * 6, start=210).value is Value.CONTINUE
    assert judge.update(280, *good).value is Value.PROMOTE


def test_counts_that_contradict_each_other_are_never_good_but_may_be_bad() -> None:
    doubtful = (arm(1800, 0, complete=False), arm(200, 0))
    assert feed(judged(), [doubtful] * 30).value is Value.CONTINUE
    assert feed(judged(), [(arm(900, 5, complete=False), arm(100, 30))] * 2).value is Value.ROLLBACK


def test_more_errors_than_requests_are_late_metrics_and_not_a_crash() -> None:
    verdict = feed(judged(), [(arm(1800, 0), ArmCounts(0, 0, 1, (0,) * 9, 0.1))] * 2)

    assert verdict.canary.requests == 2
    assert "contradict" in verdict.sentence


def test_good_has_to_be_shown_again_at_a_raised_weight() -> None:
    judge = judged()
    assert feed(judge, [(arm(1800, 0), arm(200, 0))] * 20).value is Value.PROMOTE
    raised = (arm(1000, 0, weight=0.5), arm(1000, 0, weight=0.5))

    assert judge.update(210, *raised).value is Value.CONTINUE
    assert feed(judge, [raised] * 12, start=210).value is Value.PROMOTE


def test_evidence_of_the_first_step_counts_in_the_second() -> None:
    leaning = (arm(900, 5), arm(100, 3))
    raised = (arm(500, 2, weight=0.5), arm(500, 9, weight=0.5))
    carried, fresh = judged(), judged()
    feed(carried, [leaning] * 4)

    assert feed(carried, [raised] * 2, start=40).value is Value.ROLLBACK
    assert feed(fresh, [raised] * 2, start=40).value is not Value.ROLLBACK


def test_without_two_arms_there_is_nothing_to_compare() -> None:
    verdict = feed(judged(), [(arm(0, weight=1.0), arm(1000, 500, weight=1.0))] * 5)

    assert verdict.value is Value.CONTINUE
    assert "not two arms" in verdict.sentence


def test_requests_that_arrive_late_after_an_abort_are_not_evidence() -> None:
    verdict = feed(judged(), [HEALTHY] * 5 + [(arm(1000, 5, weight=0.0), arm(9, 4, weight=0.0))] * 3)

    assert verdict.value is Value.CONTINUE


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


@dataclass
class Plain:
    requests: int
    errors_4xx: int
    errors_5xx: int
    hist: list[int]
    weight: float


def test_any_object_with_the_five_attributes_will_do() -> None:
    judge = Judge(0.01)
    judge.warmup(-10, Plain(900, 9, 5, [300, 500, 100], 0.1))
    result = judge.update(0, Plain(900, 9, 5, [300, 500, 100], 0.1), Plain(100, 1, 30, [30, 60, 10], 0.1))

    assert result.value == "rollback"
    assert str(result.value) == "rollback"


def test_the_first_interval_may_be_stamped_with_its_beginning_or_its_end() -> None:
    begins, ends = judged(), judged()
    slow = (arm(900, 5), arm(100, 0, shares=SLOWER))
    for i in range(30):
        begin, end = begins.update(10.0 * i, *slow), ends.update(10.0 * (i + 1), *slow)
        assert begin.value == end.value
        assert begin.t == end.t == 10.0 * (i + 1)
        assert begin.decided_at == end.decided_at


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 5.0])
def test_an_alpha_that_is_no_probability_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        Judge(alpha)


def test_time_that_runs_backwards_is_refused() -> None:
    judge = judged()
    judge.update(10, *HEALTHY)
    with pytest.raises(ValueError, match="backwards"):
        judge.update(10, *HEALTHY)


@pytest.mark.parametrize(
    "canary",
    [
        ArmCounts(-1, 0, 0, (1,) * 9, 0.1),
        ArmCounts(10, 0, -2, (1,) * 9, 0.1),
        ArmCounts(10, 0, 0, (1, -1, 1, 1, 1, 1, 1, 1, 1), 0.1),
        ArmCounts(10, 0, 0, (1,) * 9, 1.1),
        ArmCounts(10, 0, 0, (1,) * 5, 0.1),
        ArmCounts(10, float("nan"), 0, (1,) * 9, 0.1),  # type: ignore[arg-type]
    ],
)
def test_impossible_counts_are_refused(canary: ArmCounts) -> None:
    with pytest.raises(ValueError, match=r"count|weight|buckets|hist"):
        judged().update(10, arm(900), canary)


def test_an_update_takes_less_than_two_milliseconds() -> None:
    root = Path(__file__).resolve().parents[3]
    environment = {"PYTHONPATH": str(root), "PATH": ""}
    script = str(Path(__file__).with_name("update_time.py"))
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)

    assert float(done.stdout) < 2.0


def test_without_a_past_there_is_no_latency_verdict_yet() -> None:
    verdict = Judge().update(10, arm(10), arm(1))

    assert signal(verdict, "latency").finding is Finding.NO_DATA
    assert verdict.sentence == "Cannot tell yet: no data on slow requests."


def test_intervals_without_any_requests_change_nothing() -> None:
    judge = judged()
    before = judge.update(10, *HEALTHY)
    after = judge.update(20, arm(0), arm(0))

    assert [one.e_value for one in after.signals] == [one.e_value for one in before.signals]


@pytest.mark.parametrize("edges_ms", [(), EDGES_MS])
def test_when_the_stable_arm_is_silent_its_past_says_what_is_slow(edges_ms: tuple[float, ...]) -> None:
    very_slow = (0.0,) * 7 + (1.0, 0.0)
    judge = judged(Settings(edges_ms=edges_ms), requests=18, errors=0)
    feed(judge, [(arm(18), arm(2))] * 10 + [(arm(18, shares=SLOWER), arm(2))] * 4)
    verdict = feed(judge, [(arm(0), arm(4, shares=very_slow))] * 3, start=140)

    assert verdict.value is Value.ROLLBACK
    assert signal(verdict, "latency").stable.requests == 0


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


def test_the_numbers_of_a_bad_canary_are_those_since_it_became_bad() -> None:
    clean = (arm(900, 0), arm(100, 0))
    verdict = feed(judged(errors=0), [clean] * 30 + [(arm(900, 0), arm(100, 3))])
    found = signal(verdict, "5xx")

    assert "3.0 % (3 of 100) on the canary against 0 % (0 of 900) on stable in 10 s" in verdict.sentence
    assert (found.since, found.window_seconds) == (300.0, 10.0)


def test_the_numbers_before_a_decision_are_those_of_the_whole_release() -> None:
    found = signal(feed(judged(), [HEALTHY] * 5), "5xx")

    assert (found.since, found.window_seconds) == (0.0, 50.0)
    assert (found.canary.requests, found.stable.requests, found.stable.events) == (500, 4500, 25)


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


def test_users_that_stay_on_an_arm_make_good_cost_more() -> None:
    clean = [(arm(1800, 0), arm(200, 0))] * 2
    missing = [
        feed(judged(Settings(routing=routing), errors=0), clean).missing_requests or 0
        for routing in (Routing.PER_REQUEST, Routing.PER_USER)
    ]

    assert missing[1] > 6 * missing[0] > 0


def test_nothing_is_good_while_a_signal_leans_to_bad() -> None:
    judge = judged(errors=0)
    assert feed(judge, [(arm(1800, 0), arm(200, 0))] * 40).value is Value.PROMOTE
    verdict = judge.update(410, arm(1800, 0), arm(200, 2))

    assert signal(verdict, "5xx").towards_good == 1.0
    assert verdict.value is Value.CONTINUE
    assert "it leans to bad" in verdict.sentence


def test_good_is_dated_when_it_was_first_shown_and_again_after_a_doubt() -> None:
    judge = judged()
    good = (arm(1800, 0), arm(200, 0))
    first = feed(judge, [good] * 20).decided_at
    assert first is not None
    assert judge.update(210, *good).decided_at == first < 210
    assert judge.update(220, None, good[1]).decided_at is None
    assert feed(judge, [good] * 7, start=220).decided_at == 290
