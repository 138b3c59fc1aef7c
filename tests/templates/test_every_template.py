"""What holds for each of our templates."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from templates.conftest import ROOT

from manuel_release.artifact import template

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ["template.yaml", "operations.yaml"]
ORDER = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Globals",
    "Resources",
    "Outputs",
]
STATEFUL = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool", "AWS::Lambda::Version"}
WITHOUT_RESOURCES = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "transcribe:StartTranscriptionJob",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
A_SENTENCE = re.compile(r"(An?|The) [^\n]+\.")

pytestmark = pytest.mark.parametrize("name", NAMES)


def load(name: str) -> dict[str, Any]:
    return template.load(ROOT / name)


def statements(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy statement anywhere in a template, with where it is."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield path, value
        for key, inner in value.items():
            yield from statements(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from statements(inner, f"{path}/{number}")


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_sections_are_in_the_usual_order(name: str) -> None:
    sections = [node[0].value for node in yaml.compose((ROOT / name).read_text()).value]

    assert sections == [section for section in ORDER if section in sections]
    assert set(sections) >= {"Description", "Metadata", "Parameters", "Resources", "Outputs"}


def test_every_parameter_is_described_and_bounded(name: str) -> None:
    for parameter, rules in load(name)["Parameters"].items():
        assert rules["Description"].endswith("."), parameter
        if rules["Type"] == "Number":
            assert {"MinValue", "MaxValue"} <= rules.keys(), parameter
        else:
            assert {"AllowedValues", "AllowedPattern"} & rules.keys(), parameter
        assert ("may be empty" in rules["Description"] or rules["Description"].startswith("Optional")) == (
            rules.get("Default") == ""
        ), parameter


def test_the_console_form_shows_every_parameter_once(name: str) -> None:
    data = load(name)
    groups = data["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert sorted(p for group in groups for p in group["Parameters"]) == sorted(data["Parameters"])


def test_every_resource_says_in_a_sentence_what_it_is(name: str) -> None:
    for logical_id, resource in load(name)["Resources"].items():
        assert A_SENTENCE.fullmatch(resource["Metadata"]["Description"]), logical_id


def test_every_output_is_described_and_exported_by_its_name(name: str) -> None:
    for output, rules in load(name)["Outputs"].items():
        assert rules["Description"].endswith("."), output
        assert rules["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-" + output}}, output


def test_what_holds_data_outlives_its_stack(name: str) -> None:
    found = 0
    for logical_id, resource in load(name)["Resources"].items():
        if resource["Type"] in STATEFUL:
            found += 1
            assert resource["DeletionPolicy"] in {"Retain", "RetainExceptOnCreate"}, logical_id
            assert resource["UpdateReplacePolicy"] == "Retain", logical_id
    assert found


def test_no_statement_allows_all_actions_or_all_resources(name: str) -> None:
    found = list(statements(load(name)["Resources"]))

    assert found
    for path, statement in found:
        actions = many(statement["Action"])
        assert "*" not in actions, path
        if statement["Effect"] == "Allow":
            assert not [a for a in actions if a.endswith(":*")], path
            assert "*" not in many(statement.get("Resource", "")) or set(actions) <= WITHOUT_RESOURCES, path


def test_buckets_are_private_encrypted_and_refuse_requests_without_tls(name: str) -> None:
    resources = load(name)["Resources"]
    buckets = {k: r["Properties"] for k, r in resources.items() if r["Type"] == "AWS::S3::Bucket"}
    policies = {
        json.dumps(r["Properties"]["Bucket"]): r["Properties"]["PolicyDocument"]["Statement"]
        for r in resources.values()
        if r["Type"] == "AWS::S3::BucketPolicy"
    }

    assert buckets
    for logical_id, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        assert any("AbortIncompleteMultipartUpload" in rule for rule in bucket["LifecycleConfiguration"]["Rules"])
        (statement,) = policies[json.dumps({"Ref": logical_id})]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert len(statement["Resource"]) == 2  # the bucket and what is in it


def test_tables_are_encrypted_paid_per_request_and_forget_what_expires(name: str) -> None:
    tables = [r["Properties"] for r in load(name)["Resources"].values() if r["Type"] == "AWS::DynamoDB::Table"]

    assert tables
    for table in tables:
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert "PointInTimeRecoverySpecification" in table
        assert "DeletionProtectionEnabled" in table
