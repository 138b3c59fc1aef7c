"""CloudWatch metrics of a REST API: every request, its errors and its latency."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from emulator.gateway_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture
def api(world: World) -> str:
    return world.various()


def name_of(world: World, api: str) -> str:
    return str(world.gateway.get_rest_api(restApiId=api)["name"])


def statistics(world: World, metric: str, **dimensions: str) -> dict[str, float]:
    now = dt.datetime.now(dt.UTC)
    points = world.metrics.get_metric_statistics(
        Namespace="AWS/ApiGateway",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]
    return {
        "Sum": sum(point["Sum"] for point in points),
        "SampleCount": sum(point["SampleCount"] for point in points),
        "Maximum": max((point["Maximum"] for point in points), default=0.0),
    }


def test_every_request_counts_for_the_api_and_for_its_stage(world, api):
    world.stage(api, "v2")
    for _ in range(3):
        assert world.get(api, "/mock").status == 200
    assert world.get(api, "/mock", stage="v2").status == 200
    name = name_of(world, api)
    assert statistics(world, "Count", ApiName=name)["Sum"] == 4
    assert statistics(world, "Count", ApiName=name, Stage="prod")["Sum"] == 3
    assert statistics(world, "Count", ApiName=name, Stage="v2")["Sum"] == 1


def test_a_request_to_a_stage_that_does_not_exist_counts_for_nobody(world, api):
    assert world.get(api, "/mock", stage="none").status == 403
    assert statistics(world, "Count", ApiName=name_of(world, api))["SampleCount"] == 0


@pytest.mark.parametrize(
    ("path", "mood", "status", "metric"),
    [
        ("/none", "", 403, "4XXError"),
        ("/", "refuses", 404, "4XXError"),
        ("/", "breaks", 503, "5XXError"),
        ("/", "raises", 502, "5XXError"),
        ("/lost", "", 500, "5XXError"),
    ],
)
def test_errors_are_ones_among_zeros(world, api, path, mood, status, metric):  # noqa: PLR0917
    assert world.get(api, "/mock").status == 200
    assert world.get(api, path, headers={"mood": mood}).status == status
    stage = {"ApiName": name_of(world, api), "Stage": "prod"}
    for name in ("4XXError", "5XXError"):
        found = statistics(world, name, **stage)
        assert (found["Sum"], found["SampleCount"]) == (int(name == metric), 2)


def test_latency_is_of_every_request_and_integration_latency_of_those_with_a_backend(world, api):
    world.get(api, "/")
    world.get(api, "/", headers={"mood": "slow"})
    world.get(api, "/mock")
    stage = {"ApiName": name_of(world, api), "Stage": "prod"}
    latency = statistics(world, "Latency", **stage)
    integration = statistics(world, "IntegrationLatency", **stage)
    assert (latency["SampleCount"], integration["SampleCount"]) == (3, 2)
    assert 300 <= integration["Maximum"] <= latency["Maximum"]


def test_no_metric_tells_the_canary_from_the_stage(world, api):
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "100"))
    world.get(api, "/mock")
    found = world.metrics.list_metrics(
        Namespace="AWS/ApiGateway",
        MetricName="Count",
        Dimensions=[{"Name": "ApiName", "Value": name_of(world, api)}],
    )["Metrics"]
    dimensions = sorted(sorted((item["Name"], item["Value"]) for item in metric["Dimensions"]) for metric in found)
    name = ("ApiName", name_of(world, api))
    assert dimensions == [[name], [name, ("Stage", "prod")]]
