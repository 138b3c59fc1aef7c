"""What is red, what is fine, and what nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.performance import judged
from integration.performance.measured import Measurement
from unit.performance_suite.conftest import latencies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.performance.measured import Record
    from integration.suites.config import Config


def check(config: Config, one: Measurement, name: str) -> judged.Check:
    (found,) = [check for check in judged.limits({one.name: one}, config) if name in check.name]
    return found


@pytest.mark.parametrize(("slow", "passed"), [(19, True), (21, False)])
def test_the_p95_of_a_long_run_is_the_limit_to_the_letter(config: Config, slow: int, passed: bool) -> None:
    one = Measurement("query", (100.0,) * (400 - slow) + (5000.0,) * slow)

    found = check(config, one, "P95")

    assert (found.passed, found.unsure) == (passed, False)


@pytest.mark.parametrize(("slow", "passed", "unsure"), [(0, True, False), (1, True, True), (3, False, False)])
def test_one_slow_request_of_a_dozen_proves_nothing_and_three_do(
    config: Config, slow: int, passed: bool, unsure: bool
) -> None:
    found = check(config, Measurement("query", (100.0,) * (12 - slow) + (9000.0,) * slow), "P95")

    assert (found.passed, found.unsure) == (passed, unsure)
    assert ("cannot tell" in found.sentence) is unsure


@pytest.mark.parametrize(("failed", "passed"), [(0, True), (3, True), (4, False)])
def test_fewer_than_one_percent_may_fail(config: Config, failed: int, passed: bool) -> None:
    one = Measurement("query", latencies(1, 400), {"503 dependency_unavailable": failed} if failed else {})

    found = check(config, one, "errors")

    assert found.passed is passed
    assert ("dependency_unavailable" in found.sentence) is bool(failed)


def test_what_a_few_requests_cannot_show_is_said(config: Config) -> None:
    assert "up to 22.1 % could have stayed unseen" in check(config, Measurement("q", (1.0,) * 12), "errors").sentence


def test_nothing_measured_is_red(config: Config) -> None:
    assert [one.passed for one in judged.limits({"q": Measurement("q", ())}, config)] == [False, False]


def regressions(before: Record, now: Mapping[str, Measurement], *history: Record) -> dict[str, judged.Check]:
    found = judged.regressions(judged.compared(now, before, list(history)))
    return {one.name.partition(" ")[0]: one for one in found}


def test_a_release_half_as_slow_again_is_a_regression_at_both_quantiles(record: Callable[..., Record]) -> None:
    found = regressions(record("r-1", count=2000), record("r-2", seed=2, count=2000, factor=1.5).scenarios)

    assert {name: one.passed for name, one in found.items()} == {"P50": False, "P95": False}
    assert "slower by more than 10 %" in found["P95"].sentence


def test_few_requests_cannot_tell_which_passes_and_is_said(record: Callable[..., Record]) -> None:
    found = regressions(record("r-1", count=20), record("r-2", seed=2, count=20).scenarios)

    assert {one.passed for one in found.values()} == {True}
    assert {one.unsure for one in found.values()} == {True}
    assert "more requests" in found["P50"].sentence
    assert "too few requests for an interval" in found["P95"].sentence


def test_releases_that_always_were_alike_show_a_smaller_difference(record: Callable[..., Record]) -> None:
    steady = [record(f"r-{number}", seed=1, count=4000) for number in range(1, 9)]
    now = record("r-9", seed=2, count=4000, factor=1.16).scenarios

    assert regressions(steady[-1], now)["P50"].unsure
    assert not regressions(steady[-1], now, *steady)["P50"].passed


def test_a_scenario_that_the_release_before_did_not_have_is_not_compared(record: Callable[..., Record]) -> None:
    now = {"search": Measurement("search", latencies(1, 100))}

    assert judged.compared(now, record("r-1"), []) == []


@pytest.mark.parametrize(("second", "passed"), [(1.5, False), (1.0, True)])
def test_a_regression_has_to_show_twice(record: Callable[..., Record], second: float, passed: bool) -> None:
    before = record("r-1", count=2000)
    slow, again = (
        judged.compared(record("r-2", seed=seed, count=2000, factor=factor).scenarios, before, [])
        for seed, factor in ((2, 1.5), (3, second))
    )

    found = judged.regressions(judged.confirmed(slow, again))

    assert {one.passed for one in found} == {passed}
    assert all("measured again" in one.sentence for one in found)
    assert {one.unsure for one in found} == {passed}


def test_what_was_fine_the_first_time_is_not_blamed_for_the_second(record: Callable[..., Record]) -> None:
    before = record("r-1", count=2000)
    fine = judged.compared(record("r-2", seed=2, count=2000, factor=0.8).scenarios, before, [])
    slow = judged.compared(record("r-2", seed=3, count=2000, factor=1.5).scenarios, before, [])

    assert {one.passed for one in judged.regressions(judged.confirmed(fine, slow))} == {True}


@pytest.mark.parametrize(
    ("expected", "releases", "passed"),
    [
        ("", {"r-2": 9}, True),
        ("", {"r-2": 9, "gateway": 3}, True),
        ("", {"r-2": 9, "r-3": 1}, False),
        ("", {}, False),
        ("r-2", {"r-2": 9}, True),
        ("r-3", {"r-2": 9}, False),
    ],
)
def test_one_release_is_measured_and_it_is_the_expected_one(
    expected: str, releases: dict[str, int], passed: bool
) -> None:
    assert judged.released(expected, releases).passed is passed


@pytest.mark.parametrize(
    ("late", "unfinished", "passed"), [(0.0, 0, True), (7.9, 0, True), (8.1, 0, False), (0.0, 1, False)]
)
def test_a_load_that_was_not_made_proves_nothing(late: float, unfinished: int, passed: bool) -> None:
    assert judged.made(60.0, late, unfinished).passed is passed


def test_what_is_left_behind_is_red() -> None:
    assert judged.clean([]).passed
    found = judged.clean(["user a@example.com: denied"])
    assert not found.passed
    assert "a@example.com" in found.sentence
