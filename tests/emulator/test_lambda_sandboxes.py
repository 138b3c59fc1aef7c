"""Where functions run: their interpreter, their environment, and how long a sandbox lives."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from emulator.lambda_world import World, refused, unique, until, zipped

from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

BEHAVES = """
import os, sys, time

print("imported")

def handler(event, context):
    what = event.get("do")
    if what == "raise":
        raise ValueError("told to")
    if what == "exit":
        os._exit(7)
    if what == "sleep":
        time.sleep(event["seconds"])
    if what == "spawn":
        import subprocess
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "left-" + context.function_name])
        time.sleep(60)
    if what == "unserialisable":
        return object()
    if what == "print":
        print("on stdout")
        print("on stderr", file=sys.stderr)
        os.write(1, b"straight to the descriptor\\n")
    if what == "write":
        with open(os.path.join(os.environ["TMPDIR"], "kept"), "w") as kept:
            kept.write("x")
    return {"pid": os.getpid(), "left": context.get_remaining_time_in_millis(), "tmp": os.environ["TMPDIR"]}
"""

LOOKS_AROUND = """
import importlib.util, os, sys

def handler(event, context):
    return {
        "environment": dict(os.environ),
        "python": sys.executable,
        "path": sys.path,
        "cwd": os.getcwd(),
        "found": {name: importlib.util.find_spec(name) is not None for name in event["modules"]},
        "context": {name: getattr(context, name) for name in event["context"]},
    }
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    world = World(cloud)
    yield world
    world.close()


def test_functions_run_on_the_interpreter_that_has_only_boto3(world: World) -> None:
    name = world.function(LOOKS_AROUND)
    modules = ["boto3", "ministack", "manuel_release", "click", "duckdb"]
    seen = world.invoke(name, {"modules": modules, "context": []}).value
    assert "/envs/function/" in seen["python"]
    assert seen["found"] == {
        "boto3": True,
        "ministack": False,
        "manuel_release": False,
        "click": False,
        "duckdb": False,
    }
    assert not any("emulator" in entry for entry in seen["path"])


def test_a_sandbox_sees_lambdas_variables_and_its_own_and_nothing_of_the_server(world: World) -> None:
    settings = {"Variables": {"TABLE": "t-1", "AWS_REGION": "mars-1"}}
    name = world.function(LOOKS_AROUND, Environment=settings, MemorySize=256)
    environment = world.invoke(name, {"modules": [], "context": []}).value["environment"]
    assert environment["TABLE"] == "t-1"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_ACCESS_KEY_ID"] == ACCOUNT_ID
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["_HANDLER"] == "app.handler"
    leaked = [
        key
        for key in environment
        if key.startswith(("MANUEL_", "MINISTACK_", "PYTHON", "GATEWAY_", "STATE_", "LAMBDA_ACCOUNT", "BIND_", "COV"))
    ]
    assert leaked == []


def test_a_function_can_call_this_aws_with_its_own_sdk(world: World) -> None:
    name = world.function(
        "import boto3\nsts = boto3.client('sts')\n"
        "def handler(event, context):\n    return sts.get_caller_identity()['Account']\n",
        Timeout=30,
    )
    assert world.invoke(name).value == ACCOUNT_ID


def test_the_context_says_what_aws_says(world: World) -> None:
    name = world.function(LOOKS_AROUND)
    names = ["function_name", "function_version", "memory_limit_in_mb", "log_group_name", "invoked_function_arn"]
    context = world.invoke(name, {"modules": [], "context": names}).value["context"]
    assert context == {
        "function_name": name,
        "function_version": "$LATEST",
        "memory_limit_in_mb": "128",
        "log_group_name": f"/aws/lambda/{name}",
        "invoked_function_arn": f"arn:aws:lambda:eu-west-1:{ACCOUNT_ID}:function:{name}",
    }


def test_a_quiet_function_answers_without_a_floor_of_fifty_milliseconds(world: World) -> None:
    name = world.function(BEHAVES)
    world.invoke(name)
    took = []
    for _ in range(40):
        started = time.perf_counter()
        world.invoke(name)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.05


def test_everything_that_a_handler_prints_is_in_its_log(world: World) -> None:
    name = world.function(BEHAVES)
    lines = world.invoke(name, {"do": "print"}).log.splitlines()
    assert lines == ["imported", "on stdout", "on stderr", "straight to the descriptor"]
    assert world.invoke(name).log == ""


def test_an_exception_keeps_the_sandbox_and_is_worded_as_by_lambda(world: World) -> None:
    name = world.function(BEHAVES)
    before = world.invoke(name).value["pid"]
    failed = world.invoke(name, {"do": "raise"})
    assert failed.error == "Unhandled"
    assert failed.value["errorMessage"] == "told to"
    assert failed.value["errorType"] == "ValueError"
    assert 'raise ValueError("told to")' in failed.value["stackTrace"][0]
    assert "[ERROR] ValueError: told to" in failed.log
    assert world.invoke(name).value["pid"] == before


def test_a_result_that_is_no_json_is_a_marshal_error_and_keeps_the_sandbox(world: World) -> None:
    name = world.function(BEHAVES)
    before = world.invoke(name).value["pid"]
    assert world.invoke(name, {"do": "unserialisable"}).value["errorType"] == "Runtime.MarshalError"
    assert world.invoke(name).value["pid"] == before


def test_a_process_that_dies_is_an_exit_error_and_the_next_call_gets_a_new_sandbox(world: World) -> None:
    name = world.function(BEHAVES)
    before = world.invoke(name).value
    died = world.invoke(name, {"do": "exit"})
    assert died.error == "Unhandled"
    assert died.value["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in died.value["errorMessage"]
    after = world.invoke(name).value
    assert after["pid"] != before["pid"]
    assert after["tmp"] != before["tmp"]


def test_a_time_out_ends_the_sandbox_and_what_it_started(world: World, cloud: EmbeddedCloud) -> None:
    name = world.function(BEHAVES, Timeout=1)
    before = world.invoke(name).value["pid"]
    late = world.invoke(name, {"do": "spawn"})
    assert late.value["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in late.value["errorMessage"]
    assert world.invoke(name).value["pid"] != before
    assert not _running(f"left-{name}")
    assert cloud.process.poll() is None


def test_the_time_that_is_left_starts_at_the_functions_timeout(world: World) -> None:
    name = world.function(BEHAVES, Timeout=9)
    assert 8_000 < world.invoke(name).value["left"] <= 9_000


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import no_such_module\n", "Runtime.ImportModuleError"),
        ("def handler(:\n", "Runtime.UserCodeSyntaxError"),
        ("def other(event, context):\n    return 1\n", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('at import')\n", "RuntimeError"),
    ],
)
def test_a_module_that_cannot_be_imported_fails_every_call_with_the_reason(
    world: World, source: str, kind: str
) -> None:
    name = world.function(source)
    for _ in range(2):
        reply = world.invoke(name)
        assert (reply.error, reply.value["errorType"]) == ("Unhandled", kind)


def test_the_files_of_an_ended_sandbox_are_removed(world: World, cloud: EmbeddedCloud) -> None:
    name = world.function(BEHAVES)
    world.invoke(name, {"do": "write"})
    folder = cloud.folder / "tmp"
    assert len(list(folder.glob(f"sandbox-{name}-*/tmp/kept"))) == 1
    world.client("lambda").delete_function(FunctionName=name)
    assert list(folder.glob(f"sandbox-{name}-*")) == []


def test_the_temporary_folder_is_the_sandboxes_own_and_is_kept_between_calls(world: World) -> None:
    name = world.function(BEHAVES)
    first = world.invoke(name, {"do": "write"}).value["tmp"]
    assert world.invoke(name).value["tmp"] == first


def test_new_code_runs_in_new_sandboxes(world: World) -> None:
    name = world.function("def handler(event, context):\n    return 'old'\n")
    assert world.invoke(name).value == "old"
    changed = zipped("def handler(event, context):\n    return 'new'\n")
    world.client("lambda").update_function_code(FunctionName=name, ZipFile=changed)
    assert world.invoke(name).value == "new"


def test_layers_are_on_the_path_after_the_functions_own_code(world: World) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/from_layer.py", "SAID = 'layer'\n")
    layer = world.client("lambda").publish_layer_version(
        LayerName=unique("layer"), Content={"ZipFile": packed.getvalue()}
    )["LayerVersionArn"]
    source = "import from_layer\ndef handler(event, context):\n    return from_layer.SAID\n"
    assert world.invoke(world.function(source, Layers=[layer])).value == "layer"


CALLS_ITSELF_ONCE = """
import json, os, boto3

client = boto3.client("lambda")

def handler(event, context):
    seen = [os.environ["_X_AMZN_TRACE_ID"]]
    if not event.get("second"):
        answer = client.invoke(FunctionName=context.function_name, Payload=json.dumps({"second": True}))
        seen += json.loads(answer["Payload"].read())
    return seen
"""


def test_the_trace_id_counts_the_hops_of_a_chain_of_functions(world: World) -> None:
    seen = world.invoke(world.function(CALLS_ITSELF_ONCE, Timeout=60)).value
    assert ["Lineage=1:" in seen[0], "Lineage=2:" in seen[1]] == [True, True]


def test_a_chain_of_more_than_sixteen_hops_is_stopped(world: World) -> None:
    name = world.function()

    def hop(number: int) -> Any:
        def add(request: Any, **_more: Any) -> None:
            request.headers["X-Amzn-Trace-Id"] = f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={number}:a1:0"

        client = world.client("lambda")
        client.meta.events.register("before-sign.lambda.Invoke", add)
        try:
            return world.invoke(name).value["version"]
        finally:
            client.meta.events.unregister("before-sign.lambda.Invoke", add)

    assert hop(15) == "$LATEST"
    with refused("RecursiveInvocationException"):
        hop(16)


def test_sandboxes_end_in_the_middle_of_a_handler_when_the_server_is_killed(tmp_path: Path) -> None:
    own = EmbeddedCloud.start(tmp_path / "cloud")
    world = World(own)
    name = world.function(BEHAVES, Timeout=300)
    world.invoke(name)
    world.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"do": "sleep", "seconds": 200}')
    mark = str(tmp_path).encode()
    assert until(lambda: len(_sandboxes_in(mark)) == 1)
    own.process.kill()
    until(lambda: not _sandboxes_in(mark))
    own.stop()
    world.close()


def _sandboxes_in(folder: bytes) -> list[Path]:
    """Processes whose environment names a folder as their code's."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(each.startswith(b"LAMBDA_TASK_ROOT=" + folder) for each in variables):
            found.append(process)
    return found


def _running(text: str) -> bool:
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in commandline.read_bytes():
                return True
        except OSError:
            continue
    return False
