"""What operations.yaml promises to the release tool."""

from __future__ import annotations

from typing import Any


def of(operations: dict[str, Any], logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = operations["Resources"][logical_id]["Properties"]
    return found


def test_the_ledger_is_keyed_by_environment_and_entry_and_hard_to_lose(operations: dict[str, Any]) -> None:
    table = of(operations, "LedgerTable")

    assert table["TableName"] == "manuel-releases"
    assert table["KeySchema"] == [
        {"AttributeName": "environment", "KeyType": "HASH"},
        {"AttributeName": "entry", "KeyType": "RANGE"},
    ]
    assert {a["AttributeType"] for a in table["AttributeDefinitions"]} == {"S"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True


def test_the_artifact_bucket_forgets_builds_after_thirty_days_and_keeps_versions(operations: dict[str, Any]) -> None:
    bucket = of(operations, "ArtifactBucket")

    assert bucket["BucketName"] == {"Fn::Sub": "manuel-artifacts-${AWS::AccountId}-${AWS::Region}"}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    builds = next(rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule)
    assert (builds["Prefix"], builds["ExpirationInDays"]) == ("builds/", {"Ref": "BuildRetentionDays"})
    assert operations["Parameters"]["BuildRetentionDays"]["Default"] == 30
    assert any("NoncurrentVersionExpiration" in rule for rule in bucket["LifecycleConfiguration"]["Rules"])


def test_the_tool_finds_both_by_parameters(operations: dict[str, Any]) -> None:
    ledger, artifacts = of(operations, "LedgerParameter"), of(operations, "ArtifactsParameter")

    assert (ledger["Name"], ledger["Value"]) == ("/manuel/operations/ledger", {"Ref": "LedgerTable"})
    assert (artifacts["Name"], artifacts["Value"]) == ("/manuel/operations/artifacts", {"Ref": "ArtifactBucket"})


def test_stages_of_this_account_can_log(operations: dict[str, Any]) -> None:
    assert of(operations, "ApiGatewayAccount") == {"CloudWatchRoleArn": {"Fn::GetAtt": ["ApiGatewayLogsRole", "Arn"]}}
    trust = of(operations, "ApiGatewayLogsRole")["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": "apigateway.amazonaws.com"}]
