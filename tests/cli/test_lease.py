"""`manuel-release lease`."""

from __future__ import annotations

import json

import pytest
from cli.conftest import NOW

from manuel_release.errors import Refused

TAKE = ("lease", "take", "--env", "production", "--reason", "her laptop died")


@pytest.fixture
def held(shell, ledger):
    shell.ledger = ledger
    shell.janes = ledger.acquire("production", "v1", "jane (jane@laptop)", "deploy r-13", 900, "t")
    return shell


def test_who_changes_what_is_shown_with_why_and_how_to_take_it_over(held):
    text = held("lease", "show").stdout

    assert "production (v1) is being changed" in text
    for told in ("jane (jane@laptop)", "deploy r-13", "2026-03-02 14:15:00 UTC, in 15 min"):
        assert told in text
    assert 'manuel-release lease take --env production --reason "WHY"' in text
    assert "Nobody is changing dev, staging." in text


def test_the_document_has_no_token(held):
    document = json.loads(held("lease", "show", "--env", "production", "--output", "json").stdout)

    assert document["leases"] == [
        {
            "environment": "production",
            "api_stage": "v1",
            "holder": "jane (jane@laptop)",
            "reason": "deploy r-13",
            "taken_at": "2026-03-02T14:00:00Z",
            "expires_at": "2026-03-02T14:15:00Z",
        }
    ]


def test_it_is_taken_from_its_holder_who_is_refused_from_then_on(held, ledger):
    result = held(*TAKE, "--yes")

    assert result.exit_code == 0
    assert "The lease on production (v1) was taken from jane (jane@laptop)" in result.stdout
    with pytest.raises(Refused, match="her laptop died"):
        ledger.renew(held.janes, 900)
    (entry,) = ledger.entries("production")
    assert (entry.reason, entry.details["holder"]) == ("her laptop died", "jane (jane@laptop)")


def test_the_next_command_of_the_new_holder_gets_it(held, ledger):
    taken = json.loads(held(*TAKE, "--yes", "--output", "json").stdout)

    assert (taken["changed"], taken["previous_lease"]["holder"]) == (True, "jane (jane@laptop)")
    assert ledger.acquire("production", "v1", taken["lease"]["holder"], "deploy r-14", 900, "u").token == "u"


def test_without_a_yes_nothing_is_taken_where_nobody_can_be_asked(held, ledger):
    result = held(*TAKE)

    assert result.exit_code == 2
    assert "Take the lease on production (v1) from jane (jane@laptop)?" in result.stderr
    assert ledger.lease("production", "v1") == held.janes


def test_a_dry_run_takes_nothing(held, ledger):
    result = held(*TAKE, "--dry-run")

    assert (result.exit_code, ledger.lease("production", "v1")) == (0, held.janes)
    assert "is held by jane (jane@laptop)" in result.stdout


def test_without_a_reason_nothing_is_taken(held, ledger):
    result = held("lease", "take", "--env", "production", "--yes")

    assert (result.exit_code, ledger.lease("production", "v1")) == (2, held.janes)


def test_a_lease_that_nobody_has_is_reserved_for_so_long(shell, ledger):
    shell.ledger = ledger
    assert shell(*TAKE).exit_code == 2  # nothing was ever changed there: which API stage is not known

    result = shell(*TAKE, "--api-stage", "v2", "--for", "1h")

    assert result.exit_code == 0
    lease = ledger.lease("production", "v2")
    assert ((lease.expires_at - NOW).total_seconds(), lease.reason) == (3600, "her laptop died")
    assert "reserved for the next command of" in result.stdout


def test_with_leases_on_several_api_stages_one_has_to_be_named(held, ledger):
    ledger.acquire("production", "v2", "bob", "deploy", 900, "u")
    result = held(*TAKE, "--yes")

    assert (result.exit_code, ledger.lease("production", "v1")) == (2, held.janes)
    assert "leases are held on v1, v2" in result.stderr
    assert held(*TAKE, "--yes", "--api-stage", "v2").exit_code == 0
    assert ledger.lease("production", "v2").reason == "her laptop died"
