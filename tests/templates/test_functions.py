"""What the template promises about functions and how their releases are moved."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from templates.reading import APP, FUNCTIONS, chosen, function_arns, of


def test_sam_publishes_no_versions_and_moves_no_alias(service: dict[str, Any]) -> None:
    text = json.dumps([service["Globals"], service["Resources"]])

    assert "AutoPublish" not in text
    assert "DeploymentPreference" not in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_live_alias_begins_at_a_first_version_and_neither_can_change(service: dict[str, Any], name: str) -> None:
    version, alias = service["Resources"][f"{name}FirstVersion"], of(service, f"{name}LiveAlias")

    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert version["Properties"] == {"FunctionName": {"Ref": f"{name}Function"}}
    assert alias == {
        "FunctionName": {"Ref": f"{name}Function"},
        "FunctionVersion": {"Fn::GetAtt": [f"{name}FirstVersion", "Version"]},
        "Name": "live",
    }


@pytest.mark.parametrize(("name", "component"), FUNCTIONS.items())
def test_each_function_knows_its_release_and_has_a_role_and_a_log_group_of_its_own(
    service: dict[str, Any], name: str, component: str
) -> None:
    function = of(service, f"{name}Function")

    assert function["FunctionName"] == {"Fn::Sub": f"manuel-{component}-${{Environment}}"}
    assert function["Handler"] == f"manuel.{component.replace('-', '_')}.handler"
    assert function["Role"] == {"Fn::GetAtt": [f"{name}FunctionRole", "Arn"]}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}LogGroup"}}
    assert service["Resources"][f"{name}Function"]["Metadata"]["BuildMethod"] == "python-uv"
    everywhere = service["Globals"]["Function"]
    assert everywhere["Environment"]["Variables"]["MANUEL_RELEASE"] == {"Ref": "ReleaseId"}
    assert (everywhere["Architectures"], everywhere["CodeUri"]) == (["arm64"], "src/app")
    assert function["Timeout"] < 29  # API Gateway gives up then


def test_the_functions_get_exactly_the_variables_that_they_read(service: dict[str, Any]) -> None:
    read = set(re.findall(r'"(MANUEL_\w+)"', (APP / "manuel/settings.py").read_text()))

    given = set(service["Globals"]["Function"]["Environment"]["Variables"])
    assert {name for name in given if name.startswith("MANUEL_")} == read
    assert given - read == {"AWS_LAMBDA_EXEC_WRAPPER", "AWS_FIS_CONFIGURATION_LOCATION"}  # fault injection's


def test_each_role_reaches_only_what_its_function_needs(service: dict[str, Any]) -> None:
    def actions(name: str) -> set[str]:
        return {
            action
            for policy in of(service, f"{name}FunctionRole")["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
            if not action.startswith("logs:")
        }

    assert actions("Health") == {"dynamodb:GetItem", "s3:GetBucketLocation", "bedrock:GetKnowledgeBase"}
    assert actions("Usage") == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
    assert actions("Query") == {"dynamodb:GetItem", "dynamodb:UpdateItem", "bedrock:Retrieve", "bedrock:InvokeModel"}
    assert actions("Transcribe") == {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "transcribe:StartTranscriptionJob",
        "transcribe:GetTranscriptionJob",
        "transcribe:DeleteTranscriptionJob",
    }
    assert actions("ProcessManual") == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "bedrock:StartIngestionJob",
        "sqs:SendMessage",
    }
    assert actions("Manuals") == {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
    }


def test_the_health_check_can_read_nobodys_usage(service: dict[str, Any]) -> None:
    policy = of(service, "HealthFunctionRole")["Policies"][1]["PolicyDocument"]["Statement"][0]

    assert policy["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["health-probe"]}}


@pytest.mark.parametrize(("environment", "days"), [("dev", 14), ("staging", 30), ("prod", 90)])
def test_every_log_group_is_kept_as_long_as_specified(service: dict[str, Any], environment: str, days: int) -> None:
    groups = {k: r["Properties"] for k, r in service["Resources"].items() if r["Type"] == "AWS::Logs::LogGroup"}

    assert len(groups) == len(FUNCTIONS) + 4
    assert {chosen(service, group["RetentionInDays"], environment) for group in groups.values()} == {days}


def test_canary_requests_are_logged_to_groups_that_exist_beforehand(service: dict[str, Any]) -> None:
    access, canary = (of(service, f"Api{which}AccessLogGroup")["LogGroupName"] for which in ("", "Canary"))

    assert canary["Fn::Sub"] == access["Fn::Sub"] + "/Canary"
    assert "ApiCanaryAccessLogGroup" in service["Resources"]["ApiAccessLogGroup"]["DependsOn"]


@pytest.mark.parametrize(("name", "component"), FUNCTIONS.items())
def test_each_function_has_a_deployment_group_that_aws_accepts(
    service: dict[str, Any], name: str, component: str
) -> None:
    group = of(service, f"{name}DeploymentGroup")

    assert group["DeploymentGroupName"] == {"Fn::Sub": f"manuel-{component}-${{Environment}}"}
    assert group["DeploymentStyle"] == {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"}
    assert "BlueGreenDeploymentConfiguration" not in group
    assert chosen(service, group["DeploymentConfigName"], "prod") == {"Ref": "RolloutConfig"}
    assert chosen(service, group["DeploymentConfigName"], "dev") == "CodeDeployDefault.LambdaAllAtOnce"
    assert group["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
    }
    alarms = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
    assert alarms == {k for k, r in service["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(alarms) <= 10


def test_the_rollout_rests_at_half_and_can_be_replaced(service: dict[str, Any]) -> None:
    config = of(service, "RolloutConfig")

    assert "DeploymentConfigName" not in config  # no property of a named one could ever change
    assert config["TrafficRoutingConfig"] == {
        "Type": "TimeBasedCanary",
        "TimeBasedCanary": {"CanaryPercentage": 50, "CanaryInterval": {"Ref": "RolloutIntervalMinutes"}},
    }


@pytest.mark.parametrize(
    ("environment", "name"),
    [("prod", "manuel-serverless-app"), ("dev", {"Fn::Sub": "manuel-serverless-app-${Environment}"})],
)
def test_the_codedeploy_application_is_unique_in_an_account(
    service: dict[str, Any], environment: str, name: object
) -> None:
    assert chosen(service, of(service, "CodeDeployApplication")["ApplicationName"], environment) == name


def test_codedeploy_may_move_aliases_of_exactly_these_functions(service: dict[str, Any]) -> None:
    aliases, alarms = of(service, "CodeDeployServiceRole")["Policies"]
    (statement,) = aliases["PolicyDocument"]["Statement"]

    assert set(statement["Action"]) == {
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    }
    assert statement["Resource"] == function_arns()
    assert alarms["PolicyDocument"]["Statement"][0]["Action"] == "cloudwatch:DescribeAlarms"


def test_the_release_tool_finds_the_api_by_its_own_name_of_the_environment(service: dict[str, Any]) -> None:
    parameter = of(service, "ApiParameter")
    text, variables = parameter["Name"]["Fn::Sub"]

    assert text == "/manuel/${CanonicalName}/api"
    names = {e: chosen(service, variables["CanonicalName"], e) for e in ("dev", "staging", "prod")}
    assert names == {"dev": "dev", "staging": "staging", "prod": "production"}
    value = json.loads(parameter["Value"]["Fn::Sub"])
    assert value == {"rest_api_id": "${ManuelApi}", "stage": "${ApiVersionStage}"}


def test_the_outputs_are_those_that_others_read(service: dict[str, Any]) -> None:
    assert {
        "ApiId",
        "ApiStage",
        "ApiUrl",
        "UserPoolId",
        "UserPoolClientId",
        "ManualsBucketName",
        "UsageTableName",
        "CodeDeployApplicationName",
        "RolloutConfigName",
    } <= service["Outputs"].keys()


def test_a_change_of_a_function_changes_nothing_else_in_a_change_set(service: dict[str, Any]) -> None:
    """CloudFormation lists whatever uses Fn::GetAtt of a changed resource as possibly changed."""
    for logical_id, resource in service["Resources"].items():
        text = json.dumps(resource)
        assert not re.search(r'"Fn::GetAtt": \["\w+Function",', text), logical_id
        assert not re.search(r"\$\{\w+Function\.", text), logical_id
