"""What is kept of a run is what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from integration.performance import measured
from integration.performance.measured import KEPT, Measurement, histogram, sample
from unit.performance_suite.conftest import latencies

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.performance.measured import Record


def test_a_record_comes_back_as_it_was_kept(record: Callable[..., Record]) -> None:
    kept = record("r-3", scenarios={"query": Measurement("query", (5.0, 7.5), {"503": 1}, 4, {"429": 2})})

    assert measured.read(json.loads(json.dumps(kept.as_json()))) == kept


def test_a_record_of_another_schema_is_refused(record: Callable[..., Record]) -> None:
    with pytest.raises(ValueError, match="schema_version 2 is not 1"):
        measured.read({**record("r-3").as_json(), "schema_version": 2})


def test_errors_are_counted_among_the_requests() -> None:
    one = Measurement("query", latencies(1, 200), {"503 dependency_unavailable": 3, "no answer: timeout": 1})

    assert (one.requests, one.failed, one.error_percent) == (200, 4, 2.0)


def test_nothing_measured_has_no_quantile() -> None:
    assert Measurement("query", ()).as_json()["p95_ms"] is None


def test_every_latency_is_in_the_bar_below_whose_bound_it_lies() -> None:
    bars = histogram([1.0, 1.1, 1.2, 100.0])

    assert bars == [(1.0, 1), (1.19, 1), (1.41, 1), (107.63, 1)]
    assert sum(count for _, count in histogram(latencies(1, 999))) == 999


def test_a_long_run_keeps_its_quantiles_in_fewer_numbers() -> None:
    many = latencies(1, 5 * KEPT)
    kept = Measurement("query", tuple(sample(many)))

    assert kept.requests == KEPT
    for quantile in (0.5, 0.95):
        assert kept.at(quantile) == pytest.approx(Measurement("query", many).at(quantile), rel=0.02)
