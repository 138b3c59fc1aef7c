"""How our own services are answered at all: cheaply, beside ministack's, and forgotten with them."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import emulator_command
from emulator.codedeploy_world import World, until

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A cloud that these tests may reset."""
    with EmbeddedCloud.start(tmp_path_factory.mktemp("own"), Options(command=emulator_command())) as running:
        yield running


@pytest.fixture
def world(own: EmbeddedCloud) -> Iterator[World]:
    with World.of(own) as made:
        yield made


def reset(cloud: EmbeddedCloud) -> None:
    request = urllib.request.Request(f"{cloud.endpoint}/_ministack/reset", method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        assert json.load(response) == {"reset": "ok"}


def resident_kilobytes(cloud: EmbeddedCloud) -> int:
    for line in Path(f"/proc/{cloud.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("the server has no memory")


def processor_seconds(cloud: EmbeddedCloud) -> float:
    """What the server has computed so far; unlike the time that passes, it is the same on a busy machine."""
    fields = Path(f"/proc/{cloud.pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_the_first_call_does_not_load_every_service_model(own: EmbeddedCloud, world: World) -> None:
    client = world.codedeploy
    before, worked = resident_kilobytes(own), processor_seconds(own)
    client.list_applications()
    assert processor_seconds(own) - worked < 3.0  # left to ministack: 7.5 s
    assert resident_kilobytes(own) - before < 100_000  # and 400 MB


def test_ministacks_own_target_services_still_answer(world: World) -> None:
    assert world.dynamodb.list_tables()["TableNames"] == []


def test_a_reset_forgets_applications_groups_configurations_and_deployments(own: EmbeddedCloud, world: World) -> None:
    world.ready()
    config = world.custom_config("Canary", 10, 1)
    deployment = world.deploy()
    world.finished(deployment)
    reset(own)
    assert world.codedeploy.list_applications()["applications"] == []
    assert world.codedeploy.list_deployments()["deployments"] == []
    assert config not in world.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    with pytest.raises(world.codedeploy.exceptions.DeploymentDoesNotExistException):
        world.info(deployment)


def test_a_deployment_that_runs_during_a_reset_touches_nothing_of_the_new_world(
    own: EmbeddedCloud, world: World
) -> None:
    world.ready(deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes")
    world.deploy()
    until(lambda: world.alias() == ("1", {"2": 0.1}))
    reset(own)
    world.make_function()
    time.sleep(1.5)  # the thread looks every second
    assert world.alias() == ("1", {})
    assert world.codedeploy.list_deployments()["deployments"] == []
