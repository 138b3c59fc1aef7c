"""Deployments are snapshots; CreateDeployment and DeleteDeployment refuse what AWS refuses."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from emulator.gateway_world import World

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture
def api(world: World) -> str:
    made = world.api()
    world.mock(made, "/", "one")
    world.stage(made)
    return made


def said(error: pytest.ExceptionInfo[ClientError]) -> str:
    assert error.value.response["Error"]["Code"] == "BadRequestException"
    return str(error.value.response["Error"]["Message"])


def answer(world: World, api: str) -> str:
    reply = world.get(api, "/")
    assert reply.status == 200
    return str(reply.json["answer"])


def test_a_change_of_the_api_is_not_live_before_it_is_deployed(world, api):
    world.mock(api, "/", "two")
    world.mock(api, "/more", "more")
    assert answer(world, api) == "one"
    assert world.get(api, "/more").status == 403
    world.gateway.create_deployment(restApiId=api, stageName="prod")
    assert answer(world, api) == "two"
    assert world.get(api, "/more").json == {"answer": "more"}


def test_moving_the_stage_back_to_an_earlier_deployment_restores_the_earlier_api(world, api):
    first = world.shown(api)["deploymentId"]
    world.mock(api, "/", "two")
    world.gateway.create_deployment(restApiId=api, stageName="prod")
    world.patch(api, ("replace", "/deploymentId", first))
    assert answer(world, api) == "one"


def test_a_canary_deployment_leaves_the_stage_where_it_is_and_serves_its_share(world, api):
    first = world.shown(api)["deploymentId"]
    world.mock(api, "/", "two")
    second = world.gateway.create_deployment(
        restApiId=api,
        stageName="prod",
        canarySettings={"percentTraffic": 100, "stageVariableOverrides": {"release": "r-2"}},
    )["id"]
    stage = world.shown(api)
    assert stage["deploymentId"] == first
    assert stage["canarySettings"] == {
        "deploymentId": second,
        "percentTraffic": 100.0,
        "useStageCache": False,
        "stageVariableOverrides": {"release": "r-2"},
    }
    assert answer(world, api) == "two"
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "0"))
    assert answer(world, api) == "one"
    world.patch(api, ("copy", "/deploymentId", "/canarySettings/deploymentId"))
    assert answer(world, api) == "two"


def test_a_stage_with_a_canary_takes_no_other_deployment(world, api):
    world.patch(api, ("replace", "/canarySettings/percentTraffic", "0"))
    before = world.shown(api)
    with pytest.raises(ClientError) as error:
        world.gateway.create_deployment(restApiId=api, stageName="prod")
    assert said(error) == (
        "Non canary deployment not supported on stage prod because Canary is enabled. "
        "Provide CanarySettings in deploymentInput."
    )
    assert world.shown(api) == before


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({}, "Non null and non empty stageName must be provided for canary deployment. Provided value is null"),
        (
            {"stageName": ""},
            "Non null and non empty stageName must be provided for canary deployment. Provided value is ",
        ),
        ({"stageName": "v2"}, "Stage v2 must already be created before making a canary release deployment"),
    ],
)
def test_a_canary_deployment_needs_a_stage_that_exists(world, api, stage, message):
    with pytest.raises(ClientError) as error:
        world.gateway.create_deployment(restApiId=api, canarySettings={"percentTraffic": 10}, **stage)
    assert said(error) == f"Invalid deployment content specified.{message}"


def test_a_deployment_with_an_illegal_percent_or_variable_is_refused(world, api):
    count = len(world.gateway.get_deployments(restApiId=api)["items"])
    with pytest.raises(ClientError) as error:
        world.gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 101})
    assert "between 0.0 and 100.0" in said(error)
    with pytest.raises(ClientError) as error:
        world.gateway.create_deployment(restApiId=api, stageName="v2", variables={"a b": "c"})
    assert said(error).startswith("Invalid stage variable name: a b.")
    assert len(world.gateway.get_deployments(restApiId=api)["items"]) == count


@pytest.mark.parametrize("by", ["stage", "canary"])
def test_a_deployment_that_a_stage_or_a_canary_points_to_cannot_be_deleted(world, api, by):
    path = "/deploymentId" if by == "stage" else "/canarySettings/deploymentId"
    other = world.deployment(api)
    first = world.shown(api)["deploymentId"]
    world.patch(api, ("replace", path, other))
    with pytest.raises(ClientError) as error:
        world.gateway.delete_deployment(restApiId=api, deploymentId=other)
    assert said(error) == "Active stages pointing to this deployment must be moved or deleted"
    world.patch(api, ("replace", path, first))
    world.gateway.delete_deployment(restApiId=api, deploymentId=other)
    assert [item["id"] for item in world.gateway.get_deployments(restApiId=api)["items"]] == [first]


def test_another_region_has_deployments_of_its_own(cloud):
    with World(cloud, "us-east-1") as elsewhere:
        api = elsewhere.api()
        elsewhere.mock(api, "/", "one")
        elsewhere.stage(api)
        elsewhere.mock(api, "/", "two")
        assert answer(elsewhere, api) == "one"


def test_a_reset_forgets_stages_and_deployments(tmp_path: Path):
    with EmbeddedCloud.start(tmp_path / "cloud") as cloud, World(cloud) as world:
        tags = {"ms-custom-id": "abcdef01"}
        for text in ("before", "after"):
            world.gateway.create_rest_api(name="api", tags=tags)
            world.mock("abcdef01", "/", text)
            world.stage("abcdef01")
            assert answer(world, "abcdef01") == text
            request = urllib.request.Request(cloud.endpoint + "/_ministack/reset", method="POST")
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status == 200
            assert world.get("abcdef01", "/").status == 404


def test_with_policies_enforced_a_requests_signature_is_asked_for_by_the_deployed_method(tmp_path: Path):
    with EmbeddedCloud.start(tmp_path / "cloud", Options(auth=True)) as cloud, World(cloud) as world:
        api = world.api()
        world.mock(api, "/", "open")
        world.stage(api)
        root = world.gateway.get_resources(restApiId=api)["items"][0]["id"]
        world.gateway.update_method(
            restApiId=api,
            resourceId=root,
            httpMethod="GET",
            patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}],
        )
        bearer = {"Authorization": "Bearer none"}  # which a method with AWS_IAM refuses
        assert world.get(api, "/", headers=bearer).json == {"answer": "open"}
        world.gateway.create_deployment(restApiId=api, stageName="prod")
        assert world.get(api, "/", headers=bearer).status == 403
