"""`manuel-release incident`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cli.conftest import NOW

from manuel_release.model.entry import Incident

BEGUN = NOW - timedelta(hours=3)
ONE = Incident(
    id="i-20260302-1100-1f3a",
    environment="production",
    api_stage="v1",
    release="r-13",
    to_release="r-12",
    trigger="manuel-prod-r-13-server-errors",
    reason="5xx > 5 in 5 min",
    by="guard",
    started_at=BEGUN,
    ended_at=BEGUN + timedelta(seconds=65),
    receipt={
        "seconds_to_traffic_restored": 0.84,
        "seconds_to_last_bad_response": 2.0,
        "steps": [
            {"name": "Flush the stage's cache", "status": "done", "seconds": 0.2, "detail": "flushed"},
            {"name": "Tell people", "status": "failed", "seconds": 1.0, "detail": "no topic"},
        ],
        "left": ["tell people"],
        "undo_command": "manuel-release rollback --env production --to r-13 --yes",
    },
)


@pytest.fixture
def known(shell, ledger):
    shell.ledger = ledger
    ledger.put_incident(ONE)
    ledger.put_incident(
        replace(ONE, id="i-20260302-1300-2b2b", environment="dev", started_at=NOW - timedelta(hours=1), ended_at=None)
    )
    return shell


def test_incidents_are_listed_newest_first(known):
    lines = known("incident", "list").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["INCIDENT", "i-20260302-1300-2b2b", "i-20260302-1100-1f3a"]
    assert "not finished" in lines[1]
    for told in ("r-13 -> r-12", "3 h ago", "1 min 5 s", "manuel-prod-r-13-server-errors", "5xx > 5 in 5 min"):
        assert told in lines[2]


def test_env_shows_its_own_and_limit_the_newest(known):
    named = json.loads(known("incident", "list", "--env", "prod", "--output", "json").stdout)["incidents"]
    limited = known("incident", "list", "--limit", "1").stdout

    assert [(one["incident_id"], one["seconds"]) for one in named] == [(ONE.id, 65.0)]
    assert "receipt" not in named[0]
    assert ONE.id not in limited
    assert "and 1 older: --limit shows more" in limited


def test_no_incident_is_no_error(shell, ledger):
    shell.ledger = ledger

    assert shell("incident", "list").stdout == "No incident.\n"


def test_one_is_shown_with_its_receipt(known):
    text = known("incident", "show", ONE.id).stdout

    for told in (
        f"{ONE.id}: r-13 was taken back in production",
        "after 0.8 s",
        "✔ Flush the stage's cache (0.2 s): flushed",
        "✖ Tell people (1.0 s): no topic",
        "manuel-release rollback --env production --to r-13 --yes",
        f'manuel-release incident note {ONE.id} "WHAT WAS LEARNT"',
    ):
        assert told in text
    document = json.loads(known("incident", "show", ONE.id, "--output", "json").stdout)
    assert document["receipt"]["seconds_to_traffic_restored"] == 0.84
    assert (document["trigger"], document["ended_at"]) == (ONE.trigger, "2026-03-02T11:01:05Z")


def test_one_that_is_not_finished_says_how_to_finish_it(known):
    text = known("incident", "show", "i-20260302-1300-2b2b").stdout

    assert "manuel-release rollback --env dev" in text
    assert "incident note" not in text


def test_what_was_learnt_is_added_with_who_and_when(known, ledger):
    for words in ("the pool was too small", "the alarm was late"):
        result = known("incident", "note", ONE.id, words)
        assert result.exit_code == 0

    notes = ledger.incident(ONE.id).notes
    assert [note.rpartition(": ")[2] for note in notes] == ["the pool was too small", "the alarm was late"]
    assert all(note.startswith("2026-03-02 14:00 UTC, ") for note in notes)
    assert "the pool was too small" in known("incident", "show", ONE.id).stdout


def test_a_dry_run_writes_no_note(known, ledger):
    assert known("incident", "note", ONE.id, "hello", "--dry-run").exit_code == 0

    assert ledger.incident(ONE.id).notes == ()


@pytest.mark.parametrize("arguments", [("show", "i-1"), ("note", "i-1", "hello"), ("note", ONE.id, " ")])
def test_an_unknown_incident_and_an_empty_note_are_said(known, arguments):
    result = known("incident", *arguments)

    assert result.exit_code == 2
    assert "Next: `manuel-release incident" in result.stderr
