"""`manuel-release status`."""

from __future__ import annotations

import json

from manuel_release.errors import SettingsError


def test_every_environment_is_shown_in_the_order_of_a_release(shell):
    result = shell("status")

    assert (result.exit_code, result.stderr) == (0, "")
    assert [line for line in result.stdout.splitlines() if not line.startswith(" ") and line] == [
        "• dev: nothing deployed",
        "• staging: nothing deployed",
        "• production: nothing deployed",
    ]


def test_env_shows_that_one(shell):
    document = json.loads(shell("status", "--env", "prod", "--output", "json").stdout)

    assert [(one["name"], one["stack"]) for one in document["environments"]] == [("production", "manuel-prod")]


def test_json_is_one_document_with_the_documented_keys(shell):
    result = shell("--output", "json", "status")

    document = json.loads(result.stdout)
    assert document["schema_version"] == 1
    assert [one["name"] for one in document["environments"]] == ["dev", "staging", "production"]
    assert {
        "name",
        "stack",
        "stack_status",
        "live_release",
        "pinned_release",
        "canary",
        "alarms",
        "lease",
        "freeze",
        "pending_approvals",
    } <= set(document["environments"][0])


def test_without_a_ledger_what_aws_knows_is_shown_all_the_same(shell):
    shell.ledger = SettingsError("this account has no ledger", hint="Run `manuel-release bootstrap`.")
    result = shell("status", "--env", "dev")

    assert result.exit_code == 0
    assert result.stderr == "Warning: this account has no ledger. Run `manuel-release bootstrap`.\n"
    assert "the ledger cannot be read" in result.stdout
