"""Embedded metric format: documents become datapoints, everything else becomes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from manuel_release.rehearsal.emulator.emf import datapoints


def document(**changes: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "Manuel",
        "Dimensions": [["service"], ["service", "release"], []],
        "Metrics": [
            {"Name": "Requests", "Unit": "Count", "StorageResolution": 1},
            {"Name": "Latency", "Unit": "Milliseconds"},
        ],
    }
    aws = {"Timestamp": 1_700_000_000_123, "CloudWatchMetrics": [directive]}
    return {"_aws": aws, "service": "api", "release": "r-7", "Requests": [1.0], "Latency": [5, 7.5], **changes}


def test_every_metric_appears_under_every_dimension_set() -> None:
    found = {(point.name, tuple(point.dimensions.items())) for point in datapoints(json.dumps(document()))}
    assert found == {
        (name, dimensions)
        for name in ("Requests", "Latency")
        for dimensions in ((("service", "api"),), (("service", "api"), ("release", "r-7")), ())
    }


def test_values_units_resolution_and_time_are_the_documents() -> None:
    requests, latency = datapoints(json.dumps(document()))[:2]
    assert (requests.values, requests.unit, requests.resolution) == ((1.0,), "Count", 1)
    assert (latency.values, latency.unit, latency.resolution) == ((5.0, 7.5), "Milliseconds", 60)
    assert requests.timestamp == pytest.approx(1_700_000_000.123)


def test_a_single_value_counts_like_an_array_of_one() -> None:
    assert datapoints(json.dumps(document(Requests=3)))[0].values == (3.0,)


def test_a_metric_without_a_value_is_left_out() -> None:
    without = document()
    del without["Requests"]
    assert {point.name for point in datapoints(json.dumps(without))} == {"Latency"}


def test_missing_dimension_sets_mean_no_dimensions() -> None:
    plain = document()
    del plain["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert [point.dimensions for point in datapoints(json.dumps(plain))] == [{}, {}]


@pytest.mark.parametrize(
    "changes",
    [
        {"Requests": "many"},
        {"Requests": True},
        {"Requests": [1.0] * 101},
        {
            "_aws": {
                "Timestamp": 1,
                "CloudWatchMetrics": [
                    {"Namespace": "N", "Dimensions": [["absent"]], "Metrics": [{"Name": "Requests"}]}
                ],
            }
        },
        {"_aws": {"CloudWatchMetrics": []}},
        {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Metrics": [{"Name": "Requests"}]}]}},
    ],
)
def test_an_invalid_document_is_only_a_log_line(changes: dict[str, Any]) -> None:
    assert datapoints(json.dumps(document(**changes))) == []


@pytest.mark.parametrize("line", ["hello", '{"a": 1}', '{"_aws" "CloudWatchMetrics"', '["_aws", "CloudWatchMetrics"]'])
def test_other_log_lines_have_no_datapoints(line: str) -> None:
    assert datapoints(line) == []
