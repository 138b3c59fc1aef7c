"""What the template promises about the API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from templates.reading import APP, FUNCTION_ARN, FUNCTIONS, OF_THE_API, api, chosen, function_arns, of, operations

SETTINGS = ("CachingEnabled", "ThrottlingRateLimit", "ThrottlingBurstLimit", "MetricsEnabled", "LoggingLevel")


def test_the_api_has_the_endpoints_of_these_functions(service: dict[str, Any]) -> None:
    assert set(operations(service)) == {
        "GET /health",
        "POST /api/transcribe",
        "POST /api/query",
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
    assert statement["Resource"] == function_arns(OF_THE_API)


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
