"""The chaos suite against a deployed service: green as it is, red when what it guards is taken out."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from typing import TYPE_CHECKING

import pytest
from emulator.service_world import Service, deployed
from tests_root import ROOT

from manuel_release.rehearsal import scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]


def published(service: Service) -> str:
    """The fault layer's ARN, published as chaos.yaml would."""
    return scene.publish_layer(service.client("lambda"), ROOT / scene.LAYER)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("chaos")
    with deployed(folder, FaultInjectionLayer=published, DailyQuotaLimit="500") as made:
        yield made


def chaos(service: Service, results: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run scenarios by name."""
    chosen = [part for name in names for part in ("--only", name)]
    chosen += ["--per-second", "50"]  # dev has no rate limit
    return subprocess.run(
        [sys.executable, "tests/integration/chaos/run.py", "--environment", "dev", "--results", str(results), *chosen],
        cwd=ROOT,
        env=service.cloud.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@contextlib.contextmanager
def serving(service: Service, old: str, new: str, member: str) -> Iterator[None]:
    """Meanwhile `live` of the query function serves a copy whose code is changed in one place."""
    functions, name = service.client("lambda"), "manuel-query-dev"
    found = functions.get_function(FunctionName=name, Qualifier="live")
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        before = zipfile.ZipFile(io.BytesIO(answer.read()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == member:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            archive.writestr(entry, content)
    functions.update_function_code(FunctionName=name, ZipFile=packed.getvalue())
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=found["Configuration"]["Version"])


def test_the_basic_suite_is_green_on_the_service_and_leaves_no_fault(service: Service, tmp_path: Path) -> None:
    done = chaos(service, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "chaos-results.json").read_text())
    assert told["passed"] is True
    assert {one["scenario"]: one["outcome"] for one in told["scenarios"]} == {
        "bedrock-throttling": "passed",
        "dynamodb-failure": "passed",
        "circuit-breaker": "passed",
    }
    assert service.client("ssm").get_parameters(Names=["/manuel/dev/faults"])["InvalidParameters"]


def test_it_is_red_when_the_breaker_never_opens(service: Service, tmp_path: Path) -> None:
    with serving(service, "self._failures >= self._failures_to_open", "False", "manuel/breaker.py"):
        done = chaos(service, tmp_path, "circuit-breaker")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "the circuit opens" in done.stderr
    assert service.client("ssm").get_parameters(Names=["/manuel/dev/faults"])["InvalidParameters"]
