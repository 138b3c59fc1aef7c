"""The suites that the pipeline runs against an environment, run against the service on an embedded AWS."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import planted
import pytest
from emulator.service_world import KETTLE, Service, User, deployed, until
from planting import Planting
from tests_root import ROOT

from manuel_release import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story, pytest.mark.timeout(600)]
CATEGORIES = set(planted.CATEGORIES)
SECONDS = 60.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployed(tmp_path_factory.mktemp("suites"), EnableAdvancedSecurity="true", DailyQuotaLimit="15") as made:
        yield made


def started(
    service: Service, results: Path, *arguments: str, accounts: str = "", **changed: Any
) -> subprocess.Popen[str]:
    patient = {"p95_seconds": 5.0, "learning_seconds": 60.0}  # the machine may be busy
    config = planted.configuration(results.parent, **{**patient, **changed})
    return subprocess.Popen(
        [
            *(str(programs.program("integration", "python")), str(ROOT / "tests/integration/test_runner.py")),
            *("--environment", "dev", "--discover", "--config", str(config), "--results", str(results), *arguments),
        ],
        env={**planted.environment(service), "MANUEL_TEST_ACCOUNTS": accounts},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(service: Service, results: Path, *arguments: str, **changed: Any) -> tuple[int, dict[str, Any], str]:
    """Run the program; its exit code, results.json and what it told."""
    process = started(service, results, *arguments, **changed)
    out, err = process.communicate(timeout=300)
    assert (results / "results.json").exists(), out + err
    return process.returncode, json.loads((results / "results.json").read_text()), out


def test_the_smoke_profile_is_green_in_every_category_and_writes_nothing_that_stays(
    service: Service, tmp_path: Path
) -> None:
    code, found, told = run(service, tmp_path / "results", "--profile", "smoke", "--expect-release", "r-1")

    assert code == 0, told
    assert {name for name, one in found["categories"].items() if one["passed"]} == CATEGORIES
    assert found["releases"]["r-1"] > 50
    assert found["releases"].keys() == {"r-1", "gateway"}
    bucket = service.outputs["ManualsBucketName"]
    assert service.client("s3").list_objects_v2(Bucket=bucket).get("KeyCount", 0) == 0
    assert users(service) == []
    assert "<h1 class='good'>" in (tmp_path / "results/results.html").read_text()


def test_a_part_of_the_full_profile_is_green_and_measures_the_contract(service: Service, tmp_path: Path) -> None:
    chosen = ("api", "authentication", "workflows")
    code, found, told = run(
        service, tmp_path / "results", "--profile", "full", *(f"--category={one}" for one in chosen)
    )

    assert code == 0, told
    assert found["coverage"]["percent"] > 40
    assert "POST /api/query -> 429 quota_exceeded" in found["coverage"]["missed"]
    assert "GET /api/usage -> 503 dependency_unavailable" in found["coverage"]["needs_a_fault_injector"]
    assert users(service) == []


def test_without_permission_to_make_users_the_smoke_profile_shows_what_needs_none(
    service: Service, tmp_path: Path
) -> None:
    code, found, told = run(service, tmp_path / "results", "--profile", "smoke", make_users=False)

    assert code == 0, told
    assert {name for name, one in found["categories"].items() if one["passed"]} == CATEGORIES
    assert "needs 1 test accounts (MANUEL_TEST_ACCOUNTS), has 0" in told
    assert users(service) == []


def test_a_given_account_signs_in_as_the_app_does_and_keeps_what_it_has(service: Service, tmp_path: Path) -> None:
    user, email, password = signed_in(service)
    manual_id = user.upload("kettle.md", KETTLE)

    chosen = ("--profile", "smoke", "--category", "api", "--category", "workflows")
    code, found, told = run(service, tmp_path / "results", *chosen, make_users=False, accounts=f"{email}:{password}")

    assert code == 0, told
    assert not [case for case in found["cases"] if case["outcome"] == "skipped" and "account" in case["message"]]
    assert [one["manual_id"] for one in user.ask("GET", "/api/manuals").json["manuals"]] == [manual_id]
    usage = until(lambda: (one := user.ask("GET", "/api/usage")).status == 200 and one)
    assert usage.json["daily"]["used"] == 1
    assert password not in told + (tmp_path / "results/results.json").read_text()


def test_another_release_than_the_expected_one_is_red(service: Service, tmp_path: Path) -> None:
    arguments = ("--profile", "smoke", "--category", "workflows", "--expect-release", "r-2", "--report", "e2e")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/results.json").write_text("{}")

    code, _, told = run(service, tmp_path / "results", *arguments)

    found = json.loads((tmp_path / "results/e2e-results.json").read_text())
    assert (tmp_path / "results/results.json").read_text() == "{}"
    assert b'failures="1"' in (tmp_path / "results/e2e-results.xml").read_bytes()
    assert code == 1
    assert [gate["name"] for gate in found["gates"] if not gate["passed"]] == ["release"]
    assert "Expected r-2" in told


@pytest.mark.parametrize("name", ["broken-json-is-a-crash", "no-retry-after", "missing-routes-are-403"])
def test_a_fault_in_the_service_or_its_template_turns_its_category_red(
    service: Service, tmp_path: Path, name: str
) -> None:
    fault = planted.read(planted.FAULTS / f"{name}.toml")
    with Planting(service).planted(planted.broken(fault)):
        code, found, _ = run(
            service, tmp_path / "results", "--profile", "full", "--first-failure", "--category", fault.category
        )

    assert code == 1
    assert found["categories"][fault.category]["failed"] == 1
    root = (tmp_path / "results/test-results.xml").read_text()
    assert "<failure" in root


def test_a_run_that_is_ended_half_way_leaves_no_user_behind(service: Service, tmp_path: Path) -> None:
    process = started(service, tmp_path / "results", "--profile", "full", "--category", "security")
    deadline = time.monotonic() + SECONDS
    while not users(service) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert users(service)

    os.kill(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 1, out + err
    assert "ended early" in out
    assert users(service) == []


def signed_in(service: Service) -> tuple[User, str, str]:
    """A person who has an account with a password, signed in."""
    email, password = f"{secrets.token_hex(6)}@example.com", f"Aa1!{secrets.token_hex(12)}"
    cognito, pool = service.client("cognito-idp"), service.outputs["UserPoolId"]
    cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=service.outputs["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )
    return User(service, answer["AuthenticationResult"]["IdToken"]), email, password


def users(service: Service) -> list[str]:
    """The accounts that the suites made and that are still there."""
    found = service.client("cognito-idp").list_users(UserPoolId=service.outputs["UserPoolId"])["Users"]
    emails = [one["Value"] for user in found for one in user["Attributes"] if one["Name"] == "email"]
    return [email for email in emails if email.startswith("manuel-suite-")]
