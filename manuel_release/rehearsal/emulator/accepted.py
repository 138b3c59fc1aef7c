"""CloudFormation types that ministack refuses although a template of ours may hold them.

Where ministack has the service's API, the resource is made through it, so that describe calls show it. Where it has
none (Slack channels, anomaly detectors) the properties are remembered and nothing more happens.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from ministack.core import responses
from ministack.services import backup, cloudwatch, config, waf
from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import resources, scope, targets
from manuel_release.rehearsal.emulator.resources import Made, Properties, ResourceType, checked, physical_name

REQUIRES = {
    "ministack.core.responses.AccountRegionScopedDict": None,
    "ministack.services.backup._create_selection": ("plan_id", "body"),
    "ministack.services.backup._delete_selection": ("plan_id", "selection_id"),
    "ministack.services.cloudwatch._delete_alarms": ("params", "cbor_data", "is_cbor", "is_json"),
    "ministack.services.cloudwatch._put_composite_alarm": ("params", "cbor_data", "is_cbor", "is_json"),
    "ministack.services.cloudwatch.cloudformation_set_metric_alarm_tags": ("name", "tags"),
    "ministack.services.config._config_rules": None,
    "ministack.services.config._delete_config_rule": ("data",),
    "ministack.services.config._put_config_rule": ("data",),
    "ministack.services.config._put_configuration_recorder": ("data",),
    "ministack.services.config._recorders": None,
    "ministack.services.waf._associate_web_acl": ("data",),
    "ministack.services.waf._associations": None,
    "ministack.services.waf._create_ip_set": ("data",),
    "ministack.services.waf._delete_ip_set": ("data",),
    "ministack.services.waf._disassociate_web_acl": ("data",),
    "ministack.services.waf._update_ip_set": ("data",),
}

remembered: Any = responses.AccountRegionScopedDict()
"""(type, physical id) -> properties of the resources that no API of ministack can show."""


def _required(properties: Properties, *names: str) -> None:
    missing = [name for name in names if properties.get(name) in (None, "")]
    if missing:
        raise ValueError(f"Model validation failed (#: required key [{missing[0]}] not found)")


def _create_association(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    _required(properties, "ResourceArn", "WebACLArn")
    checked(waf._associate_web_acl(properties))
    return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}


def _delete_association(_physical_id: str, properties: Properties) -> None:
    if waf._associations.get(properties["ResourceArn"]) == properties["WebACLArn"]:  # not what replaced it
        checked(waf._disassociate_web_acl(properties))


def _create_ip_set(logical_id: str, properties: Properties, stack_name: str) -> Made:
    _required(properties, "Scope", "IPAddressVersion")
    name = physical_name(properties, "Name", logical_id, stack_name, 128)
    tags = provisioners._tag_map(properties.get("Tags"))
    request = {**properties, "Name": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    made = checked(waf._create_ip_set(request))["Summary"]
    return f"{name}|{made['Id']}|{properties['Scope']}", {"Arn": made["ARN"], "Id": made["Id"]}


def _update_ip_set(physical_id: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    name, set_id, _scope = physical_id.split("|")
    request = {**new, "Name": name, "Id": set_id}
    checked(waf._update_ip_set(request))
    record = waf._resource_from_scope(waf._ip_sets, set_id, new["Scope"])
    record["Description"] = new.get("Description", "")
    return physical_id, {"Arn": record["ARN"], "Id": set_id}


def _delete_ip_set(physical_id: str, properties: Properties) -> None:
    checked(waf._delete_ip_set({"Id": physical_id.split("|")[1], "Scope": properties["Scope"]}))


def _create_composite(logical_id: str, properties: Properties, stack_name: str) -> Made:
    return _put_composite(physical_name(properties, "AlarmName", logical_id, stack_name, 255), properties)


def _put_composite(name: str, properties: Properties) -> Made:
    _required(properties, "AlarmRule")
    request = {
        **{member: value for member, value in properties.items() if member != "Tags"},
        "AlarmName": name,
        "ActionsEnabled": resources.as_flag(properties.get("ActionsEnabled", True)),
    }
    checked(cloudwatch._put_composite_alarm({}, request, False, is_json=True))
    tags = provisioners._tag_map(properties.get("Tags"))
    cloudwatch.cloudformation_set_metric_alarm_tags(name, [{"Key": key, "Value": tags[key]} for key in tags])
    account_id, region = scope.current()
    return name, {"Arn": f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}"}


def _update_composite(name: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    return _put_composite(name, new)


def _delete_composite(name: str, _properties: Properties) -> None:
    checked(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, False, is_json=True))


def _create_selection(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    _required(properties, "BackupPlanId", "BackupSelection")
    plan = properties["BackupPlanId"]
    made = checked(backup._create_selection(plan, {"BackupSelection": properties["BackupSelection"]}))["SelectionId"]
    return made, {"BackupPlanId": plan, "Id": made, "SelectionId": made}


def _delete_selection(physical_id: str, properties: Properties) -> None:
    checked(backup._delete_selection(properties["BackupPlanId"], physical_id))


def _create_rule(logical_id: str, properties: Properties, stack_name: str) -> Made:
    return _put_rule(physical_name(properties, "ConfigRuleName", logical_id, stack_name, 128), properties)


def _put_rule(name: str, properties: Properties) -> Made:
    _required(properties, "Source")
    rule = {**properties, "ConfigRuleName": name}
    if isinstance(rule.get("InputParameters"), dict):
        rule["InputParameters"] = json.dumps(rule["InputParameters"])
    checked(config._put_config_rule({"ConfigRule": rule}))
    made = config._config_rules[name]
    attributes = {"Arn": made["ConfigRuleArn"], "ConfigRuleId": made["ConfigRuleId"], "Compliance.Type": ""}
    return name, attributes


def _update_rule(name: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    return _put_rule(name, new)


def _delete_rule(name: str, _properties: Properties) -> None:
    checked(config._delete_config_rule({"ConfigRuleName": name}))


def _lower(value: Any) -> Any:
    """Template members as the Config API spells them: `AllSupported` is `allSupported`."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _lower(item) for name, item in value.items()}
    return [_lower(item) for item in value] if isinstance(value, list) else value


def _create_recorder(logical_id: str, properties: Properties, stack_name: str) -> Made:
    return _put_recorder(physical_name(properties, "Name", logical_id, stack_name, 256), properties)


def _put_recorder(name: str, properties: Properties) -> Made:
    _required(properties, "RoleARN")
    recorder = {
        "name": name,
        "roleARN": properties["RoleARN"],
        **{
            member: _lower(properties[original])
            for member, original in (("recordingGroup", "RecordingGroup"), ("recordingMode", "RecordingMode"))
            if properties.get(original) is not None
        },
    }
    checked(config._put_configuration_recorder({"ConfigurationRecorder": recorder}))
    return name, {}


def _update_recorder(name: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    return _put_recorder(name, new)


def _delete_recorder(name: str, _properties: Properties) -> None:
    config._recorders.pop(name, None)


SLACK = "AWS::Chatbot::SlackChannelConfiguration"
DETECTOR = "AWS::CloudWatch::AnomalyDetector"


def _create_slack(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    _required(properties, "ConfigurationName", "SlackWorkspaceId", "SlackChannelId", "IamRoleArn")
    account_id, _region = scope.current()
    arn = f"arn:aws:chatbot::{account_id}:chat-configuration/slack-channel/{properties['ConfigurationName']}"
    if (SLACK, arn) in remembered:
        raise ValueError(f"The configuration {properties['ConfigurationName']} already exists.")
    remembered[SLACK, arn] = properties
    return arn, {"Arn": arn}


def _update_slack(arn: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    remembered[SLACK, arn] = new
    return arn, {"Arn": arn}


def _delete_slack(arn: str, _properties: Properties) -> None:
    remembered.pop((SLACK, arn), None)


def _create_detector(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    made = str(uuid.uuid4())
    remembered[DETECTOR, made] = properties
    return made, {"Id": made}


def _update_detector(made: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    remembered[DETECTOR, made] = new
    return made, {"Id": made}


def _delete_detector(made: str, _properties: Properties) -> None:
    remembered.pop((DETECTOR, made), None)


_DETECTOR_IDENTITY = (
    "Dimensions", "MetricCharacteristics", "MetricName", "Namespace", "SingleMetricAnomalyDetector",
    "MetricMathAnomalyDetector", "Stat",
)  # fmt: skip

TYPES = {
    "AWS::WAFv2::WebACLAssociation": ResourceType(
        _create_association, _delete_association, replacing=("ResourceArn", "WebACLArn")
    ),
    "AWS::WAFv2::IPSet": ResourceType(
        _create_ip_set, _delete_ip_set, _update_ip_set, replacing=("Name", "Scope"), name="Name", tags=("Tags", "list")
    ),
    "AWS::CloudWatch::CompositeAlarm": ResourceType(
        _create_composite, _delete_composite, _update_composite, replacing=("AlarmName",), tags=("Tags", "list")
    ),
    "AWS::Backup::BackupSelection": ResourceType(
        _create_selection, _delete_selection, replacing=("BackupPlanId", "BackupSelection")
    ),
    "AWS::Config::ConfigRule": ResourceType(_create_rule, _delete_rule, _update_rule, replacing=("ConfigRuleName",)),
    "AWS::Config::ConfigurationRecorder": ResourceType(
        _create_recorder, _delete_recorder, _update_recorder, replacing=("Name",)
    ),
    SLACK: ResourceType(
        _create_slack, _delete_slack, _update_slack, replacing=("SlackWorkspaceId", "ConfigurationName")
    ),
    DETECTOR: ResourceType(_create_detector, _delete_detector, _update_detector, replacing=_DETECTOR_IDENTITY),
}


def install() -> None:
    """Register the types."""
    for name, kind in TYPES.items():
        resources.register(name, kind)
    targets.at_reset(remembered.clear)
