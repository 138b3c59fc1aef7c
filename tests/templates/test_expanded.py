"""What SAM makes of the template."""

from __future__ import annotations

from typing import Any

from templates.reading import FUNCTIONS


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
    assert set(made(expanded, "AWS::Lambda::Permission")) == {"ProcessManualPermission"}


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
