"""Stacks with a REST API: its body changes in place, and no request is lost meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from emulator.gateway_templates import HELLO, called, created, said, template
from emulator.gateway_world import World, unique, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

LINGERS = """
import json
import time

def handler(event, context):
    time.sleep(0.02)  # so that some requests are always under way
    return {"statusCode": 200, "body": json.dumps({"version": context.function_version})}
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


def test_a_path_change_under_traffic_loses_no_request_and_keeps_url_variables_canary_and_pin(world):
    function = world.function(LINGERS, versions=2)
    paths = {"/hello": {"get": called(function)}}
    stack, api = created(world, paths, Variables={"release": "r-1"})
    world.patch(
        api,
        ("replace", "/variables/release", "r-2"),
        ("replace", "/variables/previous", "r-1"),
        ("replace", "/canarySettings/percentTraffic", "50"),
        ("replace", "/canarySettings/stageVariableOverrides/release", "r-1"),
    )
    before = world.shown(api)
    statuses: list[int] = []
    versions: set[str] = set()
    stop = threading.Event()

    def caller() -> None:
        connection = world.connection()
        try:
            while not stop.is_set():
                reply = world.ask(connection, world.url(api, "/hello"))
                statuses.append(reply.status)
                versions.add(reply.json.get("version"))
        finally:
            connection.close()

    callers = [threading.Thread(target=caller) for _ in range(2)]
    for thread in callers:
        thread.start()
    try:
        for number in range(5):
            more = {**paths, f"/new{number}": {"get": said(f"new {number}")}}
            changed = template(more, f"Number{number}", Variables={"release": "r-1"})
            until(lambda due=40 * (number + 1): len(statuses) > due)
            assert world.deploy(stack, changed) == "UPDATE_COMPLETE"
            until(lambda path=f"/new{number}": world.get(api, path).status == 200)  # the canary keeps the old paths
    finally:
        stop.set()
        for thread in callers:
            thread.join()
    assert len(statuses) > 200
    assert set(statuses) == {200}
    assert versions == {"1", "2"}
    assert world.resource(stack, "Api") == api
    after = world.shown(api)
    assert after["variables"] == before["variables"] == {"release": "r-2", "previous": "r-1"}
    assert after["canarySettings"] == before["canarySettings"]
    assert after["deploymentId"] == world.resource(stack, "DeploymentNumber4")


def test_a_changed_body_without_a_new_deployment_is_not_live(world):
    stack, api = created(world, HELLO)
    root = world.gateway.get_rest_api(restApiId=api)["rootResourceId"]
    assert world.deploy(stack, template({"/other": {"get": said("two")}})) == "UPDATE_COMPLETE"
    assert world.get(api, "/hello").json == {"answer": "one"}
    assert world.get(api, "/other").status == 403
    paths = {resource["path"] for resource in world.gateway.get_resources(restApiId=api)["items"]}
    assert paths == {"/", "/other"}
    assert world.gateway.get_rest_api(restApiId=api)["rootResourceId"] == root


def test_a_path_that_left_the_template_is_gone_with_the_next_deployment(world):
    stack, api = created(world, HELLO)
    world.deploy(stack, template({"/other": {"get": said("two")}}, "Second"))
    assert world.get(api, "/hello").status == 403
    assert world.get(api, "/other").json == {"answer": "two"}


def test_an_old_deployment_is_deleted_but_not_while_a_canary_needs_it(world):
    stack, api = created(world, HELLO)
    first = world.resource(stack, "DeploymentFirst")
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "100"))
    world.deploy(stack, template({"/hello": {"get": said("two")}}, "Second"))
    assert world.get(api, "/hello").json == {"answer": "one"}
    second = world.resource(stack, "DeploymentSecond")
    assert {item["id"] for item in world.gateway.get_deployments(restApiId=api)["items"]} == {first, second}
    failed = [
        event["ResourceStatusReason"]
        for event in world.stacks.describe_stack_events(StackName=stack)["StackEvents"]
        if event["ResourceStatus"] == "DELETE_FAILED"
    ]
    assert failed == ["Active stages pointing to this deployment must be moved or deleted"]
    world.patch(api, ("remove", "/canarySettings", ""))
    assert world.get(api, "/hello").json == {"answer": "two"}
    world.deploy(stack, template({"/hello": {"get": said("three")}}, "Third"))
    left = [item["id"] for item in world.gateway.get_deployments(restApiId=api)["items"]]
    assert left == [world.resource(stack, "DeploymentThird")]


def test_a_rolled_back_update_of_the_body_keeps_answering_as_before(world):
    stack, api = created(world, HELLO)
    wrong = template({"/hello": {"get": said("two")}}, "Second", CanarySetting={"PercentTraffic": 101})
    assert world.deploy(stack, wrong) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.resource(stack, "Api") == api
    assert world.get(api, "/hello").json == {"answer": "one"}
    assert world.deploy(stack, template({"/hello": {"get": said("three")}}, "Third")) == "UPDATE_COMPLETE"
    assert world.get(api, "/hello").json == {"answer": "three"}


def test_what_left_the_body_leaves_the_api_and_its_title_names_it(world):
    def wanted(name: str) -> dict[str, Any]:
        body = template(HELLO)
        body["Resources"]["Api"]["Properties"]["Body"] |= {
            "info": {"title": name},
            "components": {
                "securitySchemes": {
                    name: {
                        "type": "apiKey",
                        "name": "Authorization",
                        "in": "header",
                        "x-amazon-apigateway-authtype": "cognito_user_pools",
                        "x-amazon-apigateway-authorizer": {
                            "type": "cognito_user_pools",
                            "providerARNs": ["arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_none"],
                        },
                    }
                }
            },
        }
        return body

    stack = unique("stack")
    first = wanted("first")
    first["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"] = {
        "DEFAULT_4XX": {"statusCode": 418}
    }
    assert world.deploy(stack, first) == "CREATE_COMPLETE"
    api = world.resource(stack, "Api")
    assert world.gateway.get_gateway_response(restApiId=api, responseType="DEFAULT_4XX")["statusCode"] == "418"
    assert world.deploy(stack, wanted("second")) == "UPDATE_COMPLETE"
    assert "statusCode" not in world.gateway.get_gateway_response(restApiId=api, responseType="DEFAULT_4XX")
    assert [item["name"] for item in world.gateway.get_authorizers(restApiId=api)["items"]] == ["second"]
    assert world.gateway.get_rest_api(restApiId=api)["name"] == "second"


@pytest.mark.parametrize("how", ["create", "update"])
def test_a_body_is_read_whole(world, how):
    operation = called(world.function(versions=1))
    operation["parameters"] = [{"name": "Authorization", "in": "header", "required": True}]
    operation["x-amazon-apigateway-integration"] |= {
        "timeoutInMillis": 5000,
        "cacheKeyParameters": ["method.request.header.Authorization"],
        "requestParameters": {"integration.request.header.x": "'y'"},
        "passthroughBehavior": "when_no_templates",
    }
    paths = {"/hello": {"get": operation}, "/any": {"x-amazon-apigateway-any-method": said("any")}}
    wanted = template(paths, Variables={"release": "r-1"})
    wanted["Resources"]["Api"]["Properties"]["Body"] |= {
        "x-amazon-apigateway-binary-media-types": ["application/pdf"],
        "x-amazon-apigateway-gateway-responses": {
            "MISSING_AUTHENTICATION_TOKEN": {
                "statusCode": 404,
                "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
                "responseTemplates": {"application/json": '{"message":"no such path"}'},
            }
        },
    }
    stack = unique("stack")
    if how == "update":
        assert world.deploy(stack, template(HELLO, "Zero")) == "CREATE_COMPLETE"
    assert world.deploy(stack, wanted) == f"{how.upper()}_COMPLETE"
    api = world.resource(stack, "Api")
    resources = world.gateway.get_resources(restApiId=api)["items"]
    hello = next(resource["id"] for resource in resources if resource["path"] == "/hello")
    method = world.gateway.get_method(restApiId=api, resourceId=hello, httpMethod="GET")
    integration = method["methodIntegration"]
    assert integration["credentials"] == "arn:aws:iam::123456789012:role/gateway"
    assert integration["timeoutInMillis"] == 5000
    assert integration["cacheKeyParameters"] == ["method.request.header.Authorization"]
    assert integration["requestParameters"] == {"integration.request.header.x": "'y'"}
    assert integration["passthroughBehavior"] == "WHEN_NO_TEMPLATES"
    assert method["requestParameters"] == {"method.request.header.Authorization": True}
    assert world.gateway.get_rest_api(restApiId=api)["binaryMediaTypes"] == ["application/pdf"]
    assert world.get(api, "/hello").json["version"] == "1"
    assert world.get(api, "/any").json == {"answer": "any"}
    assert world.get(api, "/any", method="DELETE").json == {"answer": "any"}
    missing = world.get(api, "/none")
    assert (missing.status, missing.json) == (404, {"message": "no such path"})
    assert missing.headers["access-control-allow-origin"] == "*"


def test_a_deployment_of_the_template_may_be_a_canary(world):
    wanted = template(HELLO)
    wanted["Resources"]["Api"]["Properties"]["Description"] = "so that the canary comes last"
    stack, api = unique("stack"), ""
    assert world.deploy(stack, wanted) == "CREATE_COMPLETE"
    api = world.resource(stack, "Api")
    wanted["Resources"]["Canary"] = {
        "Type": "AWS::ApiGateway::Deployment",
        "DependsOn": "Stage",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "StageName": "prod",
            "DeploymentCanarySettings": {"PercentTraffic": 20, "StageVariableOverrides": {"release": "r-2"}},
        },
    }
    assert world.deploy(stack, wanted) == "UPDATE_COMPLETE"
    stage = world.shown(api)
    assert stage["deploymentId"] == world.resource(stack, "DeploymentFirst")
    assert stage["canarySettings"]["deploymentId"] == world.resource(stack, "Canary")
    assert stage["canarySettings"]["percentTraffic"] == 20.0


def test_a_stack_with_an_api_can_be_deleted(world):
    stack, api = created(world, HELLO)
    own = template(HELLO)
    del own["Resources"]["Stage"]
    own["Resources"]["DeploymentFirst"]["Properties"]["StageName"] = "prod"
    other = unique("stack")
    assert world.deploy(other, own) == "CREATE_COMPLETE"
    apis = {api, world.resource(other, "Api")}
    for name in (stack, other):
        world.stacks.delete_stack(StackName=name)
        world.stacks.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    assert apis.isdisjoint({item["id"] for item in world.gateway.get_rest_apis(limit=500)["items"]})
