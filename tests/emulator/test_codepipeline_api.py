"""Pipelines are made, changed, listed and refused as CodePipeline's API does it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codepipeline_world import PipelineWorld, approval, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

GATE = {"name": "Gate", "actions": [approval()]}


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        made.make_bucket()  # type: ignore[attr-defined]
        yield made  # type: ignore[misc]


def test_a_pipeline_is_answered_with_its_version_and_defaults(world: PipelineWorld) -> None:
    given = world.declaration(GATE)
    del given["executionMode"], given["stages"][1]["actions"][0]["runOrder"]
    made = world.codepipeline.create_pipeline(pipeline=given, tags=[{"key": "team", "value": "manuel"}])
    pipeline = made["pipeline"]
    assert (pipeline["version"], pipeline["executionMode"], pipeline["pipelineType"]) == (1, "SUPERSEDED", "V2")
    gate = pipeline["stages"][1]["actions"][0]
    assert (gate["runOrder"], gate["configuration"], gate["inputArtifacts"]) == (1, {}, [])
    assert made["tags"] == [{"key": "team", "value": "manuel"}]
    found = world.codepipeline.get_pipeline(name=world.name)
    assert found["pipeline"] == pipeline
    assert found["metadata"]["pipelineArn"] == f"arn:aws:codepipeline:eu-west-1:123456789012:{world.name}"


def test_an_update_makes_a_version_and_keeps_the_old_ones(world: PipelineWorld) -> None:
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    changed = world.declaration(GATE, {"name": "More", "actions": [approval()]})
    assert world.codepipeline.update_pipeline(pipeline=changed)["pipeline"]["version"] == 2
    first = world.codepipeline.get_pipeline(name=world.name, version=1)["pipeline"]
    assert [stage["name"] for stage in first["stages"]] == ["Source", "Gate"]
    (listed,) = [one for one in world.codepipeline.list_pipelines()["pipelines"] if one["name"] == world.name]
    assert (listed["version"], listed["pipelineType"], listed["executionMode"]) == (2, "V2", "QUEUED")
    with pytest.raises(ClientError) as error:
        world.codepipeline.get_pipeline(name=world.name, version=3)
    assert refusal(error)[0] == "PipelineVersionNotFoundException"


def test_a_new_pipeline_starts_at_once(world: PipelineWorld) -> None:
    world.push()
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    (execution,) = world.executions()
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert (execution["executionMode"], execution["executionType"]) == ("QUEUED", "STANDARD")


def test_the_same_name_is_refused(world: PipelineWorld) -> None:
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    with pytest.raises(ClientError) as error:
        world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    assert refusal(error)[0] == "PipelineNameInUseException"


def test_an_unknown_pipeline_is_said_in_awss_words(world: PipelineWorld) -> None:
    with pytest.raises(ClientError) as error:
        world.codepipeline.get_pipeline(name=world.name)
    assert refusal(error) == (
        "PipelineNotFoundException",
        f"Account '123456789012' does not have a pipeline with name '{world.name}'",
    )
    with pytest.raises(ClientError) as error:
        world.codepipeline.update_pipeline(pipeline=world.declaration(GATE))
    assert refusal(error)[0] == "PipelineNotFoundException"


def wrong(name: str, **change: Any) -> dict[str, Any]:
    made = copy.deepcopy(GATE)
    made["actions"][0].update(change)  # type: ignore[index,attr-defined]
    return {**made, "name": name}


@pytest.mark.parametrize(
    ("stage", "code", "said"),
    [
        (wrong("Gate", runOrder=1000), "ValidationException", "Member must have value less than or equal to 999"),
        (wrong("Bad name"), "ValidationException", "at 'pipeline.stages.2.member.name' failed to satisfy constraint"),
        (wrong("Gate", timeoutInMinutes=86401), "ValidationException", "less than or equal to 86400"),
        (wrong("Gate", configuration={"CustomData": "x" * 1001}), "ValidationException", "less than or equal to 1000"),
        (wrong("Gate", configuration={"Custom": "x"}), "InvalidActionDeclarationException", "unknown configuration"),
        (wrong("Source"), "InvalidStructureException", "'Source' is used more than once"),
    ],
)
def test_a_wrong_pipeline_is_refused(world: PipelineWorld, stage: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(ClientError) as error:
        world.codepipeline.create_pipeline(pipeline=world.declaration(stage))
    assert refusal(error)[0] == code
    assert said in refusal(error)[1]


def test_tags_are_added_and_removed(world: PipelineWorld) -> None:
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    arn = f"arn:aws:codepipeline:eu-west-1:123456789012:{world.name}"
    world.codepipeline.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    world.codepipeline.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert world.codepipeline.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(ClientError) as error:
        world.codepipeline.list_tags_for_resource(resourceArn=arn + "x")
    assert refusal(error)[0] == "ResourceNotFoundException"


def test_executions_and_actions_are_listed_in_pages(world: PipelineWorld) -> None:
    world.push()
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    for _ in range(3):
        world.start()
    pages = world.codepipeline.get_paginator("list_pipeline_executions").paginate(
        pipelineName=world.name, PaginationConfig={"PageSize": 3}
    )
    assert [len(page["pipelineExecutionSummaries"]) for page in pages] == [3, 1]
    with pytest.raises(ClientError) as error:
        world.codepipeline.list_action_executions(pipelineName=world.name, nextToken="no")
    assert refusal(error)[0] == "InvalidNextTokenException"


def test_an_unknown_execution_is_refused(world: PipelineWorld) -> None:
    world.codepipeline.create_pipeline(pipeline=world.declaration(GATE))
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(ClientError) as error:
        world.execution(unknown)
    assert refusal(error)[0] == "PipelineExecutionNotFoundException"
