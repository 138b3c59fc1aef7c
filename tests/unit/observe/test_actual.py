"""The canary's share as invocations of the two aliases tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeAws

from manuel_release.errors import ReleaseError
from manuel_release.model.metric import Metric
from manuel_release.model.stack import Stack
from manuel_release.model.traffic import ApiStage, Canary
from manuel_release.observe.actual import observe_actual_percent
from manuel_release.observe.service import Service

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
SERVICE = Service(Stack("manuel-prod", "arn", "UPDATE_COMPLETE"), ("health", "query"), "api1", "v1", "app")
STAGE = ApiStage("api1", "v1", "d1", {"release": "live"}, Canary(10.0, "r-2"))


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


def counted(aws: FakeAws, function: str, alias: str, count: float, *, minutes_ago: float = 5) -> None:
    """CloudWatch has that many invocations of the minute that began so long ago."""
    dimensions = (("FunctionName", function), ("Resource", f"{function}:{alias}"))
    metric = Metric("AWS/Lambda", "Invocations", dimensions, "Sum", 60)
    minute = int((NOW - timedelta(minutes=minutes_ago)).timestamp()) // 60 * 60
    aws.metrics.values.setdefault(metric, {})[minute] = count


def actual(aws: FakeAws, stage: ApiStage = STAGE) -> float | None:
    return observe_actual_percent(aws, SERVICE, stage, NOW)  # type: ignore[arg-type]


def test_it_is_the_canary_s_part_of_both_aliases_invocations(aws: FakeAws) -> None:
    for minutes in (3, 4):
        counted(aws, "query", "live", 45, minutes_ago=minutes)
        counted(aws, "query", "r-2", 5, minutes_ago=minutes)

    assert actual(aws) == pytest.approx(10.0)


def test_functions_count_together(aws: FakeAws) -> None:
    counted(aws, "query", "live", 10)
    counted(aws, "query", "r-2", 10)
    counted(aws, "health", "live", 70)
    counted(aws, "health", "r-2", 10)

    assert actual(aws) == pytest.approx(20.0)


def test_a_function_that_s3_calls_through_live_alone_does_not_count(aws: FakeAws) -> None:
    counted(aws, "query", "live", 90)
    counted(aws, "query", "r-2", 10)
    counted(aws, "health", "live", 5000)

    assert actual(aws) == pytest.approx(10.0)


def test_a_pinned_stage_is_compared_with_the_release_that_it_calls(aws: FakeAws) -> None:
    counted(aws, "query", "r-1", 30)
    counted(aws, "query", "r-2", 10)
    counted(aws, "query", "live", 960)

    assert actual(aws, replace(STAGE, variables={"release": "r-1"})) == pytest.approx(25.0)


def test_what_was_counted_before_the_stage_was_changed_does_not_count(aws: FakeAws) -> None:
    changed = NOW - timedelta(minutes=4)
    counted(aws, "query", "live", 900, minutes_ago=5)  # before
    counted(aws, "query", "live", 900, minutes_ago=4)  # in the minute of the change: both
    counted(aws, "query", "live", 50, minutes_ago=2)
    counted(aws, "query", "r-2", 50, minutes_ago=2)

    assert actual(aws, replace(STAGE, updated_at=changed)) == pytest.approx(50.0)


def test_what_is_older_than_a_quarter_of_an_hour_does_not_count(aws: FakeAws) -> None:
    counted(aws, "query", "r-2", 100, minutes_ago=16)
    counted(aws, "query", "live", 75, minutes_ago=14)
    counted(aws, "query", "r-2", 25, minutes_ago=14)

    assert actual(aws, replace(STAGE, updated_at=NOW - timedelta(hours=2))) == pytest.approx(25.0)


@pytest.mark.parametrize("canary", [None, Canary(10.0, None)])
def test_there_is_none_without_a_canary_of_a_release(aws: FakeAws, canary: Canary | None) -> None:
    counted(aws, "query", "live", 10)

    assert actual(aws, replace(STAGE, canary=canary)) is None


def test_there_is_none_without_counts_of_the_canary(aws: FakeAws) -> None:
    counted(aws, "query", "live", 10)

    assert actual(aws) is None


def test_metrics_that_cannot_be_read_are_no_share_and_no_failure(aws: FakeAws) -> None:
    def read(*_: object) -> object:
        raise ReleaseError("throttled")

    aws.metrics.read = read  # type: ignore[method-assign,assignment]

    assert actual(aws) is None
