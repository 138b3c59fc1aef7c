"""The checks of template, parameter files, and what those leave to SSM."""

from __future__ import annotations

import json

import pytest
from unit.doctor.patient import only

from manuel_release.doctor.files import parameter_file, template_file, values_in_ssm
from manuel_release.errors import UsageError
from manuel_release.model.check import Level
from manuel_release.model.parameter import StoredValue

SECRET = "hunter2-secret"


def dev(patient):
    return patient.settings.environment("dev")


def write(patient, values):
    (patient.folder / "parameters-dev.json").write_text(json.dumps(values))


def test_a_template_that_can_be_read_is_counted(patient) -> None:
    check = only(template_file(patient.app))

    assert (check.level, check.message) == (Level.OK, "template.yaml: 1 resource, 3 parameters")


def test_a_template_that_cannot_be_read_is_an_error_of_the_files(patient) -> None:
    (patient.folder / "template.yaml").write_text("Resources: [")
    check = only(template_file(patient.app))

    assert (check.level, check.access) == (Level.ERROR, False)
    assert "not valid YAML" in check.message
    assert list(parameter_file(patient.app, dev(patient))) == []


def test_outside_of_a_clone_there_is_nothing_to_read(patient) -> None:
    (patient.folder / "template.yaml").unlink()

    assert only(template_file(patient.app)).level is Level.SKIPPED
    assert list(parameter_file(patient.app, dev(patient))) == []
    assert list(values_in_ssm(patient.app, dev(patient))) == []


def test_a_parameter_file_that_fits_is_fine(patient) -> None:
    check = only(parameter_file(patient.app, dev(patient)))

    assert (check.level, check.message) == (Level.OK, "parameters-dev.json fits the template")


def test_every_complaint_about_a_parameter_file_is_told(patient) -> None:
    write(patient, {"Environment": "prod", "Percent": "101", "Percnt": "1", "Key": "ssm:key"})
    check = only(parameter_file(patient.app, dev(patient)))

    assert check.level is Level.ERROR
    assert check.message.splitlines() == [
        "parameters-dev.json does not fit the template:",
        "Key is 'ssm:key', which names no SSM parameter: write ssm:/path or ssm:/path:3.",
        "Percnt is not a parameter of the template (is Percent meant?).",
        "Percent must be at most 100, '101' is more.",
        "Environment is 'prod', and this file is for 'dev'.",
    ]


def test_values_in_ssm_are_told_by_name_and_version_and_never_themselves(patient) -> None:
    write(patient, {"Environment": "dev", "Key": "ssm:/manuel/key"})
    patient.aws.parameters.stored["/manuel/key"] = StoredValue("/manuel/key", 4, secret=True, value=SECRET)
    check = only(values_in_ssm(patient.app, dev(patient)))

    assert (check.level, check.message) == (Level.OK, "Key is ssm:/manuel/key:4")


def test_a_file_that_leaves_nothing_to_ssm_has_no_such_check(patient) -> None:
    assert list(values_in_ssm(patient.app, dev(patient))) == []


def test_a_value_that_ssm_does_not_have_is_raised_with_its_name(patient) -> None:
    write(patient, {"Environment": "dev", "Key": "ssm:/manuel/key"})

    with pytest.raises(UsageError, match="Key comes from the SSM parameter /manuel/key, which does not exist here"):
        list(values_in_ssm(patient.app, dev(patient)))


@pytest.mark.parametrize("content", ["{", '{"Environment": "mars", "Key": "ssm:/manuel/key"}'])
def test_ssm_is_not_asked_for_a_file_that_is_wrong_already(patient, content) -> None:
    (patient.folder / "parameters-dev.json").write_text(content)

    assert list(values_in_ssm(patient.app, dev(patient))) == []
