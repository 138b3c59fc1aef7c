"""What the template promises about uploads, recordings, the firewall and the domain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from templates.reading import of

BUCKET = "manuel-manuals-${Environment}-${AWS::AccountId}-${AWS::Region}"


def policies(service: dict[str, Any], role: str) -> dict[str, list[dict[str, Any]]]:
    return {policy["PolicyName"]: policy["PolicyDocument"]["Statement"] for policy in of(service, role)["Policies"]}


def conditions(service: dict[str, Any], *names: str) -> set[str]:
    return {service["Resources"][name]["Condition"] for name in names}


def test_s3_calls_the_live_alias_for_manuals_that_come_and_go(service: dict[str, Any]) -> None:
    found = of(service, "ManualsBucket")["NotificationConfiguration"]["LambdaConfigurations"]

    assert {one["Event"] for one in found} == {"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}
    for one in found:
        assert one["Function"] == {"Ref": "ProcessManualLiveAlias"}
        assert one["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "manuals/"}]


def test_only_this_bucket_of_this_account_may_call_and_only_the_live_alias(service: dict[str, Any]) -> None:
    assert of(service, "ProcessManualPermission") == {
        "FunctionName": {"Ref": "ProcessManualLiveAlias"},
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
        "SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{BUCKET}"},
    }
    assert service["Resources"]["ManualsBucket"]["DependsOn"] == "ProcessManualPermission"  # S3 checks it


def test_the_function_that_the_bucket_calls_waits_for_no_bucket(service: dict[str, Any]) -> None:
    """Or the bucket, its permission, the alias and the function would wait for each other."""
    variables = service["Globals"]["Function"]["Environment"]["Variables"]

    assert of(service, "ManualsBucket")["BucketName"] == {"Fn::Sub": BUCKET}
    assert variables["MANUEL_MANUALS_BUCKET"] == {"Fn::Sub": BUCKET}
    for logical_id in ("ProcessManualFunction", "ProcessManualFunctionRole"):
        assert "ManualsBucket" not in json.dumps(service["Resources"][logical_id]), logical_id


def test_what_cannot_be_processed_is_tried_again_and_then_kept_for_two_weeks(service: dict[str, Any]) -> None:
    config, queue = of(service, "ProcessManualInvokeConfig"), of(service, "ProcessManualFailures")

    assert (config["Qualifier"], config["MaximumRetryAttempts"]) == ("live", 2)
    assert config["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": ["ProcessManualFailures", "Arn"]}}
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    assert queue["SqsManagedSseEnabled"] is True


def test_recordings_are_kept_for_a_day(service: dict[str, Any]) -> None:
    rules = of(service, "AudioBucket")["LifecycleConfiguration"]["Rules"]

    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [1]
    assert "VersioningConfiguration" not in of(service, "AudioBucket")  # versions would outlive the day


def test_transcripts_can_be_written_to_our_bucket_only(service: dict[str, Any]) -> None:
    start = policies(service, "TranscribeFunctionRole")["transcription"][0]

    assert start["Action"] == "transcribe:StartTranscriptionJob"
    assert start["Condition"] == {"StringEquals": {"transcribe:OutputBucketName": {"Ref": "AudioBucket"}}}


def test_a_question_reaches_one_knowledge_base_and_one_model(service: dict[str, Any]) -> None:
    retrieve, invoke, through_profile = policies(service, "QueryFunctionRole")["answers"]

    assert retrieve["Resource"]["Fn::Sub"].endswith(":knowledge-base/${KnowledgeBaseId}")
    assert all(one["Fn::Sub"].endswith("/${TextModelId}") for one in invoke["Resource"])
    assert through_profile["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"] == invoke["Resource"][1]


def test_a_firewall_stands_before_staging_and_production(service: dict[str, Any]) -> None:
    assert service["Conditions"]["HasFirewall"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Environment"}, "dev"]}]}
    assert conditions(service, "ApiFirewall", "ApiFirewallAssociation") == {"HasFirewall"}
    firewall = of(service, "ApiFirewall")
    assert (firewall["Scope"], firewall["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    statements = [rule["Statement"] for rule in firewall["Rules"]]
    groups = [one["ManagedRuleGroupStatement"]["Name"] for one in statements if "ManagedRuleGroupStatement" in one]
    assert groups == [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesSQLiRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]
    (rate,) = (rule for rule in firewall["Rules"] if "RateBasedStatement" in rule["Statement"])
    assert (rate["Action"], rate["Statement"]["RateBasedStatement"]["AggregateKeyType"]) == ({"Block": {}}, "IP")
    assert len({rule["Priority"] for rule in firewall["Rules"]}) == 4


def test_recordings_pass_the_firewall(service: dict[str, Any]) -> None:
    """The common rules refuse bodies of more than 8 KB."""
    (common,) = (rule for rule in of(service, "ApiFirewall")["Rules"] if rule["Name"] == "common")

    overrides = common["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert overrides == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]


def test_the_domain_is_there_when_it_is_given(service: dict[str, Any]) -> None:
    assert conditions(service, "ApiDomain", "ApiDomainMapping") == {"HasDomain"}
    assert service["Outputs"]["ApiDomainTarget"]["Condition"] == "HasDomain"
    assert of(service, "ApiDomain")["SecurityPolicy"] == "TLS_1_2"
    assert of(service, "ApiDomainMapping")["RestApiId"] == {"Ref": "ManuelApi"}


@pytest.mark.parametrize(
    ("rule", "given", "needed"),
    [
        ("DomainHasCertificate", "DomainName", "CertificateArn"),
        ("KnowledgeBaseHasDataSource", "KnowledgeBaseId", "DataSourceId"),
    ],
)
def test_what_goes_together_is_checked_before_anything_changes(
    service: dict[str, Any], rule: str, given: str, needed: str
) -> None:
    def is_given(name: str) -> dict[str, Any]:
        return {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]}

    found = service["Rules"][rule]
    assert found["RuleCondition"] == is_given(given)
    assert found["Assertions"][0]["Assert"] == is_given(needed)
