"""The performance suite against the service: green and recorded as it is, red beside a release that was faster."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import planted
import pytest
from emulator.service_world import Service, deployed
from emulator.test_suites import users
from tests_root import ROOT

from manuel_release import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story, pytest.mark.timeout(600)]
KEY = "performance/dev/{}-smoke.json"
VALID = "import sys, xmlschema; xmlschema.validate(*sys.argv[1:])"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployed(tmp_path_factory.mktemp("performance"), DailyQuotaLimit="200") as made:
        yield made


@pytest.fixture(scope="module")
def bucket(service: Service) -> str:
    found = service.client("ssm").get_parameter(Name="/manuel/operations/artifacts")
    return str(found["Parameter"]["Value"])


def run(service: Service, folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run the program; its exit code, performance.json and what it told. No limit is met, however busy it is here."""
    config = planted.configuration(folder, p95_seconds=60.0, learning_seconds=60.0)
    results = folder / "results"
    done = subprocess.run(
        [
            *(str(programs.program("integration", "python")), str(ROOT / "tests/integration/performance/run.py")),
            *(
                "--environment",
                "dev",
                "--config",
                str(config),
                "--profile",
                "smoke",
                "--rate",
                "13.5",
                "--seconds",
                "2",
            ),
            *("--results", str(results), "--baseline", str(folder / "baseline"), *arguments),
        ],
        env=planted.environment(service),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (results / "performance.json").exists(), done.stdout + done.stderr
    return done.returncode, json.loads((results / "performance.json").read_text()), done.stdout


def red(found: dict[str, Any]) -> set[tuple[str, str]]:
    """The checks that failed, but whether a busy machine sent its requests in time."""
    failed = {(one["scenario"], one["name"]) for one in found["checks"] if not one["passed"]}
    return failed - {("run", "the load was made")}


def test_the_first_release_is_measured_recorded_and_leaves_nobody_behind(
    service: Service, bucket: str, tmp_path: Path
) -> None:
    code, found, told = run(service, tmp_path, "--release", "r-1")

    assert (code, red(found)) == (int(not found["ok"]), set()), told
    assert {name: one["errors"] for name, one in found["scenarios"].items()} == {
        "query": {},
        "manuals": {},
        "usage": {},
    }
    assert all(len(one["sample_ms"]) == one["requests"] == 9 for one in found["scenarios"].values())
    assert found["baseline"] is None
    assert "No baseline" in told
    assert found["releases"].keys() == {"r-1"}
    body = service.client("s3").get_object(Bucket=bucket, Key=KEY.format("r-1"))["Body"].read()
    assert json.loads(body)["scenarios"]["query"]["sample_ms"] == found["scenarios"]["query"]["sample_ms"]
    assert (tmp_path / "baseline/dev/r-1-smoke.json").read_bytes() == body
    assert users(service) == []
    schema = ROOT / "tests/integration/fixtures/junit.xsd"
    python = str(programs.program("integration", "python"))
    subprocess.run([python, "-c", VALID, str(tmp_path / "results/performance.xml"), str(schema)], check=True)
    assert "<svg" in (tmp_path / "results/performance.html").read_text()


def test_a_release_before_that_was_a_thousand_times_as_fast_turns_it_red_after_a_second_measurement(
    service: Service, bucket: str, tmp_path: Path
) -> None:
    s3 = service.client("s3")
    before = json.loads(s3.get_object(Bucket=bucket, Key=KEY.format("r-1"))["Body"].read())
    before |= {"release": "r-0", "started_at": "2026-01-01T00:00:00Z"}
    for one in before["scenarios"].values():
        one["sample_ms"] = [value / 1000 for value in one["sample_ms"]]  # so few requests tell no less
    s3.put_object(Bucket=bucket, Key=KEY.format("r-0"), Body=json.dumps(before).encode())

    code, found, told = run(service, tmp_path)

    assert code == 1, told
    assert (found["baseline"], found["passes"]) == ("r-0", 2)
    assert red(found) == {(name, "P50 at most 10 % above r-0") for name in ("query", "manuals", "usage")}
    assert "slower by more than 10 %" in told
    assert json.loads(s3.get_object(Bucket=bucket, Key=KEY.format("r-1"))["Body"].read())["ok"] is False
