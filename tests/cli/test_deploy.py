"""The options of `deploy` that need no AWS."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "option",
    [
        ("--no-build",),
        ("--artifact", "x"),
        ("--parameters", "x"),
        ("--details",),
        ("--override-shared", "why"),
        ("--dry-run",),
    ],
)
def test_attach_goes_with_nothing_that_changes_something(shell, option) -> None:
    ran = shell("deploy", "--env", "dev", "--attach", *option)

    assert ran.exit_code == 2
    assert f"so {option[0]} means nothing to it" in ran.stderr


def test_attach_goes_with_a_timeout_and_json(shell) -> None:
    ran = shell("deploy", "--env", "dev", "--attach", "--timeout", "1s", "--output", "json")

    assert ran.exit_code == 0
    assert '"message": "no deploy runs in dev"' in ran.stdout
    assert ran.stderr == ""


def test_a_reason_for_breaking_changes_must_be_one(shell) -> None:
    ran = shell("deploy", "--env", "dev", "--override-shared", "  ")

    assert ran.exit_code == 2
    assert "needs a reason" in ran.stderr
