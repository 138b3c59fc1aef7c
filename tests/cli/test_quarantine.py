"""`manuel-release quarantine`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cli.conftest import NOW

from manuel_release.model.entry import EntryKind, Quarantine

CODE = "c0de" * 16
NEAR = "c0de" * 3 + "ff" * 26


@pytest.fixture
def held(shell, ledger):
    shell.ledger = ledger
    ledger.quarantine(Quarantine(CODE, "r-13", "production", "jane (jane@laptop)", "wrong prices", NOW))
    return shell


def test_what_is_in_quarantine_is_listed_wherever_it_failed(held):
    text = held("quarantine", "list", "--env", "dev").stdout

    assert text.splitlines()[1].split()[:3] == ["c0dec0dec0de", "r-13", "production"]
    assert "wrong prices" in text
    assert json.loads(held("quarantine", "list", "--output", "json").stdout)["quarantines"] == [
        {
            "code_digest": CODE,
            "release": "r-13",
            "environment": "production",
            "by": "jane (jane@laptop)",
            "reason": "wrong prices",
            "since": "2026-03-02T14:00:00Z",
        }
    ]


def test_nothing_in_quarantine_is_no_error(shell, ledger):
    shell.ledger = ledger

    assert shell("quarantine", "list").stdout == "Nothing is in quarantine.\n"


def test_it_is_lifted_by_the_first_digits_with_a_reason(held, ledger):
    result = held("quarantine", "lift", "C0DEC0DE", "--reason", "it was the network")

    assert result.exit_code == 0
    assert "c0dec0dec0de may be released again" in result.stdout
    assert ledger.quarantined(CODE) is None
    written = {entry.kind: entry.reason for entry in ledger.entries("production")}
    assert written[EntryKind.QUARANTINE_LIFTED] == "it was the network"


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("c0de", "too short"),
        ("deadbeef", "no code that begins with deadbeef"),
        ("c0dec0dec0de", "2 digests begin with c0dec0dec0de"),
    ],
)
def test_digits_that_name_none_or_several_lift_nothing(held, ledger, digits, why):
    ledger.quarantine(Quarantine(NEAR, "r-14", "dev", "jane", "slow", NOW - timedelta(hours=1)))
    result = held("quarantine", "lift", digits, "--reason", "it was the network")

    assert result.exit_code == 2
    assert why in result.stderr
    assert len(ledger.quarantines()) == 2


def test_without_a_reason_or_in_a_dry_run_nothing_is_lifted(held, ledger):
    assert held("quarantine", "lift", CODE).exit_code == 2
    dry = held("quarantine", "lift", CODE, "--reason", "it was the network", "--dry-run", "--output", "json")

    assert (dry.exit_code, json.loads(dry.stdout)["changed"]) == (0, False)
    assert ledger.quarantined(CODE) is not None
