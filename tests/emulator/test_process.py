"""The embedded AWS as a process: starts clean, ends with its parent, never listens to others, leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from manuel_release.errors import EmulatorError, Refused
from manuel_release.rehearsal import detached
from manuel_release.rehearsal.process import (
    ACCOUNT_ID,
    EmbeddedCloud,
    Options,
    answers,
    client_environment,
    free_port,
    scrubbed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.emulator


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def test_it_answers_when_start_returns_and_leaves_only_its_log(tmp_path: Path) -> None:
    with EmbeddedCloud.start(tmp_path) as cloud:
        assert answers(cloud.endpoint)
        assert (tmp_path / "tmp").is_dir()

    assert not answers(cloud.endpoint)
    assert [path.name for path in tmp_path.iterdir()] == ["cloud.log"]


def test_it_listens_on_the_loopback_interface_only(tmp_path: Path) -> None:
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    with EmbeddedCloud.start(tmp_path) as cloud:
        port = int(cloud.endpoint.rsplit(":", 1)[1])
        for address in others:
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex((address, port)) != 0
        listening = _listeners(port)
        assert listening in ({"0100007F"}, set())


def _listeners(port: int) -> set[str]:
    """Local addresses, as Linux writes them, that listen on a port; empty on other systems."""
    try:
        with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123 - a file of the kernel
            rows = [line.split() for line in table][1:]
    except OSError:
        return set()
    wanted = f":{port:04X}"
    return {row[1].removesuffix(wanted) for row in rows if row[1].endswith(wanted) and row[3] == "0A"}


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from manuel_release.rehearsal.process import EmbeddedCloud\n"
        "cloud = EmbeddedCloud.start(Path(sys.argv[1])); print(cloud.endpoint, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        endpoint = parent.stdout.readline().strip()
        assert answers(endpoint)
        parent.send_signal(signal.SIGKILL)

    assert eventually(lambda: not answers(endpoint, timeout=0.3))
    assert eventually(lambda: not (tmp_path / "tmp").exists())


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with (
        EmbeddedCloud.start(tmp_path / "one") as cloud,
        pytest.raises(EmulatorError, match="taken"),
    ):
        EmbeddedCloud.start(tmp_path / "two", Options(port=int(cloud.endpoint.rsplit(":", 1)[1])))


def test_a_program_that_ends_at_once_is_said_with_its_last_words(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('ministack 9 is installed'); sys.exit(70)"
    broken = tmp_path / "python"
    broken.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}"\n')
    broken.chmod(0o755)

    with pytest.raises(EmulatorError) as caught:
        EmbeddedCloud.start(tmp_path / "cloud", Options(command=(str(broken),)))

    assert "code 70" in caught.value.message
    assert "ministack 9 is installed" in caught.value.message
    assert "make setup" in caught.value.hint


def test_its_account_is_ours_and_its_state_can_be_reset(cloud: EmbeddedCloud) -> None:
    command = [sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"]
    found = subprocess.run(command, env=cloud.environment(), capture_output=True, text=True, check=True)

    assert found.stdout.strip() == ACCOUNT_ID


def test_nothing_of_the_persons_own_aws_reaches_the_clients(
    cloud: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")

    found = cloud.environment()

    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY"} & found.keys()
    assert found["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert found["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_scrubbing_keeps_what_a_program_needs() -> None:
    assert scrubbed({"PATH": "/bin", "HOME": "/h", "PYTHONPATH": "x", "MANUEL_ENV": "dev", "MANUEL_ENVS": "e"}) == {
        "PATH": "/bin",
        "HOME": "/h",
        "MANUEL_ENVS": "e",
    }


def test_a_detached_one_is_known_by_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    running = detached.up(tmp_path, Options(tied=False))
    try:
        path = tmp_path / "cloud.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text())["endpoint"] == running.endpoint
        assert detached.find(tmp_path) == running
        with pytest.raises(Refused, match="runs already"):
            detached.up(tmp_path, Options(tied=False))
    finally:
        assert detached.down(tmp_path) == running

    assert not answers(running.endpoint)
    assert list(tmp_path.iterdir()) == []


def test_nothing_running_is_nothing_to_stop(tmp_path: Path) -> None:
    assert detached.down(tmp_path) is None


def test_another_process_with_the_same_id_is_never_stopped(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        known = {"pid": other.pid, "started": "1", "endpoint": "http://127.0.0.1:1", "region": "eu-west-1"}
        (tmp_path / "cloud.json").write_text(json.dumps(known))

        assert detached.find(tmp_path) is None
        assert detached.down(tmp_path) is None
        assert other.poll() is None
        other.kill()


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))


def test_the_variables_are_all_that_a_client_needs() -> None:
    found = client_environment("http://127.0.0.1:1", "eu-west-1")

    assert found["AWS_ACCESS_KEY_ID"] == ACCOUNT_ID
    assert found["MANUEL_API_URL"].format(api_id="a", stage="v1") == "http://127.0.0.1:1/_aws/execute-api/a/v1"


def test_its_health_is_an_http_endpoint(cloud: EmbeddedCloud) -> None:
    with urllib.request.urlopen(cloud.endpoint + "/_ministack/health") as response:
        assert response.status == 200
