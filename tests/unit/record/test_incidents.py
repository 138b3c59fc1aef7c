"""Incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.record.memory_table import MemoryTable

from manuel_release.errors import ReleaseError
from manuel_release.model.entry import Incident
from manuel_release.record import Ledger, incident_id
from manuel_release.record.incidents import WRITE_ATTEMPTS


@pytest.fixture
def incident(clock) -> Incident:
    return Incident(
        id="i-20261123-1200-1f3a",
        environment="production",
        api_stage="v1",
        release="r-13",
        to_release="r-12",
        trigger="manuel-prod-r-13-5xx",
        reason="5xx > 5 in 5 min",
        by="guard",
        started_at=clock.now,
    )


def test_ids_sort_by_time_and_differ(clock) -> None:
    first = incident_id(clock.now)

    assert first.startswith("i-20261123-1200-")
    assert len({incident_id(clock.now) for _ in range(20)}) > 1
    assert first < incident_id(clock.now + timedelta(minutes=1))


def test_an_incident_is_found_by_its_id_alone(ledger, incident) -> None:
    assert ledger.incident(incident.id) is None

    ledger.put_incident(replace(incident, environment="prod"))

    assert ledger.incident(incident.id) == incident


def test_incidents_of_an_environment_or_of_all_come_newest_first(ledger, clock, incident) -> None:
    later = replace(incident, id="i-0", started_at=clock.now + timedelta(hours=1))
    elsewhere = replace(incident, id="i-1", environment="staging", started_at=clock.now + timedelta(minutes=1))
    for each in (incident, later, elsewhere):
        ledger.put_incident(each)

    assert ledger.incidents("prod") == (later, incident)
    assert ledger.incidents() == (later, elsewhere, incident)
    assert ledger.incidents("dev") == ()


def test_what_is_written_later_completes_what_was_known(ledger, clock, incident) -> None:
    ledger.put_incident(incident)
    clock.forward(60)
    ended = replace(
        incident,
        started_at=clock.now,
        ended_at=clock.now,
        receipt={"api_calls_before_restored": 2, "steps": ({"name": "Flush the cache", "seconds": 0.25},)},
    )

    whole = ledger.put_incident(ended)

    assert whole.started_at == incident.started_at
    found = ledger.incident(incident.id)
    assert (found.ended_at, found.receipt["api_calls_before_restored"]) == (clock.now, 2)
    assert found.receipt["steps"] == [{"name": "Flush the cache", "seconds": 0.25}]


def test_a_writer_who_comes_late_takes_nothing_away(ledger, clock, incident) -> None:
    ledger.put_incident(replace(incident, ended_at=clock.now, receipt={"to": "r-12"}, notes=("a", "b")))

    ledger.put_incident(replace(incident, notes=("b", "c")))

    found = ledger.incident(incident.id)
    assert (found.ended_at, found.receipt, found.notes) == (clock.now, {"to": "r-12"}, ("a", "b", "c"))


def test_a_note_says_who_and_when(ledger, clock, incident) -> None:
    ledger.put_incident(incident)
    clock.forward(600)

    ledger.note(incident.id, "jane", "the pool was exhausted")

    assert ledger.incident(incident.id).notes == ("2026-11-23 12:10 UTC, jane: the pool was exhausted",)
    assert ledger.note("i-unknown", "jane", "hello") is None


class BusyTable(MemoryTable):
    """Somebody else writes a note just before each of the next writes."""

    def __init__(self, rivals: int) -> None:
        super().__init__()
        self.rivals = rivals

    def replace_if(self, item, token):
        if self.rivals:
            self.rivals -= 1
            there = self.get(item["environment"], item["entry"])
            more = {**there, "notes": [*there["notes"], f"rival {self.rivals}"], "token": f"rival {self.rivals}"}
            super().replace_if(more, there["token"])
        return super().replace_if(item, token)


def test_two_who_write_at_the_same_time_both_find_their_words(clock, incident) -> None:
    ledger = Ledger(BusyTable(1), clock)
    ledger.put_incident(incident)

    ledger.put_incident(replace(incident, notes=("mine",)))

    assert ledger.incident(incident.id).notes == ("rival 0", "mine")


def test_an_incident_that_others_write_all_the_time_ends_in_an_error(clock, incident) -> None:
    ledger = Ledger(BusyTable(10_000), clock)
    ledger.put_incident(incident)

    with pytest.raises(ReleaseError, match=f"others wrote it {WRITE_ATTEMPTS} times"):
        ledger.put_incident(replace(incident, notes=("mine",)))
