"""Whether a release is slower: known distributions, and how often a harmless one is blamed."""

from __future__ import annotations

import random

from manuel_release.gates.regression import Judgement, compare, interval


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
