"""The stable entry: objects, stamps, refusals, time per update, and looking as often as one likes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.verdict.traffic import HEALTHY, SLOWER, arm, feed, judged, release

from manuel_release.verdict import ArmCounts, Judge, Routing, Settings, Value


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


def test_all_signals_together_spend_no_more_than_alpha() -> None:
    for chosen in (Settings(), Settings(business=("query_failures", "throttles", "quota_failures"))):
        verdict = Judge(0.02, chosen).update(10, *HEALTHY)
        assert sum(1.0 / one.threshold for one in verdict.signals) == pytest.approx(0.02)


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
        ArmCounts(10, 0, 0, (float("inf"),) * 9, 0.1),  # type: ignore[arg-type]
        ArmCounts(10, float("nan"), 0, (1,) * 9, 0.1),  # type: ignore[arg-type]
    ],
)
def test_impossible_counts_are_refused(canary: ArmCounts) -> None:
    with pytest.raises(ValueError, match=r"count|weight|buckets|hist"):
        judged().update(10, arm(900), canary)


@pytest.mark.parametrize("buckets", [7, 12])
@pytest.mark.parametrize("t", [10, 100])
def test_other_latency_buckets_than_before_are_refused(buckets: int, t: float) -> None:
    judge = judged()
    stable, canary = (replace(one, hist=(9,) * buckets) for one in HEALTHY)
    with pytest.raises(ValueError, match=f"buckets changed: 9 before, {buckets} now"):
        judge.update(t, stable, canary)
    with pytest.raises(ValueError, match=f"buckets changed: 9 before, {buckets} now"):
        judge.warmup(t, stable)


@pytest.mark.parametrize("hist", [(), None])
def test_no_buckets_for_no_requests_are_not_missing_data(hist: tuple[int, ...] | None) -> None:
    nothing = Plain(0, 0, 0, hist, 0.1)  # type: ignore[arg-type]
    judge = judged()

    assert feed(judge, [HEALTHY] * 20).value is Value.PROMOTE
    assert judge.update(210, HEALTHY[0], nothing).value is Value.PROMOTE
    assert judge.update(220, nothing, nothing).value is Value.PROMOTE


def test_a_warm_up_interval_without_data_teaches_nothing() -> None:
    gap, whole = judged(), judged()
    gap.warmup(0, None)

    assert gap.update(10, *HEALTHY) == whole.update(10, *HEALTHY)


@pytest.mark.parametrize("seconds", [5.0, 60.0])
def test_stamps_of_ends_and_beginnings_mean_the_same_at_any_length(seconds: float) -> None:
    begins, ends = Judge(), Judge()
    for i in range(-20, 0):
        begins.warmup(seconds * i, arm(900, 5))
        ends.warmup(seconds * (i + 1), arm(900, 5))
    for i in range(12):
        pair = arm(900, 5), arm(100, 1, shares=SLOWER)
        assert begins.update(seconds * i, *pair) == ends.update(seconds * (i + 1), *pair)


def test_the_price_of_the_next_step_knows_how_long_the_first_interval_was() -> None:
    minute, ten = Judge(), Judge()
    minute.update(60, arm(5400, 0), arm(600, 1))
    for i in range(6):
        ten.update(10.0 * (i + 1), arm(900, 0), arm(100, int(i == 0)))

    assert minute.worst_case(0.5) == ten.worst_case(0.5)


def test_the_standard_library_is_enough() -> None:
    root = Path(__file__).resolve().parents[3]
    script = f"import sys; sys.path.append({str(root)!r}); from manuel_release.verdict import Judge, replay, selftest"

    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, capture_output=True)


def test_an_update_takes_less_than_two_milliseconds() -> None:
    root = Path(__file__).resolve().parents[3]
    environment = {"PYTHONPATH": str(root), "PATH": ""}
    script = str(Path(__file__).with_name("update_time.py"))
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)

    assert float(done.stdout) < 2.0


def test_intervals_without_any_requests_change_nothing() -> None:
    judge = judged()
    before = judge.update(10, *HEALTHY)
    after = judge.update(20, arm(0), arm(0))

    assert [one.e_value for one in after.signals] == [one.e_value for one in before.signals]
