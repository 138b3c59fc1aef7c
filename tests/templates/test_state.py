"""What the template promises about data, users and alarms."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from templates.reading import FUNCTIONS, chosen, of


def test_production_data_can_be_brought_back(service: dict[str, Any]) -> None:
    table, bucket = of(service, "UsageTable"), of(service, "ManualsBucket")

    assert chosen(service, table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], "prod") is True
    assert chosen(service, table["DeletionProtectionEnabled"], "prod") is True
    assert chosen(service, bucket["VersioningConfiguration"]["Status"], "prod") == "Enabled"
    assert chosen(service, of(service, "UserPool")["DeletionProtection"], "prod") == "ACTIVE"


def test_production_has_no_password_flow_for_administrators(service: dict[str, Any]) -> None:
    flows = of(service, "UserPoolClient")["ExplicitAuthFlows"]

    assert "ALLOW_ADMIN_USER_PASSWORD_AUTH" in [chosen(service, flow, "dev") for flow in flows]
    assert {json.dumps(chosen(service, flow, "prod")) for flow in flows} == {
        '"ALLOW_USER_SRP_AUTH"',
        '"ALLOW_REFRESH_TOKEN_AUTH"',
        '{"Ref": "AWS::NoValue"}',
    }


@pytest.mark.parametrize(
    ("alarm", "threshold", "seconds"),
    [
        ("ApiGateway5xxErrorAlarm", 5, 300),
        ("LambdaErrorAlarm", 10, 300),
        ("ResponseTimeAlarm", 10_000, 300),
        ("DynamoDbThrottleAlarm", 5, 300),
    ],
)
def test_alarms_have_the_specified_thresholds(
    service: dict[str, Any], alarm: str, threshold: int, seconds: int
) -> None:
    found = of(service, alarm)

    assert (found["Threshold"], found["ComparisonOperator"]) == (threshold, "GreaterThanThreshold")
    periods = {m["MetricStat"]["Period"] for m in found.get("Metrics", []) if "MetricStat" in m} or {found["Period"]}
    assert {period * found["EvaluationPeriods"] for period in periods} == {seconds}
    assert found["TreatMissingData"] == "notBreaching"
    assert found["AlarmName"]["Fn::Sub"].startswith("manuel-${Environment}-")
    assert not found["AlarmName"]["Fn::Sub"].startswith("manuel-${Environment}-r-")  # those are a release's
    assert found["AlarmActions"] == [{"Ref": "AlertTopic"}]


def test_the_error_alarm_adds_up_the_live_aliases_of_all_functions(service: dict[str, Any]) -> None:
    total, *metrics = of(service, "LambdaErrorAlarm")["Metrics"]

    assert {m["Id"] for m in metrics} == set(re.findall(r"FILL\((\w+), 0\)", total["Expression"]))
    dimensions = [{d["Name"]: d["Value"] for d in m["MetricStat"]["Metric"]["Dimensions"]} for m in metrics]
    assert dimensions == [
        {"FunctionName": {"Ref": f"{name}Function"}, "Resource": {"Fn::Sub": f"${{{name}Function}}:live"}}
        for name in FUNCTIONS
    ]


def test_alarms_are_mailed_only_to_an_address_that_is_given(service: dict[str, Any]) -> None:
    assert service["Resources"]["AlertEmailSubscription"]["Condition"] == "HasAlertEmail"
    assert service["Conditions"]["HasAlertEmail"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlertEmail"}, ""]}]}
