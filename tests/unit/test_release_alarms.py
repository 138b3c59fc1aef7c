"""The alarms of a release are made with it and deleted with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deploy_world import World
from fakes import Told

from manuel_release.apply.context import Context
from manuel_release.apply.release_alarms import alarm_names, create_release_alarms, delete_release_alarms
from manuel_release.model.alarm import Signal, parse
from manuel_release.observe.service import service_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path, monkeypatch, "production")
    made.aws.functions_in_template = ("manuel-health-prod", "manuel-query-prod")
    made.deploy()
    return made


def context(world: World) -> Context:
    app = world.app()
    return Context(app.aws, app.settings, Told(), app.now, app.sleep, "eu-west-1")


def test_a_deploy_to_production_makes_an_alarm_for_each_signal(world: World) -> None:
    made = [parse(name) for name in world.aws.alarms.made]

    assert {(alarm.environment, alarm.release) for alarm in made if alarm} == {("prod", "r-1")}
    assert {alarm.signal for alarm in made if alarm} == set(Signal)
    live = world.aws.alarms.made["manuel-prod-r-1-live-function-errors"]
    assert {dict(metric.dimensions)["ExecutedVersion"] for metric in live.metrics.values()} == {"1"}


def test_an_alarm_that_is_there_is_not_made_again(world: World) -> None:
    service = service_of(world.aws, "manuel-prod")  # type: ignore[arg-type]
    world.aws.alarms.delete(["manuel-prod-r-1-latency"])
    world.aws.alarms.made.clear()

    assert create_release_alarms(context(world), service, "r-1") == 1
    assert list(world.aws.alarms.made) == ["manuel-prod-r-1-latency"]


def test_a_pruned_release_takes_its_alarms_and_no_other_s_along(world: World) -> None:
    service = service_of(world.aws, "manuel-prod")  # type: ignore[arg-type]
    create_release_alarms(context(world), service, "r-11")

    assert delete_release_alarms(context(world), service, "r-1") == len(Signal)
    assert {name.startswith("manuel-prod-r-11-") for name in (a.name for a in world.aws.alarms.all)} == {True}


def test_what_codedeploy_watches_exists(world: World) -> None:
    service = service_of(world.aws, "manuel-prod")  # type: ignore[arg-type]

    assert set(alarm_names(service, "r-1")) < set(world.aws.alarms.made)
