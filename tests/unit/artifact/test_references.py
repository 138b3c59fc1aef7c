"""Values from SSM: pinned for the plan, revealed for the change set, and a secret is never told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from manuel_release.artifact import references
from manuel_release.errors import UsageError
from manuel_release.model.parameter import StoredValue

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "hunter2-secret"
STORED = {
    "/manuel/key": StoredValue("/manuel/key", 4, secret=True, value=SECRET),
    "/manuel/percent": StoredValue("/manuel/percent", 2, secret=False, value="10"),
    "/manuel/percent:1": StoredValue("/manuel/percent", 1, secret=False, value="500"),
    "/manuel/nested": StoredValue("/manuel/nested", 1, secret=False, value="ssm:/manuel/key"),
}
TEMPLATE = {
    "Parameters": {
        "Environment": {"Type": "String", "Default": "dev"},
        "ApiVersionStage": {"Type": "String", "Default": "v1"},
        "Key": {"Type": "String", "NoEcho": True, "MinLength": 8, "Default": ""},
        "Open": {"Type": "String", "Default": ""},
        "Percent": {"Type": "Number", "MaxValue": 100, "Default": 0},
    },
    "Resources": {},
}


def pinned(**values: str) -> Mapping[str, str]:
    return references.pinned(TEMPLATE, values, STORED.get, "p.json")


def test_references_are_pinned_to_the_version_of_now() -> None:
    assert pinned(Key="ssm:/manuel/key", Percent="ssm:/manuel/percent", Environment="dev") == {
        "Key": "ssm:/manuel/key:4",
        "Percent": "ssm:/manuel/percent:2",
        "Environment": "dev",
    }


def test_a_version_that_the_file_names_is_the_one_that_is_checked() -> None:
    with pytest.raises(UsageError, match="Percent must be at most 100, '500' is more"):
        pinned(Percent="ssm:/manuel/percent:1")


def test_without_references_ssm_is_not_asked() -> None:
    def never(name: str) -> StoredValue | None:
        raise AssertionError(name)

    values = {"Environment": "dev", "Percent": "10"}
    assert references.pinned(TEMPLATE, values, never, "p.json") == values
    assert references.revealed(values, never) == values


def test_a_secret_needs_a_parameter_that_the_template_hides() -> None:
    with pytest.raises(UsageError) as raised:
        pinned(Open="ssm:/manuel/key")

    assert "Open is a secret in SSM (/manuel/key is a SecureString)" in raised.value.message
    assert "NoEcho: true" in raised.value.message
    assert SECRET not in raised.value.message


def test_a_secret_that_does_not_fit_is_refused_without_being_told() -> None:
    strict = {"Parameters": {"Key": {"Type": "String", "NoEcho": "true", "AllowedPattern": "[0-9]+"}}, "Resources": {}}

    with pytest.raises(UsageError, match="Key must match") as raised:
        references.pinned(strict, {"Key": "ssm:/manuel/key"}, STORED.get, "p.json")

    assert SECRET not in raised.value.message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        pinned(
            ApiVersionStage="ssm:/manuel/stage",
            Key="ssm:key",
            Open="ssm:/manuel/key",
            Percent="101",
            Opne="x",
        )

    assert raised.value.message.count("\n  - ") == 7
    for text in (
        "Key is 'ssm:key', which names no SSM parameter",
        "Key must have at least 8 characters",
        "ApiVersionStage must stand in the file itself",
        "ApiVersionStage comes from the SSM parameter /manuel/stage, which does not exist here",
        "Open is a secret in SSM",
        "Percent must be at most 100",
        "Opne is not a parameter of the template (is Open meant?)",
    ):
        assert text in raised.value.message


@pytest.mark.parametrize("name", ["Environment", "ApiVersionStage"])
def test_what_the_tool_decides_by_stands_in_the_file(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must stand in the file itself"):
        pinned(**{name: "ssm:/manuel/percent"})


def test_the_change_set_gets_the_values_and_nothing_is_resolved_twice() -> None:
    values = {"Key": "ssm:/manuel/key", "Percent": "ssm:/manuel/percent:1", "Open": "ssm:/manuel/nested", "Name": "x"}

    assert references.revealed(values, STORED.get) == {
        "Key": SECRET,
        "Percent": "500",
        "Open": "ssm:/manuel/key",
        "Name": "x",
    }


@pytest.mark.parametrize("resolve", [references.revealed, references.shown])
def test_a_version_that_was_deleted_meanwhile_is_named(resolve) -> None:
    with pytest.raises(UsageError, match="Key comes from the SSM parameter /manuel/key:9, which does not"):
        resolve({"Key": "ssm:/manuel/key:9"}, STORED.get)


def test_values_that_are_no_secret_can_be_shown() -> None:
    assert references.shown({"Percent": "ssm:/manuel/percent", "A": "b"}, STORED.get) == {"Percent": "10", "A": "b"}


def test_a_secret_is_not_shown() -> None:
    with pytest.raises(UsageError, match="Key: a secret in SSM is never shown") as raised:
        references.shown({"Key": "ssm:/manuel/key", "Percent": "ssm:/manuel/percent"}, STORED.get)

    assert SECRET not in raised.value.message + raised.value.hint
