"""GET /health."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import boto3
import manuel
import pytest
from functions.backing import APP, TABLE
from functions.events import call, proxy_event
from manuel import health

if TYPE_CHECKING:
    from functions.ai_world import Ai


def test_says_which_release_version_and_environment_answers(environment: dict[str, str]) -> None:
    answer = call(health.handler, proxy_event("GET", "/health"))

    assert answer.status == 200
    assert answer.json == {
        "status": "healthy",
        "release": "r-7",
        "version": manuel.__version__,
        "environment": "dev",
    }


def test_a_shallow_answer_loads_no_aws_client(environment: dict[str, str]) -> None:
    script = (
        "import sys; from manuel.health import handler\n"
        "class Context:\n aws_request_id = 'id'\n def get_remaining_time_in_millis(): return 1000\n"
        "assert handler({'httpMethod': 'GET', 'path': '/health'}, Context)['statusCode'] == 200\n"
        "sys.exit(', '.join(m for m in ('boto3', 'botocore.client', 'botocore.session') if m in sys.modules) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("aws")
def test_a_deep_answer_has_a_line_for_each_dependency() -> None:
    answer = call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))

    assert answer.status == 200
    assert [(d["name"], d["status"]) for d in answer.json["dependencies"]] == [("dynamodb", "up"), ("s3", "up")]
    assert all(0 <= d["seconds"] < 60 for d in answer.json["dependencies"])


@pytest.mark.usefixtures("aws")
def test_a_deep_answer_is_503_and_names_the_dependency_that_is_down() -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE)

    answer = call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))

    assert answer.status == 503
    assert answer.json["status"] == "unhealthy"
    assert [(d["name"], d["status"]) for d in answer.json["dependencies"]] == [("dynamodb", "down"), ("s3", "up")]


def test_a_deep_answer_asks_bedrock_where_there_is_a_knowledge_base(ai: Ai) -> None:
    up = call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))
    ai.services.faults.plan("bedrock-agent", {"error_percent": 100})
    down = call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))

    assert (up.status, up.json["dependencies"][-1]["name"]) == (200, "bedrock")
    assert (down.status, down.json["dependencies"][-1]["status"]) == (503, "down")


def test_a_dependency_that_never_answers_is_given_up_after_a_short_time(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections, says nothing
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        answer = call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))

    assert time.monotonic() - started < 30  # botocore's defaults are 60 s and four retries for each of the two
    assert [d["status"] for d in answer.json["dependencies"]] == ["down", "down"]


@pytest.mark.usefixtures("aws")
def test_asking_deeply_leaves_no_trace_in_the_table() -> None:
    call(health.handler, proxy_event("GET", "/health", query={"deep": "1"}))

    assert boto3.client("dynamodb").scan(TableName=TABLE)["Count"] == 0
