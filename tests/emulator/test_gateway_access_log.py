"""Access log lines of a stage: what each says of its request, and where it goes."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from emulator.gateway_world import World, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

FIELDS = (
    "requestId",
    "extendedRequestId",
    "accountId",
    "apiId",
    "stage",
    "deploymentId",
    "isCanaryRequest",
    "status",
    "responseLatency",
    "responseLength",
    "integrationLatency",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integration.integrationStatus",
    "integration.error",
    "path",
    "resourcePath",
    "httpMethod",
    "protocol",
    "identity.sourceIp",
    "identity.userAgent",
    "authorizer.claims.sub",
    "requestTime",
    "requestTimeEpoch",
    "error.message",
    "error.responseType",
    "nothing.of.the.kind",
)
FORMAT = json.dumps({name: f"$context.{name}" for name in FIELDS})


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture
def api(world: World) -> str:
    return world.various()


@pytest.fixture
def group(world: World, api: str) -> str:
    """The stage's log group."""
    made = unique("/access")
    world.logs.create_log_group(logGroupName=made)
    arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{made}"
    world.patch(
        api,
        ("replace", "/accessLogSettings/destinationArn", arn),
        ("replace", "/accessLogSettings/format", FORMAT),
    )
    return made


def lines(world: World, group: str) -> list[str]:
    return [event["message"] for event in world.logs.filter_log_events(logGroupName=group)["events"]]


def logged(world: World, group: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(world, group)]


def test_a_line_has_the_values_of_its_request(world, api, group):
    before = time.time()
    reply = world.get(api, "/", headers={"User-Agent": 'a "quoted" agent', "X-Forwarded-For": "192.0.2.7, 10.0.0.1"})
    (line,) = logged(world, group)
    assert line["requestId"] == line["extendedRequestId"] == reply.headers["x-amzn-requestid"]
    assert (line["accountId"], line["apiId"], line["stage"]) == ("123456789012", api, "prod")
    assert line["deploymentId"] == world.shown(api)["deploymentId"]
    assert (line["status"], line["integration.status"], line["integration.integrationStatus"]) == ("200", "200", "200")
    assert (line["path"], line["resourcePath"], line["httpMethod"]) == ("/prod/", "/", "GET")
    assert line["protocol"] == "HTTP/1.1"
    assert (line["identity.sourceIp"], line["identity.userAgent"]) == ("192.0.2.7", 'a "quoted" agent')
    assert int(line["responseLatency"]) >= int(line["integrationLatency"]) == int(line["integration.latency"]) >= 0
    assert int(line["responseLength"]) == len(reply.text)
    assert line["integration.requestId"] == reply.json["lambda"]
    at = int(line["requestTimeEpoch"]) / 1000
    assert before - 1 < at < time.time() + 1
    shown = dt.datetime.strptime(line["requestTime"], "%d/%b/%Y:%H:%M:%S %z")
    assert shown.timestamp() == int(at)
    unknown = ("isCanaryRequest", "integration.error", "authorizer.claims.sub", "error.message", "nothing.of.the.kind")
    assert {line[name] for name in (*unknown, "error.responseType")} == {"-"}


def test_a_format_need_not_be_json(world, api, group):
    clf = (
        '$context.identity.sourceIp [$context.requestTime] "$context.httpMethod $context.path" $context.status. '
        "$context.requestId"
    )
    world.patch(api, ("replace", "/accessLogSettings/format", clf))
    reply = world.get(api, "/mock")
    (line,) = lines(world, group)
    assert line.startswith("127.0.0.1 [")
    assert line.endswith(f'] "GET /prod/mock" 200. {reply.headers["x-amzn-requestid"]}')


@pytest.mark.parametrize(
    ("path", "mood", "status", "ran", "reason", "message", "kind"),
    [
        ("/none", "", "403", "-", "-", "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN"),
        ("/lost", "", "500", "-", "-", "Internal server error", "API_CONFIGURATION_ERROR"),
        ("/", "raises", "502", "200", "bad release", "Internal server error", "DEFAULT_5XX"),
        ("/", "breaks", "503", "200", "-", "-", "-"),
    ],
)
def test_errors_are_logged_with_what_the_caller_got(  # noqa: PLR0917
    world, api, group, path, mood, status, ran, reason, message, kind
):
    world.get(api, path, headers={"mood": mood})
    (line,) = logged(world, group)
    assert (line["status"], line["error.message"], line["error.responseType"]) == (status, message, kind)
    assert (line["integration.integrationStatus"], line["integration.error"]) == (ran, reason)


def test_lines_of_the_canary_go_to_the_log_group_and_once_more_to_its_canary_group(world, api, group):
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "0"))
    stable = world.get(api, "/mock").headers["x-amzn-requestid"]
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "100"))
    canary = world.get(api, "/mock").headers["x-amzn-requestid"]
    told = {line["requestId"]: line["isCanaryRequest"] for line in logged(world, group)}
    assert told == {stable: "false", canary: "true"}
    assert [line["requestId"] for line in logged(world, f"{group}/Canary")] == [canary]


def test_a_canary_group_that_exists_keeps_its_retention(world, api, group):
    world.logs.create_log_group(logGroupName=f"{group}/Canary")
    world.logs.put_retention_policy(logGroupName=f"{group}/Canary", retentionInDays=14)
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "100"))
    world.get(api, "/mock")
    (found,) = world.logs.describe_log_groups(logGroupNamePrefix=f"{group}/Canary")["logGroups"]
    assert found["retentionInDays"] == 14
    assert len(lines(world, f"{group}/Canary")) == 1


def test_a_log_group_that_does_not_exist_is_not_made_and_disturbs_nobody(world, api, group):
    world.logs.delete_log_group(logGroupName=group)
    assert world.get(api, "/mock").status == 200
    assert world.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_the_claims_of_a_cognito_user_are_logged(world, group, api):
    users = world.client("cognito-idp")
    pool = users.create_user_pool(PoolName=unique("pool"))["UserPool"]
    client = users.create_user_pool_client(
        UserPoolId=pool["Id"], ClientName="tests", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    users.admin_create_user(UserPoolId=pool["Id"], Username="ada", MessageAction="SUPPRESS")
    users.admin_set_user_password(UserPoolId=pool["Id"], Username="ada", Password="Analytical-1842", Permanent=True)
    tokens = users.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": "Analytical-1842"},
    )["AuthenticationResult"]
    attributes = users.admin_get_user(UserPoolId=pool["Id"], Username="ada")["UserAttributes"]
    sub = next(item["Value"] for item in attributes if item["Name"] == "sub")
    arn = f"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{pool['Id']}"
    authorizer = world.gateway.create_authorizer(
        restApiId=api,
        name="users",
        type="COGNITO_USER_POOLS",
        providerARNs=[arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    found = world.gateway.get_resources(restApiId=api)["items"]
    world.gateway.update_method(
        restApiId=api,
        resourceId=next(resource["id"] for resource in found if resource["path"] == "/mock"),
        httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
            {"op": "replace", "path": "/authorizerId", "value": authorizer},
        ],
    )
    world.gateway.create_deployment(restApiId=api, stageName="prod")
    world.gateway.delete_authorizer(restApiId=api, authorizerId=authorizer)  # the deployment has its own
    assert world.get(api, "/mock").status == 401
    assert world.get(api, "/mock", headers={"Authorization": tokens["IdToken"]}).status == 200
    refused, allowed = logged(world, group)
    assert (refused["authorizer.claims.sub"], refused["error.responseType"]) == ("-", "UNAUTHORIZED")
    assert allowed["authorizer.claims.sub"] == sub
    assert world.get(api, "/mock", headers={"Authorization": tokens["AccessToken"]}).status == 401, "it has no scopes"
