"""Whether a release is slower: known distributions, and how often a harmless one is blamed."""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

import pytest

from manuel_release.gates import regression
from manuel_release.gates.regression import ASSUMED_SPREAD, Judgement, clustering, compare, interval, run_to_run


def latencies(seed: int, count: int, factor: float = 1.0) -> list[float]:
    draw = random.Random(seed)
    return [factor * 100 * draw.lognormvariate(0, 0.5) for _ in range(count)]


def test_the_interval_of_the_p95_contains_the_true_one_about_as_often_as_it_says() -> None:
    true = 100 * 2.718281828459045 ** (0.5 * 1.6448536269514722)
    held = 0
    for seed in range(400):
        ends = interval(latencies(seed, 400), 0.95)
        assert ends is not None
        held += ends[0] <= true <= ends[1]

    assert 0.92 <= held / 400 <= 0.99


def test_a_harmless_release_is_hardly_ever_blamed() -> None:
    blamed = sum(
        compare(latencies(seed, 300), latencies(seed + 10_000, 300), 0.95).judgement is Judgement.REGRESSION
        for seed in range(400)
    )

    assert blamed <= 4


def test_a_release_at_the_tolerated_limit_is_blamed_no_more_often_than_promised() -> None:
    blamed = sum(
        compare(latencies(seed, 300, 1.10), latencies(seed + 10_000, 300), 0.95).judgement is Judgement.REGRESSION
        for seed in range(400)
    )

    assert blamed <= 400 * 0.05


def test_a_release_that_is_half_as_slow_again_is_found() -> None:
    found = compare(latencies(1, 1500, 1.5), latencies(2, 1500), 0.95)

    assert found.judgement is Judgement.REGRESSION
    assert 1.10 < found.low < 1.5 < found.high


def test_many_requests_show_that_an_equal_release_is_fine() -> None:
    found = compare(latencies(1, 6000), latencies(2, 6000), 0.5)

    assert (found.judgement, found.missing) == (Judgement.FINE, 0)


def test_few_requests_cannot_tell_and_say_how_many_more_are_needed() -> None:
    found = compare(latencies(1, 120), latencies(2, 120), 0.95)

    assert found.judgement is Judgement.UNSURE
    assert found.missing is not None
    assert found.missing > 0


def test_too_few_requests_for_a_p95_have_no_interval() -> None:
    assert interval(latencies(1, 30), 0.95) is None
    assert compare(latencies(1, 30), latencies(2, 3000), 0.95).missing is None


def stalled(seed: int, count: int, at: int, length: int) -> list[float]:
    """An ordinary run during which the machine stood still once."""
    found = latencies(seed, count)
    return [10_000.0 if at <= index < at + length else value for index, value in enumerate(found)]


def test_one_stall_that_hits_many_requests_is_no_regression() -> None:
    now, before = stalled(1, 400, at=150, length=40), latencies(2, 400)
    scattered = random.Random(3).sample(now, len(now))

    assert compare(now, before, 0.95).judgement is Judgement.UNSURE
    assert compare(scattered, before, 0.95).judgement is Judgement.REGRESSION, "as many here and there are no stall"


def test_independent_requests_count_for_nearly_as_many_as_they_are() -> None:
    effects = [clustering(latencies(seed, 400), 0.95) for seed in range(100)]

    assert 1.0 <= sum(effects) / len(effects) < 1.3
    assert clustering(stalled(1, 400, at=150, length=40), 0.95) > 3
    assert clustering(latencies(1, 20), 0.95) == clustering([5.0] * 100, 0.95) == 1.0


def test_runs_that_differ_by_themselves_widen_the_interval() -> None:
    now, before = latencies(1, 6000, 1.15), latencies(2, 6000)
    alone, together = compare(now, before, 0.5), compare(now, before, 0.5, spread=0.05)

    assert alone.judgement is Judgement.REGRESSION
    assert together.judgement is Judgement.UNSURE
    assert together.low < alone.low
    assert together.high > alone.high
    assert together.missing is None, "more requests of the same run do not tell how much runs differ"


def test_a_harmless_release_in_a_busier_hour_is_hardly_ever_blamed_when_the_spread_is_known() -> None:
    draw = random.Random(5)
    blamed = sum(
        compare(
            latencies(seed, 200, draw.lognormvariate(0, 0.08)),
            latencies(seed + 10_000, 200, draw.lognormvariate(0, 0.08)),
            0.5,
            spread=0.08,
        ).judgement
        is Judgement.REGRESSION
        for seed in range(300)
    )

    assert blamed <= 300 * 0.025


def test_the_spread_of_many_runs_is_what_they_show() -> None:
    draw = random.Random(3)
    measured = [100 * draw.lognormvariate(0, 0.10) for _ in range(400)]

    assert run_to_run(measured) == pytest.approx(0.10, rel=0.2)


def test_without_earlier_runs_the_spread_is_the_assumed_one() -> None:
    assert run_to_run([]) == run_to_run([80.0]) == pytest.approx(ASSUMED_SPREAD)


def test_one_release_that_became_much_faster_is_no_noise() -> None:
    steady = [100.0, 101.0, 100.0, 101.0, 100.0, 101.0]

    assert run_to_run([*steady, *(one / 3 for one in steady)]) < 0.02


def test_the_statistics_need_the_standard_library_only_because_the_suites_have_no_more() -> None:
    tree = ast.parse(Path(regression.__file__).read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]

    assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names
