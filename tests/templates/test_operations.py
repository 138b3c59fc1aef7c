"""What operations.yaml promises to the release tool."""

from __future__ import annotations

from typing import Any

from operations.guard import ROLLBACK_SECONDS


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


def test_what_people_are_told_is_published_to_a_topic_that_the_tool_finds(operations: dict[str, Any]) -> None:
    parameter = of(operations, "TopicParameter")

    assert of(operations, "NotificationTopic")["TopicName"] == "manuel-deployment-notifications"
    assert (parameter["Name"], parameter["Value"]) == ("/manuel/operations/topic", {"Ref": "NotificationTopic"})
    statements = of(operations, "NotificationTopicPolicy")["PolicyDocument"]["Statement"]
    assert [(one["Effect"], one["Principal"]) for one in statements] == [
        ("Allow", {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}),
        ("Allow", {"Service": "cloudwatch.amazonaws.com"}),
        ("Deny", "*"),
    ]
    assert statements[1]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert statements[2]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_without_a_package_there_is_no_guard_and_nothing_that_belongs_to_it(operations: dict[str, Any]) -> None:
    guards = {name for name, one in operations["Resources"].items() if one.get("Condition") == "HasFunctions"}
    belongs = {name for name, one in operations["Resources"].items() if "Guard" in name or "::Events::" in one["Type"]}
    belongs |= {name for name, one in operations["Resources"].items() if one["Type"] == "AWS::Lambda::Permission"}

    assert guards == belongs
    assert operations["Conditions"] == {"HasFunctions": {"Fn::Not": [{"Fn::Equals": [{"Ref": "FunctionsKey"}, ""]}]}}
    assert operations["Parameters"]["FunctionsKey"]["Default"] == ""


def test_every_rule_may_call_the_guard_and_nobody_else_may(operations: dict[str, Any]) -> None:
    resources = operations["Resources"]
    rules = {name for name, one in resources.items() if one["Type"] == "AWS::Events::Rule"}
    permissions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"]

    assert len(rules) == 5
    assert {one["SourceArn"]["Fn::GetAtt"][0] for one in permissions} == rules
    assert {one["Principal"] for one in permissions} == {"events.amazonaws.com"}
    for name in rules:
        (target,) = of(operations, name)["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": ["GuardFunction", "Arn"]}


def test_the_guard_may_move_traffic_and_not_change_code_or_stacks(operations: dict[str, Any]) -> None:
    policies = of(operations, "GuardRole")["Policies"]
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    actions = {
        action
        for one in statements
        for action in (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])
    }

    reading = ("Get", "List", "Describe", "Query", "Filter")
    changing = {action for action in actions if not action.split(":")[1].startswith(reading)}
    assert changing == {
        "apigateway:DELETE",
        "apigateway:GET",
        "apigateway:PATCH",
        "codedeploy:StopDeployment",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "lambda:CreateAlias",
        "lambda:InvokeFunction",
        "lambda:UpdateAlias",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sns:Publish",
    }


def test_the_guard_s_time_out_is_how_long_it_counts_a_rollback_as_under_way(operations: dict[str, Any]) -> None:
    guard = of(operations, "GuardFunction")

    assert guard["Timeout"] == ROLLBACK_SECONDS
    assert (guard["Handler"], guard["Runtime"], guard["Architectures"]) == (
        "operations.guard.handle",
        "python3.13",
        ["arm64"],
    )
