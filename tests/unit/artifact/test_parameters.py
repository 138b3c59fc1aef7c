"""Parameter files against the template: everything wrong is said at once, before anything is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from manuel_release.artifact import parameters
from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = {
    "Parameters": {
        "Environment": {"Type": "String", "AllowedValues": ["dev", "prod"], "Description": "Where."},
        "Percent": {"Type": "Number", "MinValue": 0, "MaxValue": 100, "Default": 0},
        "Memory": {"Type": "Number", "AllowedValues": [128, 256], "Default": 128},
        "Release": {"Type": "String", "AllowedPattern": "r-[0-9]+", "Default": "r-1"},
        "Name": {"Type": "String", "MinLength": 2, "MaxLength": 4, "Default": "ab"},
        "Ports": {"Type": "List<Number>", "Default": "80"},
        "Secret": {"Type": "String", "NoEcho": True, "MinLength": 8, "Default": "longenough"},
    },
    "Resources": {},
}


def complaints(**values: str) -> list[str]:
    return list(parameters.complaints(TEMPLATE, {"Environment": "dev", **values}))


def test_values_that_fit_raise_no_complaint() -> None:
    assert complaints(Percent="100", Memory="256", Release="r-12", Name="abcd", Ports="80, 443") == []


def test_every_mistake_is_said_at_once() -> None:
    found = parameters.complaints(TEMPLATE, {"Percent": "101", "Release": "13", "Percnt": "1"})

    assert found == [
        "Percnt is not a parameter of the template (is Percent meant?).",
        "Environment is missing: the template has no default for it (Where.)",
        "Percent must be at most 100, '101' is more.",
        "Release must match r-[0-9]+, '13' does not.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Environment", "staging", "Environment must be one of dev, prod, not 'staging'."),
        ("Percent", "-1", "Percent must be at least 0, '-1' is less."),
        ("Percent", "ten", "Percent must be a number, 'ten' is not."),
        ("Memory", "192", "Memory must be one of 128, 256, not '192'."),
        ("Release", "r-1x", "Release must match r-[0-9]+, 'r-1x' does not."),
        ("Name", "a", "Name must have at least 2 characters, 'a' has 1."),
        ("Name", "abcde", "Name must have at most 4 characters, 'abcde' has 5."),
        ("Ports", "80,x", "Ports must be a number, '80,x' is not."),
    ],
)
def test_each_rule_of_the_template_has_its_sentence(name: str, value: str, expected: str) -> None:
    assert complaints(**{name: value}) == [expected]


def test_a_secret_value_is_not_repeated_in_the_complaint() -> None:
    (found,) = complaints(Secret="hunter2")

    assert "hunter2" not in found
    assert "at least 8 characters" in found


def test_check_raises_with_all_complaints_and_the_name_of_the_file() -> None:
    with pytest.raises(UsageError) as caught:
        parameters.check(TEMPLATE, {"Environment": "x", "Percent": "-1"}, "parameters-dev.json")

    assert "parameters-dev.json" in caught.value.message
    assert caught.value.message.count("\n  - ") == 2


def test_numbers_booleans_and_null_become_the_text_that_cloudformation_takes(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"A": 1, "B": true, "C": null, "D": "x"}')

    assert parameters.load(path) == {"A": "1", "B": "true", "C": "", "D": "x"}


def test_every_form_of_a_file_is_loaded_alike(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    for form in ({"A": "b"}, {"Parameters": {"A": "b"}}, [{"ParameterKey": "A", "ParameterValue": "b"}]):
        path.write_text(json.dumps(form))

        assert parameters.load(path) == {"A": "b"}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(b"\xff\xfe")

    with pytest.raises(UsageError, match="not valid JSON"):
        parameters.load(tmp_path / "p.json")


def test_a_value_that_is_left_to_ssm_fits_and_is_still_no_missing_one() -> None:
    assert complaints(Percent="ssm:/manuel/percent", Secret="ssm:/manuel/secret:3") == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="parameters-none"):
        parameters.load(tmp_path / "parameters-none.json")
