"""What the service's template promises to the release tool and to its users."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from templates.conftest import ROOT

APP = ROOT / "src/app"
FUNCTION_ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
FUNCTIONS = {"Health": "health", "Usage": "usage", "Manuals": "manuals"}
METHODS = {"get", "post", "put", "delete", "patch"}
SETTINGS = ("CachingEnabled", "ThrottlingRateLimit", "ThrottlingBurstLimit", "MetricsEnabled", "LoggingLevel")


def of(service: dict[str, Any], logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service["Resources"][logical_id]["Properties"]
    return found


def api(service: dict[str, Any]) -> dict[str, Any]:
    return of(service, "ManuelApi")


def operations(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`GET /health` -> the operation."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in api(service)["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def chosen(service: dict[str, Any], value: Any, environment: str) -> Any:
    """The value that an Fn::If over IsProduction, HasCache or a lookup in Environments has in an environment."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        holds = {"IsProduction": environment == "prod", "HasCache": environment != "dev"}[condition]
        return chosen(service, yes if holds else no, environment)
    if isinstance(value, dict) and "Fn::FindInMap" in value:
        table, key, column = value["Fn::FindInMap"]
        assert key == {"Ref": "Environment"}
        return service["Mappings"][table][environment][column]
    return value


def function_arns() -> list[dict[str, str]]:
    """Each function, and each alias and version of it."""
    return [{"Fn::Sub": f"{FUNCTION_ARN}${{{name}Function}}{end}"} for name in FUNCTIONS for end in ("", ":*")]


# --- the API


def test_the_api_has_the_endpoints_of_these_functions(service: dict[str, Any]) -> None:
    assert set(operations(service)) == {
        "GET /health",
        "GET /api/usage",
        "GET /api/user/usage",
        "GET /api/user/quota",
        "GET /api/manuals",
        "POST /api/manuals/upload",
        "GET /api/manuals/{manual_id}",
        "DELETE /api/manuals/{manual_id}",
        "GET /api/manuals/{manual_id}/download",
    }


def test_the_api_and_the_functions_agree_on_the_endpoints(service: dict[str, Any]) -> None:
    """Each handler module names its routes in its own text; the integration decides which one is asked."""
    for operation, definition in operations(service).items():
        name = re.search(r"\$\{(\w+)Function\}", definition["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"])
        assert name
        source = (APP / "manuel" / f"{FUNCTIONS[name[1]]}.py").read_text()
        method, path = operation.split()
        assert f'"{operation}"' in source or (f'"{path}"' in source and f'f"{method} ' in source), operation


def test_every_integration_calls_the_alias_of_the_stage_with_the_integration_role(service: dict[str, Any]) -> None:
    for name, operation in operations(service).items():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["credentials"] == {"Fn::GetAtt": ["ApiIntegrationRole", "Arn"]}, name
        assert re.search(
            rf":lambda:path/2015-03-31/functions/{re.escape(FUNCTION_ARN)}\$\{{\w+Function\}}:\$\{{!stageVariables\.release\}}/invocations$",
            integration["uri"]["Fn::Sub"],
        ), name
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST"), name


def test_the_integration_role_may_invoke_any_alias_of_exactly_these_functions(service: dict[str, Any]) -> None:
    (policy,) = of(service, "ApiIntegrationRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == function_arns()


def test_only_health_can_be_asked_without_signing_in(service: dict[str, Any]) -> None:
    unsecured = [name for name, operation in operations(service).items() if "security" not in operation]

    assert unsecured == ["GET /health"]
    assert all(o["security"] == [{"CognitoUserPool": []}] for o in operations(service).values() if "security" in o)
    scheme = api(service)["DefinitionBody"]["components"]["securitySchemes"]["CognitoUserPool"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer == {"type": "cognito_user_pools", "providerARNs": [{"Fn::GetAtt": ["UserPool", "Arn"]}]}


def test_every_operation_has_an_id_of_its_own_a_summary_and_answers(service: dict[str, Any]) -> None:
    found = operations(service)

    assert len({o["operationId"] for o in found.values()}) == len(found)
    for name, operation in found.items():
        assert operation["summary"].endswith("."), name
        assert [code for code in operation["responses"] if code.startswith("2")], name


def test_every_schema_that_is_used_exists_and_every_one_that_exists_is_used(service: dict[str, Any]) -> None:
    body = api(service)["DefinitionBody"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(body)))

    assert used == set(body["components"]["schemas"])


def test_the_stage_begins_at_live_and_has_no_canary_of_its_own(service: dict[str, Any]) -> None:
    assert api(service)["Variables"] == {"release": "live"}
    condition, canary, nothing = api(service)["CanarySetting"]["Fn::If"]
    assert (condition, nothing) == ("IsCanaryEnabled", {"Ref": "AWS::NoValue"})
    assert canary == {
        "PercentTraffic": {"Ref": "CanaryTrafficPercent"},
        "StageVariableOverrides": {"release": {"Ref": "CanaryRelease"}},
        "UseStageCache": False,
    }
    assert service["Parameters"]["CanaryTrafficPercent"]["Default"] == 0


def test_a_canary_by_parameter_needs_a_release(service: dict[str, Any]) -> None:
    rule = service["Rules"]["CanaryHasRelease"]

    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "CanaryTrafficPercent"}, "0"]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "CanaryRelease"}, ""]}]}


@pytest.mark.parametrize(("environment", "rate"), [("dev", 1000), ("staging", 5000), ("prod", 10000)])
def test_every_method_is_throttled_as_specified(service: dict[str, Any], environment: str, rate: int) -> None:
    for settings in api(service)["MethodSettings"]:
        assert chosen(service, settings["ThrottlingRateLimit"], environment) == rate
        assert chosen(service, settings["ThrottlingBurstLimit"], environment) <= rate


def test_a_methods_own_settings_leave_nothing_to_defaults(service: dict[str, Any]) -> None:
    for settings in api(service)["MethodSettings"]:
        assert set(SETTINGS) <= settings.keys()
        assert settings["MetricsEnabled"] is True
        assert settings["LoggingLevel"] == "ERROR"
        assert settings["DataTraceEnabled"] is False


@pytest.mark.parametrize(("environment", "seconds"), [("dev", None), ("staging", 300), ("prod", 900)])
def test_only_the_method_with_the_callers_token_in_its_key_is_cached(
    service: dict[str, Any], environment: str, seconds: int | None
) -> None:
    everything, *others = api(service)["MethodSettings"]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    assert everything["CachingEnabled"] is False
    assert chosen(service, api(service)["CacheClusterEnabled"], environment) is (seconds is not None)

    (cached,) = others
    assert chosen(service, cached["CachingEnabled"], environment) is (seconds is not None)
    assert cached["CacheDataEncrypted"] is True
    if seconds is not None:
        assert chosen(service, cached["CacheTtlInSeconds"], environment) == seconds
    path = cached["ResourcePath"].removeprefix("/").replace("~1", "/")
    operation = operations(service)[f"{cached['HttpMethod']} {path}"]
    assert operation["x-amazon-apigateway-integration"]["cacheKeyParameters"] == [
        "method.request.path.manual_id",
        "method.request.header.Authorization",
    ]
    declared = {(parameter["in"], parameter["name"]) for parameter in operation["parameters"]}
    assert declared == {("path", "manual_id"), ("header", "Authorization")}  # API Gateway refuses undeclared ones


def test_an_access_log_line_is_json_with_what_the_judge_of_a_canary_needs(service: dict[str, Any]) -> None:
    line = json.loads(api(service)["AccessLogSetting"]["Format"])

    assert {
        "requestId",
        "status",
        "responseLatency",
        "integrationLatency",
        "isCanaryRequest",
        "deploymentId",
        "path",
        "resourcePath",
        "httpMethod",
        "user",
        "ip",
        "error",
    } <= line.keys()
    assert line["user"] == "$context.authorizer.claims.sub"
    assert all(value.startswith("$context.") for value in line.values())


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "THROTTLED"])
def test_what_api_gateway_refuses_has_the_error_format_and_the_headers(service: dict[str, Any], kind: str) -> None:
    response = api(service)["GatewayResponses"][kind]
    body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"m"')

    assert json.loads(body)["error"].keys() == {"code", "message", "request_id"}
    headers = response["ResponseParameters"]["Headers"]
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert headers["X-Request-Id"] == "context.requestId"
    assert headers["X-Manuel-Release"] == "'gateway'"
    assert kind != "THROTTLED" or headers["Retry-After"] == "'1'"


# --- functions and releases


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
    assert function["Handler"] == f"manuel.{component}.handler"
    assert function["Role"] == {"Fn::GetAtt": [f"{name}FunctionRole", "Arn"]}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}LogGroup"}}
    assert service["Resources"][f"{name}Function"]["Metadata"]["BuildMethod"] == "python-uv"
    everywhere = service["Globals"]["Function"]
    assert everywhere["Environment"]["Variables"]["MANUEL_RELEASE"] == {"Ref": "ReleaseId"}
    assert (everywhere["Architectures"], everywhere["CodeUri"]) == (["arm64"], "src/app")
    assert function["Timeout"] < 29  # API Gateway gives up then


def test_the_functions_get_exactly_the_variables_that_they_read(service: dict[str, Any]) -> None:
    read = set(re.findall(r'"(MANUEL_\w+)"', (APP / "manuel/settings.py").read_text()))

    assert set(service["Globals"]["Function"]["Environment"]["Variables"]) == read


def test_each_role_reaches_only_what_its_function_needs(service: dict[str, Any]) -> None:
    def actions(name: str) -> set[str]:
        return {
            action
            for policy in of(service, f"{name}FunctionRole")["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
            if not action.startswith("logs:")
        }

    assert actions("Health") == {"dynamodb:GetItem", "s3:GetBucketLocation"}
    assert actions("Usage") == {"dynamodb:GetItem"}
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


# --- state, users and alarms


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


# --- what SAM makes of it


def made(expanded: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {k: r for k, r in expanded["Resources"].items() if r["Type"] == kind}


def test_deployments_of_the_api_are_retained(expanded: dict[str, Any]) -> None:
    (deployment,) = made(expanded, "AWS::ApiGateway::Deployment").values()

    assert deployment["DeletionPolicy"] == "RetainExceptOnCreate"
    assert deployment["UpdateReplacePolicy"] == "Retain"
    assert "StageName" not in deployment["Properties"]  # it would make a second stage


def test_sam_makes_one_stage_and_only_our_versions_and_aliases(expanded: dict[str, Any]) -> None:
    assert list(made(expanded, "AWS::ApiGateway::Stage")) == ["ManuelApiStage"]
    assert set(made(expanded, "AWS::Lambda::Version")) == {f"{name}FirstVersion" for name in FUNCTIONS}
    assert set(made(expanded, "AWS::Lambda::Alias")) == {f"{name}LiveAlias" for name in FUNCTIONS}
    assert not made(expanded, "AWS::Lambda::Permission")


def test_every_path_answers_preflights_without_a_function_or_a_token(expanded: dict[str, Any]) -> None:
    (rest_api,) = made(expanded, "AWS::ApiGateway::RestApi").values()

    for path, methods in rest_api["Properties"]["Body"]["paths"].items():
        preflight = methods["options"]
        assert "security" not in preflight, path
        integration = preflight["x-amazon-apigateway-integration"]
        assert integration["type"] == "mock", path
        (answer,) = integration["responses"].values()
        headers = answer["responseParameters"]
        assert headers["method.response.header.Access-Control-Allow-Origin"] == "'*'"
        assert "Authorization" in headers["method.response.header.Access-Control-Allow-Headers"]
        allowed = headers["method.response.header.Access-Control-Allow-Methods"].strip("'").split(",")
        assert set(allowed) == {method.upper() for method in methods}, path
