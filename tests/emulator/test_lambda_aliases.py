"""Aliases and versions: what Lambda refuses, and that lists, reads and deletions tell the truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from emulator.lambda_world import World, refused, unique

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

INVALID = "InvalidParameterValueException"
MISSING = "ResourceNotFoundException"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(cloud)
    yield world
    world.close()


@pytest.fixture
def name(world: World) -> str:
    """A function with three versions and an alias `live` on the first."""
    name = world.function(versions=3)
    world.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def weights(**versions: float) -> dict[str, Any]:
    return {"AdditionalVersionWeights": {version.removeprefix("v"): weight for version, weight in versions.items()}}


REFUSALS = [
    ("1", {"9": 0.1}, MISSING, ":9"),
    ("1", {"2": 1.5}, INVALID, "between 0.0 and 1.0"),
    ("1", {"1": 0.1}, INVALID, "already included"),
    ("1", {"$LATEST": 0.1}, INVALID, "$LATEST is not supported"),
    ("$LATEST", {"1": 0.1}, INVALID, "$LATEST is not supported"),
    ("1", {"2": 0.1, "3": 0.1}, INVALID, "greater than 1"),
    ("9", {}, MISSING, "Function not found"),
]


@pytest.mark.parametrize("case", REFUSALS)
def test_create_alias_refuses_what_lambda_refuses(
    world: World, name: str, case: tuple[str, dict[str, float], str, str]
) -> None:
    primary, additional, code, text = case
    awslambda = world.client("lambda")
    with refused(code, text):
        awslambda.create_alias(
            FunctionName=name,
            Name="canary",
            FunctionVersion=primary,
            RoutingConfig={"AdditionalVersionWeights": additional},
        )
    assert [alias["Name"] for alias in awslambda.list_aliases(FunctionName=name)["Aliases"]] == ["live"]


@pytest.mark.parametrize("case", REFUSALS)
def test_update_alias_refuses_what_lambda_refuses_and_changes_nothing(
    world: World, name: str, case: tuple[str, dict[str, float], str, str]
) -> None:
    primary, additional, code, text = case
    awslambda = world.client("lambda")
    before = awslambda.get_alias(FunctionName=name, Name="live")
    with refused(code, text):
        awslambda.update_alias(
            FunctionName=name,
            Name="live",
            FunctionVersion=primary,
            RoutingConfig={"AdditionalVersionWeights": additional},
        )
    after = awslambda.get_alias(FunctionName=name, Name="live")
    assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}


def test_a_primary_cannot_become_the_version_that_is_already_weighted(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig=weights(v2=0.5))
    with refused(INVALID, "already included"):
        awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    moved = awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig=weights())
    assert moved["FunctionVersion"] == "2"
    assert "RoutingConfig" not in moved


def test_both_versions_of_a_weighted_alias_have_the_same_role(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    awslambda.update_function_configuration(FunctionName=name, Role=f"arn:aws:iam::{ACCOUNT_ID}:role/other")
    version = awslambda.publish_version(FunctionName=name)["Version"]
    with refused(INVALID, "same Role"):
        awslambda.update_alias(
            FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {version: 0.1}}
        )


def test_a_stale_revision_is_a_failed_precondition(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    revision = awslambda.get_alias(FunctionName=name, Name="live")["RevisionId"]
    awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=revision)
    with refused("PreconditionFailedException"):
        awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="3", RevisionId=revision)
    assert awslambda.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"


def test_an_alias_of_a_missing_function_and_a_second_one_of_the_same_name_are_refused(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    with refused(MISSING):
        awslambda.create_alias(FunctionName=unique("none"), Name="live", FunctionVersion="1")
    with refused("ResourceConflictException"):
        awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="2")


def test_aliases_are_listed_filtered_by_version_and_deleted(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    awslambda.create_alias(FunctionName=name, Name="r-2", FunctionVersion="2")
    awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig=weights(v2=0.25))
    listed = {alias["Name"]: alias for alias in awslambda.list_aliases(FunctionName=name)["Aliases"]}
    assert set(listed) == {"live", "r-2"}
    assert listed["live"]["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.25}
    of_two = awslambda.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert {alias["Name"] for alias in of_two} == {"live", "r-2"}
    of_three = awslambda.list_aliases(FunctionName=name, FunctionVersion="3")["Aliases"]
    assert of_three == []
    awslambda.delete_alias(FunctionName=name, Name="r-2")
    with refused(MISSING):
        awslambda.get_alias(FunctionName=name, Name="r-2")
    with refused(MISSING):
        awslambda.invoke(FunctionName=name, Qualifier="r-2")


def test_versions_are_listed_with_latest_first(world: World, name: str) -> None:
    listed = world.client("lambda").list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2", "3"]
    assert [version["Description"] for version in listed[1:]] == ["version 1", "version 2", "version 3"]


def test_a_version_that_an_alias_routes_to_cannot_be_deleted(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig=weights(v2=0.25))
    for version in ("1", "2"):
        with refused("ResourceConflictException"):
            awslambda.delete_function(FunctionName=name, Qualifier=version)
    awslambda.delete_function(FunctionName=name, Qualifier="3")
    listed = awslambda.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]


def test_publish_version_refuses_other_code_and_a_stale_revision(world: World) -> None:
    awslambda = world.client("lambda")
    name = world.function()
    current = awslambda.get_function_configuration(FunctionName=name)
    with refused(INVALID, "is different from current CodeSHA256"):
        awslambda.publish_version(FunctionName=name, CodeSha256="AAAA")
    with refused("PreconditionFailedException"):
        awslambda.publish_version(FunctionName=name, RevisionId="stale")
    published = awslambda.publish_version(
        FunctionName=name, CodeSha256=current["CodeSha256"], RevisionId=current["RevisionId"]
    )
    assert published["Version"] == "1"


def test_reads_of_a_weighted_alias_show_its_primary_version(world: World, name: str) -> None:
    awslambda = world.client("lambda")
    awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig=weights(v2=1.0))
    read = awslambda.get_function_configuration(FunctionName=name, Qualifier="live")
    assert read["Version"] == "1"
    assert world.invoke(name, qualifier="live").value["version"] == "2"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"FunctionVersion": "9"}, "Function not found"),
        ({"FunctionVersion": "1", "FunctionName": "no-such-function"}, "Function not found"),
        (
            {
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 1.5}]},
            },
            "between 0.0 and 1.0",
        ),
    ],
)
def test_a_template_cannot_declare_an_alias_that_lambda_refuses(
    world: World, name: str, properties: dict[str, Any], reason: str
) -> None:
    cloudformation = world.client("cloudformation")
    stack = unique("stack")
    alias = {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": name, "Name": "declared", **properties}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Alias": alias}}))
    with pytest.raises(Exception, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)
