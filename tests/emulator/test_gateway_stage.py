"""CreateStage, GetStage and the flushing of caches, with AWS's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from emulator.gateway_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture
def api(world: World) -> str:
    made = world.api()
    world.mock(made, "/", "one")
    world.stage(made, variables={"release": "live", "current": "r-1"})
    return made


def refusal(error: pytest.ExceptionInfo[ClientError], code: str = "BadRequestException") -> str:
    assert error.value.response["Error"]["Code"] == code
    return str(error.value.response["Error"]["Message"])


def test_a_stage_is_shown_as_aws_shows_it(world, api):
    stage = world.shown(api)
    created, updated = stage.pop("createdDate"), stage.pop("lastUpdatedDate")
    assert created == updated
    assert stage.pop("deploymentId")
    assert stage == {
        "stageName": "prod",
        "variables": {"release": "live", "current": "r-1"},
        "methodSettings": {},
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "tracingEnabled": False,
    }
    assert [item["stageName"] for item in world.gateway.get_stages(restApiId=api)["item"]] == ["prod"]


def test_a_stage_can_be_created_with_a_canary(world, api):
    deployment = world.deployment(api)
    stage = world.gateway.create_stage(
        restApiId=api,
        stageName="v2",
        deploymentId=deployment,
        canarySettings={"percentTraffic": 40, "stageVariableOverrides": {"release": "r-2"}},
    )
    assert stage["canarySettings"] == {
        "deploymentId": deployment,
        "percentTraffic": 40.0,
        "useStageCache": False,
        "stageVariableOverrides": {"release": "r-2"},
    }


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"deploymentId": "deploy"}, "BadRequestException", "Deployment id does not exist"),
        ({"canarySettings": {"deploymentId": "deploy"}}, "BadRequestException", "Deployment id does not exist"),
        ({"stageName": "v-2"}, "BadRequestException", "Stage name only allows a-zA-Z0-9_"),
        ({"stageName": "prod"}, "ConflictException", "Stage already exists"),
        ({"variables": {"a b": "x"}}, "BadRequestException", "Invalid stage variable name: a b. "),
        ({"cacheClusterSize": "7"}, "BadRequestException", "Invalid cache cluster size 7"),
    ],
)
def test_a_stage_that_aws_refuses_is_not_created(world, api, given, code, said):
    wanted = {"restApiId": api, "stageName": "v2", "deploymentId": world.shown(api)["deploymentId"], **given}
    with pytest.raises(ClientError) as error:
        world.gateway.create_stage(**wanted)
    assert refusal(error, code).startswith(said)
    assert len(world.gateway.get_stages(restApiId=api)["item"]) == 1


def test_the_caches_of_a_stage_can_be_flushed(world, api):
    for flush in (world.gateway.flush_stage_cache, world.gateway.flush_stage_authorizers_cache):
        assert flush(restApiId=api, stageName="prod")["ResponseMetadata"]["HTTPStatusCode"] == 202
        with pytest.raises(ClientError) as error:
            flush(restApiId=api, stageName="none")
        assert refusal(error, "NotFoundException") == "Invalid stage identifier specified"
