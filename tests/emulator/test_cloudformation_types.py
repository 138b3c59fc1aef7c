"""CloudFormation types that ministack refuses: accepted, and shown by their services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import REGION, ROLE, unique, until
from emulator.stack_world import Resources, Stack, resource

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def stack(cloud: EmbeddedCloud) -> Iterator[Stack]:
    with Stack.of(cloud) as made:
        yield made


ACL = {
    "Scope": "REGIONAL",
    "DefaultAction": {"Allow": {}},
    "VisibilityConfig": {
        "SampledRequestsEnabled": True,
        "CloudWatchMetricsEnabled": True,
        "MetricName": "acl",
    },
}


def stage_arn() -> str:
    return f"arn:aws:apigateway:{REGION}::/restapis/{unique('api')}/stages/v1"


def test_a_web_acl_is_associated_and_a_replacement_keeps_the_new_association(stack: Stack) -> None:
    target = stage_arn()

    def resources(acl: str) -> Resources:
        association = {"ResourceArn": target, "WebACLArn": {"Fn::GetAtt": [acl, "Arn"]}}
        return {
            "One": resource("WAFv2::WebACL", ACL),
            "Two": resource("WAFv2::WebACL", ACL),
            "Association": resource("WAFv2::WebACLAssociation", association),
        }

    def associated() -> str:
        found = stack.world.wafv2.get_web_acl_for_resource(ResourceArn=target)
        return str(found["WebACL"]["ARN"])

    arns = {name: {"Fn::GetAtt": [name, "Arn"]} for name in ("One", "Two")}
    assert stack.put(resources("One"), arns) == "CREATE_COMPLETE"
    assert associated() == stack.output("One")
    assert stack.put(resources("Two"), arns) == "UPDATE_COMPLETE"
    assert associated() == stack.output("Two")
    stack.delete()
    with pytest.raises(ClientError):
        associated()


def test_an_ip_set_is_made_changed_in_place_and_deleted(stack: Stack) -> None:
    def addresses(*blocks: str) -> Resources:
        about = f"{len(blocks)} blocks"
        members = {"Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Description": about}
        properties = {**members, "Addresses": list(blocks)}
        return {"Set": resource("WAFv2::IPSet", properties)}

    outputs = {"Id": {"Fn::GetAtt": ["Set", "Id"]}, "Arn": {"Fn::GetAtt": ["Set", "Arn"]}, "Ref": {"Ref": "Set"}}
    stack.put(addresses("10.0.0.0/8"), outputs)
    name, set_id, scope = stack.output("Ref").split("|")
    assert (set_id, scope) == (stack.output("Id"), "REGIONAL")
    assert stack.put(addresses("10.0.0.0/8", "192.0.2.0/24"), outputs) == "UPDATE_COMPLETE"
    assert stack.output("Id") == set_id
    found = stack.world.wafv2.get_ip_set(Name=name, Scope="REGIONAL", Id=set_id)["IPSet"]
    assert found["Addresses"] == ["10.0.0.0/8", "192.0.2.0/24"]
    assert found["Description"] == "2 blocks"
    assert found["ARN"] == stack.output("Arn")
    stack.delete()
    with pytest.raises(ClientError):
        stack.world.wafv2.get_ip_set(Name=name, Scope="REGIONAL", Id=set_id)


def test_a_composite_alarm_follows_its_children(stack: Stack) -> None:
    child = stack.world.alarm()
    properties = {"AlarmRule": f'ALARM("{child}")', "AlarmDescription": "first"}
    outputs = {"Ref": {"Ref": "Composite"}, "Arn": {"Fn::GetAtt": ["Composite", "Arn"]}}
    stack.put({"Composite": resource("CloudWatch::CompositeAlarm", properties)}, outputs)
    name = stack.output("Ref")

    def found() -> dict[str, Any]:
        alarms = stack.world.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return dict(alarms["CompositeAlarms"][0])

    assert found()["StateValue"] == "OK"
    assert found()["AlarmArn"] == stack.output("Arn")
    stack.world.ring(child)
    until(lambda: found()["StateValue"] == "ALARM")
    changed = {**properties, "AlarmDescription": "second"}
    stack.put({"Composite": resource("CloudWatch::CompositeAlarm", changed)}, outputs)
    assert (found()["AlarmDescription"], found()["StateValue"]) == ("second", "ALARM")
    stack.delete()
    assert stack.world.cloudwatch.describe_alarms(AlarmNames=[name])["CompositeAlarms"] == []


def test_a_composite_alarm_over_a_missing_alarm_fails_the_stack(stack: Stack) -> None:
    properties = {"AlarmRule": 'ALARM("nobody")'}
    assert stack.put({"Composite": resource("CloudWatch::CompositeAlarm", properties)}) == "ROLLBACK_COMPLETE"
    assert "do not exist" in stack.why()


def test_a_backup_selection_belongs_to_its_plan(stack: Stack) -> None:
    plan = {
        "BackupPlan": {
            "BackupPlanName": unique("plan"),
            "BackupPlanRule": [{"RuleName": "daily", "TargetBackupVault": "Default"}],
        }
    }
    selection = {"SelectionName": "tables", "IamRoleArn": ROLE, "Resources": ["arn:aws:dynamodb:*:*:table/x"]}
    resources = {
        "Plan": resource("Backup::BackupPlan", plan),
        "Selection": resource(
            "Backup::BackupSelection", {"BackupPlanId": {"Ref": "Plan"}, "BackupSelection": selection}
        ),
    }
    outputs = {"Plan": {"Ref": "Plan"}, "Id": {"Ref": "Selection"}, "Of": {"Fn::GetAtt": ["Selection", "BackupPlanId"]}}
    assert stack.put(resources, outputs) == "CREATE_COMPLETE"
    assert stack.output("Of") == stack.output("Plan")
    found = stack.world.backup.get_backup_selection(BackupPlanId=stack.output("Plan"), SelectionId=stack.output("Id"))
    assert found["BackupSelection"]["Resources"] == ["arn:aws:dynamodb:*:*:table/x"]
    plan_id = stack.output("Plan")
    stack.put({"Plan": resources["Plan"]})
    assert stack.world.backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"] == []


def test_a_config_rule_and_a_recorder_are_shown_by_config(stack: Stack) -> None:
    rule = {
        "ConfigRuleName": unique("rule"),
        "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"},
        "InputParameters": {"isMfaDeleteEnabled": "false"},
    }
    recorder = {"Name": unique("recorder"), "RoleARN": ROLE, "RecordingGroup": {"AllSupported": True}}
    resources = {
        "Rule": resource("Config::ConfigRule", rule),
        "Recorder": resource("Config::ConfigurationRecorder", recorder),
    }
    assert stack.put(resources, {"Arn": {"Fn::GetAtt": ["Rule", "Arn"]}}) == "CREATE_COMPLETE"
    found = stack.world.config.describe_config_rules(ConfigRuleNames=[rule["ConfigRuleName"]])["ConfigRules"][0]
    assert found["ConfigRuleArn"] == stack.output("Arn")
    assert json.loads(found["InputParameters"]) == {"isMfaDeleteEnabled": "false"}
    shown = stack.world.config.describe_configuration_recorders(ConfigurationRecorderNames=[recorder["Name"]])
    assert shown["ConfigurationRecorders"][0]["recordingGroup"] == {"allSupported": True}
    resources["Rule"]["Properties"] = {**rule, "Description": "second"}
    resources["Recorder"]["Properties"] = {**recorder, "RecordingGroup": {"AllSupported": False}}
    assert stack.put(resources, {"Arn": {"Fn::GetAtt": ["Rule", "Arn"]}}) == "UPDATE_COMPLETE"
    again = stack.world.config.describe_config_rules(ConfigRuleNames=[rule["ConfigRuleName"]])["ConfigRules"][0]
    assert (again["Description"], again["ConfigRuleId"]) == ("second", found["ConfigRuleId"])
    shown = stack.world.config.describe_configuration_recorders(ConfigurationRecorderNames=[recorder["Name"]])
    assert shown["ConfigurationRecorders"][0]["recordingGroup"] == {"allSupported": False}
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError):
        stack.world.config.describe_config_rules(ConfigRuleNames=[rule["ConfigRuleName"]])
    with pytest.raises(ClientError):
        stack.world.config.describe_configuration_recorders(ConfigurationRecorderNames=[recorder["Name"]])


def test_a_slack_channel_and_an_anomaly_detector_are_accepted_with_their_attributes(stack: Stack) -> None:
    slack = {
        "ConfigurationName": unique("slack"),
        "SlackWorkspaceId": "T0",
        "SlackChannelId": "C0",
        "IamRoleArn": ROLE,
    }
    detector = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Stat": "Sum"}
    resources = {
        "Slack": resource("Chatbot::SlackChannelConfiguration", slack),
        "Detector": resource("CloudWatch::AnomalyDetector", detector),
    }
    outputs = {"Slack": {"Fn::GetAtt": ["Slack", "Arn"]}, "Detector": {"Fn::GetAtt": ["Detector", "Id"]}}
    assert stack.put(resources, outputs) == "CREATE_COMPLETE"
    assert stack.output("Slack") == (
        f"arn:aws:chatbot::{ACCOUNT_ID}:chat-configuration/slack-channel/{slack['ConfigurationName']}"
    )
    old = stack.output("Detector")
    resources["Detector"]["Properties"] = {**detector, "MetricName": "Throttles"}
    resources["Slack"]["Properties"] = {**slack, "SlackChannelId": "C1"}
    assert stack.put(resources, outputs) == "UPDATE_COMPLETE"
    assert stack.output("Detector") != old
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_slack_channel_without_its_role_fails_the_stack(stack: Stack) -> None:
    slack = {"ConfigurationName": unique("slack"), "SlackWorkspaceId": "T0", "SlackChannelId": "C0"}
    assert stack.put({"Slack": resource("Chatbot::SlackChannelConfiguration", slack)}) == "ROLLBACK_COMPLETE"
    assert "required key [IamRoleArn] not found" in stack.why()
