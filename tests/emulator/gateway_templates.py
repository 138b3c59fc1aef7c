"""Templates of a REST API, its deployment and its stage, for the tests of stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.gateway_world import invocation, unique

if TYPE_CHECKING:
    from emulator.gateway_world import World


def said(answer: str) -> dict[str, Any]:
    """An OpenAPI operation that answers `answer` without a function."""
    return {
        "responses": {"200": {"description": "fine"}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {
                "default": {
                    "statusCode": "200",
                    "responseTemplates": {"application/json": f'{{"answer": "{answer}"}}'},
                }
            },
        },
    }


def called(function: str) -> dict[str, Any]:
    """An OpenAPI operation that calls the alias named by the stage variable `release`."""
    return {
        "responses": {},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": invocation(function + ":${stageVariables.release}"),
            "credentials": "arn:aws:iam::123456789012:role/gateway",
        },
    }


def template(paths: dict[str, Any], deployment: str = "First", **stage: Any) -> dict[str, Any]:
    """An API, a deployment that is a new one when its logical id changes (as SAM does), and the stage `prod`."""
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {"Body": {"openapi": "3.0.1", "info": {"title": "manuel"}, "paths": paths}},
            },
            f"Deployment{deployment}": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": f"Deployment{deployment}"},
                    "StageName": "prod",
                    **stage,
                },
            },
        }
    }


HELLO = {"/hello": {"get": said("one")}}


def created(world: World, *arguments: Any, **stage: Any) -> tuple[str, str]:
    """Name of a new stack and id of its API."""
    stack = unique("stack")
    assert world.deploy(stack, template(*arguments, **stage)) == "CREATE_COMPLETE"
    return stack, world.resource(stack, "Api")
