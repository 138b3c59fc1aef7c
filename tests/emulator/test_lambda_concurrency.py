"""What the server's own settings mean for functions: concurrency, endpoints, and that idle sandboxes do not pile up."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.lambda_world import World, until

import manuel_release
from manuel_release import programs
from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

LIMIT = 3
POLLY = "http://127.0.0.1:9"
SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(event.get('seconds', 0))\n    return 'done'\n"


@pytest.fixture(scope="module")
def small_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """An embedded AWS whose account may run three functions at a time, with an endpoint of its own for Polly."""
    folder: Path = tmp_path_factory.mktemp("small-cloud")
    python = str(programs.program("emulator", "python"))
    command = ("/usr/bin/env", f"AWS_ENDPOINT_URL_POLLY={POLLY}", "SECRET_OF_THE_SERVER=x", python)
    with EmbeddedCloud.start(folder, Options(account_concurrency=LIMIT, command=command)) as running:
        yield running


@pytest.fixture
def world(small_cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(small_cloud)
    yield world
    world.close()


def outcomes(world: World, name: str, count: int, **request: Any) -> list[Any]:
    """Answers or errors of so many invocations at the same time."""
    world.client("lambda")

    def call(_number: int) -> Any:
        try:
            return world.invoke(name, {"seconds": 2.0}, **request).value
        except ClientError as error:
            return error.response

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_beyond_the_accounts_concurrency_invocations_are_throttled_and_counted(world: World) -> None:
    name = world.function(SLEEPS, Timeout=30)
    results = outcomes(world, name, LIMIT + 3)
    refused = [each for each in results if each != "done"]
    assert results.count("done") == LIMIT
    assert {each["Error"]["Code"] for each in refused} == {"TooManyRequestsException"}
    assert {each["ResponseMetadata"]["HTTPStatusCode"] for each in refused} == {429}
    assert {each["Reason"] for each in refused} == {"ConcurrentInvocationLimitExceeded"}
    assert world.total("AWS/Lambda", "Throttles", FunctionName=name) == len(refused) == 3
    assert world.total("AWS/Lambda", "Invocations", FunctionName=name) == LIMIT
    assert world.total("AWS/Lambda", "Errors", FunctionName=name) == 0


def test_reserved_concurrency_holds_for_calls_through_an_alias(world: World) -> None:
    name = world.function(SLEEPS, Timeout=30, versions=1)
    world.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    world.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    results = outcomes(world, name, 2, qualifier="live")
    assert results.count("done") == 1
    (refused,) = (each for each in results if each != "done")
    assert refused["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    throttles = world.total("AWS/Lambda", "Throttles", FunctionName=name, Resource=f"{name}:live", ExecutedVersion="1")
    assert throttles == 1


def test_warm_sandboxes_are_capped_and_the_longest_unused_goes_first(world: World, small_cloud: EmbeddedCloud) -> None:
    folder = small_cloud.folder / "tmp"
    names = [world.function(SLEEPS) for _ in range(LIMIT + 1)]
    for name in names[:LIMIT]:
        world.invoke(name)
    world.invoke(names[0])
    world.invoke(names[LIMIT])

    def warm() -> set[str]:
        return {name for name in names if list(folder.glob(f"sandbox-{name}-*"))}

    assert until(lambda: warm() == {names[0], names[2], names[LIMIT]})
    assert len(list(folder.glob("sandbox-*"))) <= LIMIT


def test_an_endpoint_of_a_single_service_is_passed_on_and_nothing_else_of_the_server(world: World) -> None:
    name = world.function("import os\ndef handler(event, context):\n    return dict(os.environ)\n")
    environment = world.invoke(name).value
    assert environment["AWS_ENDPOINT_URL_POLLY"] == POLLY
    assert "SECRET_OF_THE_SERVER" not in environment


def test_versions_of_old_releases_make_room_for_new_ones(world: World, small_cloud: EmbeddedCloud) -> None:
    name = world.function(SLEEPS, versions=LIMIT + 2)
    for version in range(1, LIMIT + 3):
        assert world.invoke(name, qualifier=str(version)).value == "done"
        assert len(list((small_cloud.folder / "tmp").glob("sandbox-*"))) <= LIMIT


def test_unpacked_code_is_removed_with_the_last_sandbox_that_runs_it(world: World, small_cloud: EmbeddedCloud) -> None:
    def unpacked() -> set[Path]:
        return set((small_cloud.folder / "tmp").glob("function-code/*"))

    name = world.function("# only here\n" + SLEEPS)
    before = unpacked()
    world.invoke(name)
    assert len(unpacked() - before) == 1
    world.client("lambda").delete_function(FunctionName=name)
    assert unpacked() <= before


REAPS = """
import json, time
from ministack.core import lambda_runtime
from manuel_release.rehearsal.emulator import workers

class Idle:
    _proc = None
    in_use = False
    def __init__(self, seconds):
        self.last_used = time.time() - seconds
    def _discard_tmpdir(self):
        pass

def busy(seconds):
    worker = Idle(seconds)
    worker.in_use = True
    return worker

pools = {
    "recent": [Idle(workers.IDLE_SECONDS - 5), Idle(workers.SURPLUS_IDLE_SECONDS - 5)],
    "surplus": [Idle(workers.IDLE_SECONDS - 5), Idle(workers.SURPLUS_IDLE_SECONDS + 5)],
    "old": [Idle(workers.IDLE_SECONDS + 5)],
    "busy": [busy(workers.IDLE_SECONDS + 5)],
}
lambda_runtime._workers.update(pools)
ended = workers.reap()
print(json.dumps({"ended": ended, "left": {key: len(pool) for key, pool in lambda_runtime._workers.items()}}))
"""


def test_idle_sandboxes_end_surplus_ones_sooner_and_busy_ones_never() -> None:
    python = str(programs.program("emulator", "python"))
    root = Path(manuel_release.__file__).parent.parent
    done = subprocess.run(
        [python, "-c", REAPS], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(root)}, timeout=60
    )
    assert json.loads(done.stdout) == {"ended": 2, "left": {"recent": 2, "surplus": 1, "busy": 1}}
