"""Freezes and quarantines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from manuel_release.errors import ReleaseError
from manuel_release.model.entry import SCHEMA_VERSION, EntryKind, Freeze, Quarantine

CODE = "c0de" * 16
OTHER = "0ff1" * 16


@pytest.fixture
def freeze(clock) -> Freeze:
    return Freeze("production", "jane", "Black Friday", clock.now)


@pytest.fixture
def quarantine(clock) -> Quarantine:
    return Quarantine(CODE, "r-13", "production", "guard", "5xx > 5 in 5 min", clock.now)


def kinds(ledger, environment: str) -> list[EntryKind]:
    return [entry.kind for entry in ledger.entries(environment)]


def test_a_freeze_holds_until_it_is_lifted(ledger, clock, freeze) -> None:
    assert ledger.frozen("production") is None

    ledger.freeze(freeze)
    clock.forward(1_000_000)

    assert ledger.frozen("prod") == freeze
    assert ledger.frozen("staging") is None
    assert ledger.unfreeze("prod", "john", "it is over") == freeze
    assert ledger.frozen("production") is None


def test_a_freeze_with_an_end_ends_by_itself(ledger, clock, freeze) -> None:
    ledger.freeze(replace(freeze, environment="prod", until=clock.now + timedelta(hours=1)))
    clock.forward(3599)
    assert ledger.frozen("production").until == clock.now + timedelta(seconds=1)

    clock.forward(1)

    assert ledger.frozen("production") is None
    assert ledger.unfreeze("production", "john", "it is over") is None


def test_the_last_freeze_counts(ledger, clock, freeze) -> None:
    ledger.freeze(replace(freeze, until=clock.now + timedelta(hours=1)))
    clock.forward(1)
    longer = replace(freeze, by="john", reason="Cyber Monday", since=clock.now)
    ledger.freeze(longer)

    assert ledger.frozen("production") == longer


def test_who_froze_and_who_lifted_it_is_in_the_journal_once(ledger, clock, freeze) -> None:
    until = clock.now + timedelta(hours=1)
    for _ in range(2):
        ledger.freeze(replace(freeze, until=until))
    clock.forward(1)
    for _ in range(2):
        ledger.unfreeze("production", "john", "it is over")

    on, off = ledger.entries("production")

    assert (on.kind, on.by, on.reason, on.at) == (EntryKind.FROZEN, "jane", "Black Friday", freeze.since)
    assert on.details["until"] == f"{until:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert (off.kind, off.by, off.reason, off.at) == (EntryKind.UNFROZEN, "john", "it is over", clock.now)


def test_code_in_quarantine_is_known_in_every_environment_until_it_is_lifted(ledger, quarantine) -> None:
    assert ledger.quarantined(CODE) is None

    assert ledger.quarantine(quarantine) == quarantine

    assert ledger.quarantined(CODE) == quarantine
    assert (ledger.quarantined(OTHER), ledger.quarantined("")) == (None, None)
    assert ledger.lift(CODE, "jane", "the cause was the network") == quarantine
    assert ledger.quarantined(CODE) is None
    assert ledger.lift(CODE, "jane", "again") is None


def test_the_first_to_quarantine_code_is_the_one_who_is_named(ledger, clock, quarantine) -> None:
    ledger.quarantine(quarantine)
    clock.forward(60)

    again = ledger.quarantine(replace(quarantine, environment="prod", by="jane", since=clock.now))

    assert again == ledger.quarantined(CODE) == quarantine
    assert kinds(ledger, "production") == [EntryKind.QUARANTINED]


def test_what_is_in_quarantine_comes_newest_first(ledger, clock, quarantine) -> None:
    ledger.quarantine(quarantine)
    clock.forward(60)
    newer = replace(quarantine, code_digest=OTHER, environment="staging", since=clock.now)
    ledger.quarantine(newer)

    assert ledger.quarantines() == (newer, quarantine)


def test_a_quarantine_is_written_down_with_its_release_and_the_stage_that_this_was_for(
    ledger, clock, quarantine
) -> None:
    ledger.reserve("production", "v2", "jane", clock.now)
    ledger.quarantine(replace(quarantine, release="r-1"))
    clock.forward(60)
    ledger.lift(CODE, "jane", "the cause was the network")

    on, off = ledger.entries("production", "v2")

    assert (on.kind, on.release, on.by, on.reason) == (EntryKind.QUARANTINED, "r-1", "guard", "5xx > 5 in 5 min")
    assert (off.kind, off.by, off.reason) == (EntryKind.QUARANTINE_LIFTED, "jane", "the cause was the network")
    assert on.details["code_digest"] == off.details["code_digest"] == CODE


def test_what_a_newer_version_of_the_tool_stopped_says_to_update(ledger, table, freeze) -> None:
    ledger.freeze(freeze)
    item = table.get("production", "freeze")
    table.replace_if({**item, "schema_version": SCHEMA_VERSION + 1}, item["token"])

    with pytest.raises(ReleaseError, match="cannot read freeze of production: its schema version is 2"):
        ledger.frozen("production")
