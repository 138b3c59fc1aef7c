"""Metric math: what expressions mean, and that everything unknown is refused by name."""

from __future__ import annotations

import pytest

from manuel_release.rehearsal.emulator.metric_math import MathError, kind, parse, references
from manuel_release.rehearsal.emulator.metric_math_evaluation import Inputs, Many, evaluate


def value_of(expression: str, **metrics: list[float | None]) -> object:
    length = len(next(iter(metrics.values()))) if metrics else 1
    return evaluate(parse(expression), Inputs(metrics, list(metrics), length, 60.0))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 2 / 2", 2.0),
        ("7 - 2 - 1", 4.0),
        ("-2 * -3", 6.0),
        ("1.5e2 + .5", 150.5),
        ("3 > 2", 1.0),
        ("3 <= 2", 0.0),
        ("2 == 2", 1.0),
        ("2 != 2", 0.0),
        ("1 < 2 && 2 < 1", 0.0),
        ("1 < 2 || 2 < 1", 1.0),
        ("1 < 2 AND 2 < 3", 1.0),
        ("0 OR 0", 0.0),
        ("1 > 2 || 1 && 1", 1.0),
        ("ABS(-4)", 4.0),
    ],
)
def test_numbers_follow_the_usual_precedence(expression: str, expected: float) -> None:
    assert value_of(expression) == expected


def test_a_missing_operand_makes_the_result_missing() -> None:
    assert value_of("e / i", e=[1.0, None, 2.0], i=[4.0, 4.0, None]) == [0.25, None, None]


def test_a_division_by_zero_is_missing_not_an_error() -> None:
    assert value_of("100 * e / i", e=[1.0, 1.0], i=[0.0, 4.0]) == [None, 25.0]


def test_a_division_by_zero_between_numbers_is_refused() -> None:
    with pytest.raises(MathError, match="division by zero"):
        value_of("1 / 0")


def test_fill_with_a_number_closes_every_gap() -> None:
    assert value_of("FILL(e, 0)", e=[None, 3.0, None]) == [0.0, 3.0, 0.0]


def test_fill_repeat_takes_the_value_before_and_leaves_a_leading_gap() -> None:
    assert value_of("FILL(e, REPEAT)", e=[None, 3.0, None, 5.0, None]) == [None, 3.0, 3.0, 5.0, 5.0]


def test_fill_takes_another_series_as_filling() -> None:
    assert value_of("FILL(a, b)", a=[None, 3.0], b=[7.0, 8.0]) == [7.0, 3.0]


def test_if_picks_per_period_and_is_missing_where_the_condition_is() -> None:
    assert value_of("IF(i > 10, e, 0)", i=[20.0, 5.0, None], e=[1.0, 2.0, 3.0]) == [1.0, 0.0, None]


def test_if_without_an_alternative_leaves_a_gap() -> None:
    assert value_of("IF(i > 10, e)", i=[20.0, 5.0], e=[1.0, 2.0]) == [1.0, None]


def test_sum_over_metrics_skips_missing_series_per_period() -> None:
    assert value_of("SUM(METRICS())", a=[1.0, None, None], b=[2.0, 5.0, None]) == [3.0, 5.0, None]


def test_metrics_with_a_text_takes_only_the_ids_that_contain_it() -> None:
    assert value_of('SUM(METRICS("err"))', err1=[1.0], err2=[2.0], all1=[50.0]) == [3.0]


@pytest.mark.parametrize(("name", "expected"), [("MAX", [3.0, 4.0]), ("MIN", [1.0, 2.0]), ("AVG", [2.0, 3.0])])
def test_aggregates_of_an_array_work_per_period(name: str, expected: list[float]) -> None:
    assert value_of(f"{name}([a, b])", a=[1.0, 4.0], b=[3.0, 2.0]) == expected


def test_aggregates_of_one_series_give_a_number() -> None:
    assert value_of("MAX(a) - MIN(a)", a=[1.0, None, 5.0]) == 4.0


def test_arithmetic_on_arrays_works_series_by_series() -> None:
    assert value_of("METRICS() * 2", a=[1.0], b=[None]) == Many([[2.0], [None]])
    assert value_of("SUM(FILL(METRICS(), 0) / [b, b])", a=[4.0], b=[2.0]) == [3.0]


def test_rate_is_per_second_and_bridges_gaps() -> None:
    assert value_of("RATE(a)", a=[10.0, 70.0, None, 190.0]) == [None, 1.0, None, 1.0]


@pytest.mark.parametrize("name", ["SEARCH", "ANOMALY_DETECTION_BAND", "PERCENTILE", "STDDEV", "eval"])
def test_a_function_that_is_not_supported_is_named(name: str) -> None:
    with pytest.raises(MathError, match=f"'{name}' is not supported"):
        parse(f"{name}(m1, 2)")


@pytest.mark.parametrize(
    "text",
    ["", "m1 +", "(m1", "m1)", "m1 m2", "FILL(m1)", "IF(m1)", "m1 ^ 2", "m1; m2", "M1", "[m1", "SUM(m1,)", "1..2"],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(MathError):
        parse(text)


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(MathError, match="'m9' is not the id"):
        kind(parse("m1 + m9"), {"m1": "series"})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 1", "scalar"),
        ("m1 + 1", "series"),
        ("METRICS()", "array"),
        ("METRICS() / m1", "array"),
        ("SUM(METRICS())", "series"),
        ("SUM(m1)", "scalar"),
        ("FILL(m1, 0)", "series"),
        ("FILL(METRICS(), 0)", "array"),
        ("IF(m1 > 1, 1, 0)", "series"),
        ("[m1, 2]", "array"),
    ],
)
def test_the_kind_of_a_result_is_known_before_there_is_data(expression: str, expected: str) -> None:
    assert kind(parse(expression), {"m1": "series"}) == expected


def test_if_refuses_arrays() -> None:
    with pytest.raises(MathError, match="IF takes"):
        kind(parse("IF(METRICS(), 1, 0)"), {})


def test_references_leave_out_functions_and_keywords() -> None:
    assert references(parse('SUM([a, FILL(b, REPEAT)]) / IF(c > 1, d, 0) + SUM(METRICS("e"))')) == {"a", "b", "c", "d"}
