"""`manuel-release parameters`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from unit.doctor.patient import Patient

from manuel_release.artifact.parameter_forms import Form
from manuel_release.cli import root
from manuel_release.cli.parameters import FORMS
from manuel_release.model.parameter import StoredValue

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-secret"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch) -> Patient:
    monkeypatch.chdir(tmp_path)
    made = Patient(tmp_path)
    made.aws.parameters.stored["/manuel/percent"] = StoredValue("/manuel/percent", 3, secret=False, value="10")
    made.aws.parameters.stored["/manuel/key"] = StoredValue("/manuel/key", 3, secret=True, value=SECRET)
    return made


def write(desk, data, name="parameters-dev.json"):
    (desk.folder / name).write_text(json.dumps(data))


def run(desk, *arguments):
    def build(options, screen):
        desk.options = options
        app = desk.app
        app.screen = screen
        return app

    return CliRunner().invoke(root, ["parameters", "--env", "dev", *arguments], obj=build)


def test_every_form_can_be_chosen() -> None:
    assert set(FORMS) == set(Form)


def test_the_configuration_of_codepipeline_is_what_is_printed(desk) -> None:
    write(desk, [{"ParameterKey": "Environment", "ParameterValue": "dev"}])
    result = run(desk)

    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {"Parameters": {"Environment": "dev"}}


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("flat", {"Environment": "dev", "Percent": "1"}),
        (
            "cli",
            [
                {"ParameterKey": "Environment", "ParameterValue": "dev"},
                {"ParameterKey": "Percent", "ParameterValue": "1"},
            ],
        ),
    ],
)
def test_another_form_loses_nothing_in_silence(desk, form, printed) -> None:
    write(desk, {"Parameters": {"Environment": "dev", "Percent": 1}, "Tags": {"team": "x"}, "StackPolicy": {"S": []}})
    result = run(desk, "--form", form)

    assert json.loads(result.stdout) == printed
    assert "Tags is left out" in result.stderr
    assert "StackPolicy is left out" in result.stderr


def test_json_wraps_the_document_and_has_a_version(desk) -> None:
    document = json.loads(run(desk, "--output", "json").stdout)

    assert document == {
        "schema_version": 1,
        "environment": "dev",
        "form": "codepipeline",
        "document": {"Parameters": {"Environment": "dev"}},
    }


def test_another_file_is_taken_instead_of_the_environments_own(desk) -> None:
    write(desk, {"Environment": "dev", "Percent": "7"}, "other.json")

    assert json.loads(run(desk, "--parameters", "other.json").stdout)["Parameters"]["Percent"] == "7"


def test_a_file_that_does_not_fit_is_not_printed(desk) -> None:
    write(desk, {"Environment": "mars", "Percent": "101"})
    for form in FORMS:
        result = run(desk, "--form", form)

        assert (result.exit_code, result.stdout) == (2, "")
        assert "Environment must be one of" in result.stderr
        assert "Percent must be at most 100" in result.stderr


def test_the_flat_form_keeps_what_is_left_to_ssm(desk) -> None:
    values = {"Environment": "dev", "Percent": "ssm:/manuel/percent", "Key": "ssm:/manuel/key"}
    write(desk, values)

    assert json.loads(run(desk, "--form", "flat").stdout) == values


@pytest.mark.parametrize("form", ["codepipeline", "cli"])
def test_values_from_ssm_are_filled_in_for_those_who_cannot_ask_it(desk, form) -> None:
    write(desk, {"Environment": "dev", "Percent": "ssm:/manuel/percent"})

    assert '"10"' in run(desk, "--form", form).stdout


@pytest.mark.parametrize("form", ["codepipeline", "cli"])
def test_a_secret_is_never_printed(desk, form) -> None:
    write(desk, {"Environment": "dev", "Key": "ssm:/manuel/key"})
    result = run(desk, "--form", form)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Key: a secret in SSM is never shown" in result.stderr
    assert "--form flat" in result.stderr
    assert SECRET not in result.output
