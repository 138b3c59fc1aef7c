"""`manuel-release freeze`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cli.conftest import NOW

from manuel_release.model.entry import Freeze


@pytest.fixture
def frozen(shell, ledger):
    shell.ledger = ledger
    ledger.freeze(Freeze("production", "jane", "Black Friday", NOW - timedelta(hours=2)))
    return shell


def test_a_freeze_is_put_on_with_who_why_and_until_when(shell, ledger):
    shell.ledger = ledger
    result = shell("freeze", "on", "--env", "prod", "--for", "48h", "--reason", "Black Friday")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "production is frozen" in result.stdout
    assert "manuel-release freeze off --env production" in result.stdout
    freeze = ledger.frozen("production")
    assert (freeze.reason, freeze.until) == ("Black Friday", NOW + timedelta(hours=48))
    assert "ann" in freeze.by


def test_without_an_end_it_holds_until_it_is_lifted(shell, ledger):
    shell.ledger = ledger
    document = json.loads(
        shell("freeze", "on", "--env", "dev", "--reason", "inventory", "--output", "json").stdout,
    )

    assert ledger.frozen("dev").until is None
    assert document["freeze"]["until"] is None
    assert document["freeze"]["since"] == "2026-03-02T14:00:00Z"
    assert (document["environment"], document["changed"], document["previous_freeze"]) == ("dev", True, None)


def test_the_freeze_before_is_named(frozen):
    document = json.loads(
        frozen("freeze", "on", "--env", "production", "--reason", "Cyber Monday", "--output", "json").stdout
    )

    assert document["previous_freeze"]["reason"] == "Black Friday"
    assert document["freeze"]["reason"] == "Cyber Monday"


def test_it_is_lifted_with_a_reason(frozen, ledger):
    result = frozen("freeze", "off", "--env", "production", "--reason", "it is over")

    assert "production is not frozen any more" in result.stdout
    assert ledger.frozen("production") is None
    assert "it is over" in {entry.reason for entry in ledger.entries("production")}


def test_lifting_what_is_not_there_is_nothing_to_do(shell, ledger):
    shell.ledger = ledger
    result = shell("freeze", "off", "--env", "dev", "--reason", "it is over", "--output", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) | {"schema_version": 1} == {
        "schema_version": 1,
        "environment": "dev",
        "changed": False,
        "freeze": None,
        "previous_freeze": None,
    }
    assert "dev is not frozen: nothing to do" in shell("freeze", "off", "--env", "dev", "--reason", "it is over").stdout


@pytest.mark.parametrize("what", ["on", "off"])
def test_without_a_reason_nothing_is_done(frozen, ledger, what):
    result = frozen("freeze", what, "--env", "production")

    assert result.exit_code == 2
    assert '--reason "WHY"' in result.stderr
    assert ledger.frozen("production").reason == "Black Friday"


@pytest.mark.parametrize("what", ["on", "off"])
def test_a_dry_run_changes_nothing(frozen, ledger, what):
    result = frozen("freeze", what, "--env", "production", "--reason", "other", "--dry-run", "--output", "json")

    assert (result.exit_code, json.loads(result.stdout)["changed"]) == (0, False)
    assert ledger.frozen("production").reason == "Black Friday"
    assert "would" in frozen("freeze", what, "--env", "production", "--reason", "other", "--dry-run").stdout


def test_status_shows_it(frozen):
    assert "Black Friday; by jane, 2 h ago, until it is lifted" in frozen("status", "--env", "production").stdout
    (one,) = json.loads(frozen("status", "--env", "production", "--output", "json").stdout)["environments"]
    assert one["freeze"] == {
        "by": "jane",
        "reason": "Black Friday",
        "since": "2026-03-02T12:00:00Z",
        "until": None,
    }
