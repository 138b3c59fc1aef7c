"""`manuel-release doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from unit.doctor.patient import Patient

from manuel_release.cli import root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def patient(tmp_path: Path, monkeypatch) -> Patient:
    monkeypatch.chdir(tmp_path)
    return Patient(tmp_path)


def doctor(patient, *arguments):
    def build(options, screen):
        patient.options = options
        app = patient.app
        app.screen = screen
        return app

    return CliRunner().invoke(root, ["doctor", *arguments], obj=build)


def test_a_healthy_account_ends_with_0_and_the_report_on_stdout(patient) -> None:
    result = doctor(patient)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("This machine and this account\n")
    assert "Nothing is wrong" in result.stdout.splitlines()[-1]
    assert "✔ Look at the account: done" in result.stderr


def test_an_error_ends_with_1_and_the_report_all_the_same(patient) -> None:
    (patient.folder / "parameters-staging.json").write_text("{")
    result = doctor(patient)

    assert result.exit_code == 1
    assert "1 error" in result.stdout.splitlines()[-1]


def test_a_missing_bootstrap_ends_with_4(patient) -> None:
    del patient.aws.stacks.there["manuel-operations"]

    assert doctor(patient).exit_code == 4


def test_json_is_one_document(patient) -> None:
    result = doctor(patient, "--output", "json", "--env", "dev", "--quiet")
    document = json.loads(result.stdout)

    assert (result.exit_code, result.stderr) == (0, "")
    assert {check["environment"] for check in document["checks"]} == {None, "dev"}
    assert document["healthy"] is True


def test_without_credentials_the_real_app_ends_with_4(tmp_path, monkeypatch) -> None:
    (tmp_path / "manuel-release.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, ["doctor", "--output", "json"])

    levels = {
        check["title"]: check["level"] for check in json.loads(result.stdout)["checks"] if not check["environment"]
    }
    assert levels["Credentials"] == "error"
    assert (levels["Settings"], levels["Bootstrap"], levels["Clock"]) == ("ok", "skipped", "skipped")


def test_wrong_settings_are_a_result_and_end_with_4(tmp_path, monkeypatch) -> None:
    (tmp_path / "manuel-release.toml").write_text("regon = 1", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, ["doctor"])

    assert result.exit_code == 4
    assert "regon = 1 is not a setting" in result.stdout


def test_an_unknown_environment_is_wrong_usage(patient) -> None:
    result = doctor(patient, "--env", "mars")

    assert (result.exit_code, result.stdout) == (2, "")
