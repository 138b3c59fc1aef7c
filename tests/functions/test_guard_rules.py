"""The rules of operations.yaml are about the things that pipeline.yaml and template.yaml make, by their names."""

from __future__ import annotations

from typing import Any

import pytest
from tests_root import ROOT

from manuel_release.artifact import template
from manuel_release.model.alarm import ReleaseAlarm, Signal
from manuel_release.model.approval import GATES


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    return template.load(ROOT / "operations.yaml")


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    return template.load(ROOT / "pipeline.yaml")


def pattern(operations: dict[str, Any], rule: str) -> dict[str, Any]:
    found: dict[str, Any] = operations["Resources"][rule]["Properties"]["EventPattern"]["detail"]
    return found


def default(stack: dict[str, Any], name: str) -> str:
    return str(stack["Parameters"][name]["Default"])


def test_the_gates_of_a_canary_are_obeyed_and_the_approval_of_production_is_not(operations, pipeline) -> None:
    asked = pattern(operations, "ApprovalRule")

    assert set(asked["stage"]) == {gate.stage for gate in GATES.values()} - {"ProductionApproval"}
    assert set(asked["stage"]) < {stage["Name"] for stage in pipeline["Resources"]["Pipeline"]["Properties"]["Stages"]}
    assert asked["state"] == ["FAILED", "CANCELED", "ABANDONED"]
    assert asked["pipeline"] == [{"Ref": "PipelineName"}]
    assert default(operations, "PipelineName") == default(pipeline, "PipelineName")


def test_the_job_whose_death_is_told_is_the_one_that_observes(operations, pipeline) -> None:
    asked = pattern(operations, "ObserverRule")

    assert asked["project-name"] == [{"Ref": "ObservingProjectName"}]
    assert default(operations, "ObservingProjectName") == pipeline["Resources"]["ObserveProject"]["Properties"]["Name"]
    assert asked["build-status"] == ["FAILED", "STOPPED"]


def test_failed_rollouts_are_those_of_the_service_in_every_environment(operations) -> None:
    (only,) = pattern(operations, "RolloutRule")["application"]
    service = template.load(ROOT / "template.yaml")
    _, plain, other = service["Resources"]["CodeDeployApplication"]["Properties"]["ApplicationName"]["Fn::If"]

    assert plain.startswith(only["prefix"])
    assert other["Fn::Sub"].startswith(only["prefix"])
    assert pattern(operations, "RolloutRule")["state"] == ["FAILURE"]


def test_the_alarms_that_are_told_are_those_of_releases(operations) -> None:
    (only,) = pattern(operations, "ReleaseAlarmRule")["alarmName"]
    before, between, after = only["wildcard"].split("*")

    name = ReleaseAlarm("prod", "r-13", Signal.SLOWNESS).name
    assert (before, after) == ("manuel-", "")
    assert name.startswith(before)
    assert between in name
