"""Queries of GetMetricData and alarms: what is refused, and in which order expressions are computed."""

from __future__ import annotations

from typing import Any

import pytest

from manuel_release.rehearsal.emulator.metric_math import MathError
from manuel_release.rehearsal.emulator.metric_queries import compute, parse_queries


def metric(name: str, **changes: Any) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Sum", **changes}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def expression(name: str, text: str) -> dict[str, Any]:
    return {"Id": name, "Expression": text}


def test_expressions_are_computed_after_what_they_name_whatever_their_order() -> None:
    rate, total = expression("rate", "errors / total"), expression("total", "a + b")
    queries = parse_queries([rate, total, metric("a"), metric("b"), metric("errors")])
    data = {"a": [1.0], "b": [3.0], "errors": [2.0]}
    values = compute(queries, lambda stat: list(data[stat.name]), 1, 60)
    assert values["rate"] == [0.5]


def test_a_number_stands_for_that_number_in_every_period() -> None:
    queries = parse_queries([metric("a"), expression("x", "MAX(a)")])
    assert compute(queries, lambda _stat: [1.0, 4.0], 2, 60)["x"] == [4.0, 4.0]


@pytest.mark.parametrize(
    ("queries", "reason"),
    [
        ([metric("a"), metric("a")], "not unique"),
        ([{"Id": "A", "Expression": "1"}], "lowercase"),
        ([{"Id": "a"}], "either Expression or MetricStat"),
        ([{**metric("a"), "Expression": "1"}], "either Expression or MetricStat"),
        ([metric("a", Stat="tm99")], "'tm99' is not supported"),
        ([metric("a", Stat="p101")], "'p101' is not supported"),
        ([metric("a", Period=45)], "not 45"),
        ([metric("a", Metric={"Namespace": "N"})], "MetricName"),
        ([expression("x", "y"), expression("y", "x")], "circle"),
        ([expression("x", "m9 + 1")], "'m9'"),
    ],
)
def test_a_wrong_query_is_refused_with_the_reason(queries: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(MathError, match=reason):
        parse_queries(queries)
