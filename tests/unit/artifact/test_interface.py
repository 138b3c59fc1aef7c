"""What the texts of two templates tell about a change."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release.artifact import interface
from manuel_release.model.stack import Action, Change, PropertyChange, Replacement

if TYPE_CHECKING:
    from collections.abc import Callable

API = Change(Action.MODIFY, "Api", "abc", "AWS::ApiGateway::RestApi", details=(PropertyChange("Body"),))
TABLE = Change(Action.MODIFY, "Table", "t", "AWS::DynamoDB::Table", details=(PropertyChange("AttributeDefinitions"),))

Template = dict[str, Any]


def a_template() -> Template:
    ok = {"responses": {"200": {"description": "OK"}}, "security": [{"users": []}]}
    body = {
        "openapi": "3.0.1",
        "info": {"title": {"Fn::Sub": "Manuel (${Environment})"}},
        "paths": {
            "/health": {"get": ok},
            "/api/manuals": {"get": ok, "post": ok, "parameters": [{"name": "x"}]},
            "/any": {"x-amazon-apigateway-any-method": ok},
        },
        "components": {"schemas": {"Problem": {"type": "object"}}},
    }
    return {
        "Resources": {
            "Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "v1", "DefinitionBody": body}},
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {"TableName": "t", "AttributeDefinitions": [{"AttributeName": "a"}]},
            },
        }
    }


def body(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["Api"]["Properties"]["DefinitionBody"]
    return found


def compared(change: Change, edit: Callable[[Template], Any]) -> Change:
    after = copy.deepcopy(a_template())
    edit(after)
    return interface.compared(change, a_template(), after)


def test_operations_are_method_and_path() -> None:
    assert set(interface.operations(body(a_template()))) == {
        "GET /health",
        "GET /api/manuals",
        "POST /api/manuals",
        "ANY /any",
    }


@pytest.mark.parametrize("text", [{}, {"paths": None}, {"paths": {"/a": None}}, {"paths": [1]}])
def test_a_text_without_paths_has_no_operations(text: dict[str, Any]) -> None:
    assert interface.operations(text) == {}


@pytest.mark.parametrize(
    ("edit", "gone"),
    [
        (lambda t: body(t)["paths"].pop("/health"), ("GET /health",)),
        (lambda t: body(t)["paths"]["/api/manuals"].pop("post"), ("POST /api/manuals",)),
        (lambda t: body(t)["paths"].pop("/any"), ("ANY /any",)),
        (lambda t: body(t).pop("paths"), ("ANY /any", "GET /api/manuals", "GET /health", "POST /api/manuals")),
    ],
)
def test_an_operation_that_is_not_there_any_more_is_gone(
    edit: Callable[[Template], Any], gone: tuple[str, ...]
) -> None:
    found = compared(API, edit)

    assert found.gone == gone
    assert not found.widens


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: body(t)["paths"].update({"/new": {"get": {}}}),
        lambda t: body(t)["paths"]["/health"].update({"head": {}}),
        lambda t: body(t)["components"]["schemas"].update({"New": {}}),
        lambda t: body(t)["components"].update({"headers": {"New": {}}}),
        lambda t: body(t)["info"].update({"title": "Another"}),
    ],
)
def test_an_api_that_keeps_every_operation_as_it_was_only_widens(edit: Callable[[Template], Any]) -> None:
    found = compared(API, edit)

    assert found.widens
    assert found.gone == ()


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: body(t)["paths"]["/health"]["get"].update({"security": []}),
        lambda t: body(t)["components"]["schemas"]["Problem"].update({"required": ["a"]}),
        lambda t: body(t)["components"].pop("schemas"),
        lambda t: body(t).pop("components"),
        lambda t: body(t).update({"x-amazon-apigateway-gateway-responses": {}}),
        lambda t: t["Resources"]["Api"]["Properties"].update({"StageName": "v2"}),
        lambda _: None,  # the same text: what differs is a value that comes from somewhere else
    ],
)
def test_anything_else_in_an_api_may_take_something_away(edit: Callable[[Template], Any]) -> None:
    found = compared(API, edit)

    assert (found.widens, found.gone) == (False, ())


def test_a_value_from_elsewhere_tells_nothing_by_its_text() -> None:
    change = Change(
        Action.MODIFY, "Api", "abc", "AWS::ApiGateway::RestApi", details=(PropertyChange("Body", cause="Parameter"),)
    )

    assert not compared(change, lambda t: body(t)["paths"].update({"/new": {"get": {}}})).widens


def test_another_attribute_of_a_table_only_widens() -> None:
    def add(template: Template) -> None:
        template["Resources"]["Table"]["Properties"]["AttributeDefinitions"].append({"AttributeName": "b"})

    def index(template: Template) -> None:
        template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"] = [{"IndexName": "i"}]

    assert compared(TABLE, add).widens
    assert compared(TABLE, index).widens


@pytest.mark.parametrize(
    "edit",
    [
        lambda table: table["AttributeDefinitions"].clear(),
        lambda table: table.update({"TimeToLiveSpecification": {"Enabled": True}}),
        lambda table: table.update({"AttributeDefinitions": {"Fn::If": []}}),
    ],
)
def test_anything_else_in_a_table_may_take_something_away(edit: Callable[[dict[str, Any]], Any]) -> None:
    assert not compared(TABLE, lambda t: edit(t["Resources"]["Table"]["Properties"])).widens


@pytest.mark.parametrize(
    "change",
    [
        Change(Action.ADD, "Api", "", "AWS::ApiGateway::RestApi"),
        Change(Action.REMOVE, "Api", "", "AWS::ApiGateway::RestApi"),
        Change(Action.MODIFY, "Api", "", "AWS::ApiGateway::RestApi", Replacement.YES),
        Change(Action.MODIFY, "Role", "", "AWS::IAM::Role"),
    ],
)
def test_other_changes_are_not_compared(change: Change) -> None:
    assert not interface.comparable(change)
    assert compared(change, lambda t: body(t)["paths"].clear()) == change


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_resource_that_is_not_in_both_texts_is_not_compared(where: str) -> None:
    texts = {"before": a_template(), "after": a_template()}
    del texts[where]["Resources"]["Api"]

    assert interface.compared(API, texts["before"], texts["after"]) == API
