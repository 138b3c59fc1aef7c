"""Which function answers a request, what it is told, and what the caller gets when a function cannot answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from emulator.gateway_world import World, invocation, unique

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

PERCENT = "/canarySettings/percentTraffic"
OVERRIDES = "/canarySettings/stageVariableOverrides"
INTERNAL_ERROR = {"message": "Internal server error"}

MOODS = """
import time

def handler(event, context):
    mood = event["headers"].get("mood")
    if mood == "raises":
        raise ValueError("bad release")
    if mood == "sleeps":
        time.sleep(4)
    return {
        "text": "only text",
        "list": [1],
        "nothing": None,
        "unknown": {"statusCode": 200, "extra": 1},
        "status": {"statusCode": "fine"},
        "body": {"statusCode": 200, "body": {"a": 1}},
        "headers": {"statusCode": 200, "headers": ["a"]},
        "teapot": {"statusCode": 418, "body": "short and stout"},
        "bare": {"body": "no status"},
    }.get(mood, {"statusCode": 200, "body": "well"})
"""

AUTHORIZER = """
import time

def handler(event, context):
    return {
        "principalId": "somebody",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}],
        },
        "context": {"made": str(time.time())},
    }
"""

TELLS_AUTHORIZER = """
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["authorizer"]["made"]}
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


def released(world: World, **variables: str) -> str:
    """An API on whose stage the variable `release` names the alias that is called."""
    api = world.api()
    world.proxy(api, "/", world.function(versions=2) + ":${stageVariables.release}")
    world.stage(api, variables=variables)
    return api


def test_a_stage_variable_names_the_alias_that_is_called(world):
    api = released(world, release="r-1")
    assert world.get(api, "/").json["version"] == "1"
    world.patch(api, ("replace", "/variables/release", "r-2"))
    assert world.get(api, "/").json["version"] == "2"


def test_a_stage_variable_may_name_the_whole_function(world):
    name = world.function(versions=1)
    api = world.api()
    world.proxy(api, "/", "${stageVariables.function}:r-1")
    world.stage(api, variables={"function": name})
    assert world.get(api, "/").json["version"] == "1"


def test_an_alias_is_called_as_an_alias_so_that_its_weights_apply(world):
    name = world.function(versions=2)
    api = world.api()
    world.proxy(api, "/", name + ":${stageVariables.release}")
    world.stage(api, variables={"release": "r-1"})
    assert world.get(api, "/").json["arn"].endswith(f":function:{name}:r-1")
    weights = {"AdditionalVersionWeights": {"2": 1.0}}
    world.functions.update_alias(FunctionName=name, Name="r-1", RoutingConfig=weights)
    assert world.get(api, "/").json["version"] == "2"


def test_an_integration_with_credentials_is_called_like_any_other(world):
    name = world.function(versions=1)
    api = world.api()
    world.proxy(api, "/", f"{name}:${{stageVariables.release}}", credentials=f"arn:aws:iam::{ACCOUNT_ID}:role/gateway")
    world.stage(api, variables={"release": "r-1"})
    assert world.get(api, "/").json["version"] == "1"


def test_the_function_is_told_the_variables_in_effect(world):
    api = released(world, release="r-1", model="small")
    assert world.get(api, "/").json["variables"] == {"release": "r-1", "model": "small"}


def test_a_canary_request_has_the_overrides_and_inherits_the_other_variables(world):
    api = released(world, release="r-1", model="small")
    world.patch(
        api,
        ("replace", PERCENT, "100"),
        ("replace", f"{OVERRIDES}/release", "r-2"),
        ("replace", f"{OVERRIDES}/more", "new"),
    )
    told = world.get(api, "/").json
    assert told["version"] == "2"
    assert told["variables"] == {"release": "r-2", "model": "small", "more": "new"}


def test_the_event_says_whether_the_canary_was_drawn_only_while_there_is_one(world):
    api = released(world, release="r-1")
    assert world.get(api, "/").json["canary"] == "unsaid"
    world.patch(api, ("replace", PERCENT, "0"))
    assert world.get(api, "/").json["canary"] is False
    world.patch(api, ("replace", PERCENT, "100"))
    assert world.get(api, "/").json["canary"] is True
    world.patch(api, ("remove", "/canarySettings", ""))
    assert world.get(api, "/").json["canary"] == "unsaid"


def test_a_canary_of_0_percent_gets_nothing_and_one_of_100_percent_everything(world):
    api = released(world, release="r-1")
    world.patch(api, ("replace", PERCENT, "0"), ("replace", f"{OVERRIDES}/release", "r-2"))
    assert {reply.json["version"] for reply in world.many(api, "/", 40)} == {"1"}
    world.patch(api, ("replace", PERCENT, "100"))
    assert {reply.json["version"] for reply in world.many(api, "/", 40)} == {"2"}


def test_the_request_id_is_the_same_in_the_event_and_in_the_header(world):
    api = released(world, release="r-1")
    reply = world.get(api, "/")
    assert reply.headers["x-amzn-requestid"] == reply.json["request_id"]


@pytest.mark.parametrize("missing", ["alias", "function", "variable"])
def test_a_missing_alias_function_or_variable_is_answered_500(world, missing):
    api = world.api()
    function = unique("none") if missing == "function" else world.function()
    world.proxy(api, "/", function + ":${stageVariables.release}")
    world.stage(api, variables={} if missing == "variable" else {"release": "r-1"})
    reply = world.get(api, "/")
    assert (reply.status, reply.json) == (500, INTERNAL_ERROR)


@pytest.fixture(scope="module")
def moody(cloud: EmbeddedCloud) -> Iterator[tuple[World, str]]:
    with World(cloud) as world:
        api = world.api()
        name = world.function(MOODS)
        world.proxy(api, "/", name)
        world.proxy(api, "/hasty", name, timeoutInMillis=1500)
        world.stage(api)
        yield world, api


@pytest.mark.parametrize("mood", ["raises", "text", "list", "nothing", "unknown", "status", "body", "headers"])
def test_a_function_that_fails_or_answers_in_a_wrong_format_is_answered_502(moody, mood):
    world, api = moody
    reply = world.get(api, "/", headers={"mood": mood})
    assert (reply.status, reply.json) == (502, INTERNAL_ERROR)
    assert reply.headers["x-amzn-errortype"] == "InternalServerErrorException"


@pytest.mark.parametrize(("mood", "status", "text"), [("teapot", 418, "short and stout"), ("bare", 200, "no status")])
def test_a_functions_own_status_and_body_reach_the_caller(moody, mood, status, text):
    world, api = moody
    reply = world.get(api, "/", headers={"mood": mood})
    assert (reply.status, reply.text) == (status, text)


def test_a_function_slower_than_the_integrations_time_out_is_answered_504(moody):
    world, api = moody
    assert world.get(api, "/").status == 200  # a cold start may take longer
    assert world.get(api, "/hasty").status == 200
    reply = world.get(api, "/hasty", headers={"mood": "sleeps"})
    assert (reply.status, reply.json) == (504, {"message": "Endpoint request timed out"})


def test_a_throttled_function_is_answered_500(world):
    name = world.function()
    world.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    api = world.api()
    world.proxy(api, "/", name)
    world.stage(api)
    reply = world.get(api, "/")
    assert (reply.status, reply.json) == (500, INTERNAL_ERROR)


def test_a_gateway_response_for_5xx_also_dresses_a_failing_functions_502(world):
    api = world.api()
    world.proxy(api, "/", world.function(MOODS))
    world.gateway.put_gateway_response(
        restApiId=api,
        responseType="DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )
    world.stage(api)
    reply = world.get(api, "/", headers={"mood": "raises"})
    assert (reply.status, reply.json) == (502, INTERNAL_ERROR)
    assert reply.headers["access-control-allow-origin"] == "*"


def test_flushing_the_authorizers_cache_makes_the_authorizer_answer_again(world):
    authorizer = world.function(AUTHORIZER, versions=1)
    api = world.api()
    world.proxy(api, "/", world.function(TELLS_AUTHORIZER))
    made = world.gateway.create_authorizer(
        restApiId=api,
        name="token",
        type="TOKEN",
        authorizerUri=invocation(authorizer + ":${stageVariables.release}"),
        identitySource="method.request.header.Authorization",
        authorizerResultTtlInSeconds=300,
    )
    root = world.gateway.get_resources(restApiId=api)["items"][0]["id"]
    world.gateway.update_method(
        restApiId=api,
        resourceId=root,
        httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
            {"op": "replace", "path": "/authorizerId", "value": made["id"]},
        ],
    )
    world.stage(api, variables={"release": "r-1"})

    def decided() -> str:
        reply = world.get(api, "/", headers={"authorization": "token"})
        assert reply.status == 200
        return reply.text

    first = decided()
    assert decided() == first
    world.gateway.flush_stage_cache(restApiId=api, stageName="prod")
    assert decided() == first
    world.gateway.flush_stage_authorizers_cache(restApiId=api, stageName="prod")
    assert decided() != first
