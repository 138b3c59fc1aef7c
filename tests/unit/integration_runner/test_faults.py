"""Making dependencies fail for the suites, and never in production."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from integration.suites import faults as module
from integration.suites.faults import Faults, of_the_layer
from moto import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.suites.config import Config

PARAMETER = "/manuel/staging/faults"


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(module, "SETTLES", 0.0)
    with mock_aws():
        client = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
        yield client
        client.close()


def test_nothing_can_be_made_to_fail_where_nothing_is_configured_or_in_production(config: Config) -> None:
    both = replace(config, faults_url="http://x", dependency_faults=("s3",), fault_layer=True)

    assert Faults(config).services == frozenset()
    assert Faults(replace(both, environment="production")).services == frozenset()
    assert "dynamodb" in Faults(both).services
    assert Faults(replace(both, fault_layer=False)).services == {"s3"}


def test_a_plan_for_the_layer_is_there_while_it_lasts_and_gone_after_a_failure_too(config: Config, ssm: Any) -> None:
    faults = Faults(replace(config, fault_layer=True), ssm)

    def failing_test() -> None:
        with faults.planned("dynamodb", error_percent=100):
            plans.append(json.loads(ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]))
            raise RuntimeError("the test fails")

    plans: list[dict[str, Any]] = []
    with pytest.raises(RuntimeError, match="the test fails"):
        failing_test()

    (plan,) = plans
    assert [one["dependency"] for one in plan["faults"]] == ["dynamodb"]
    assert plan["until"] > 0
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=PARAMETER)


def test_a_plan_that_somebody_else_ended_is_no_trouble(config: Config, ssm: Any) -> None:
    with Faults(replace(config, fault_layer=True), ssm).planned("s3", error_percent=100):
        ssm.delete_parameter(Name=PARAMETER)


@pytest.mark.parametrize(
    ("service", "plan", "expected"),
    [
        ("bedrock-runtime", {"throttle_percent": 50}, {"kind": "error", "status": 429, "percent": 50}),
        ("transcribe", {"throttle_percent": 100}, {"kind": "error", "status": 400, "code": "LimitExceededException"}),
        ("s3", {"error_percent": 100}, {"kind": "error", "status": 500, "percent": 100}),
        ("s3", {"delay_seconds": 6}, {"kind": "delay", "delay_seconds": 6, "percent": 100}),
    ],
)
def test_a_plan_says_the_same_to_the_layer(service: str, plan: dict[str, float], expected: dict[str, Any]) -> None:
    assert of_the_layer(service, plan).items() >= expected.items()
    assert of_the_layer(service, plan)["dependency"] == service
