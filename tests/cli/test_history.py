"""`manuel-release history`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from manuel_release.model.entry import Entry, EntryKind

START = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)


def entry(environment, release, hours, kind, **details):
    at = START + timedelta(hours=hours)
    return Entry(f"{at:%H}{release}", environment, "v1", at, kind, release, "alice (alice@laptop)", "why", details)


@pytest.fixture
def known(shell):
    shell.ledger.known = (
        entry("dev", "r-1", 0, EntryKind.DEPLOY_STARTED, commit="aaaaaaaaaaaa"),
        entry("dev", "r-1", 1, EntryKind.RELEASE_LIVE),
        entry("production", "r-1", 2, EntryKind.DEPLOY_STARTED, commit="aaaaaaaaaaaa"),
        entry("production", "r-1", 3, EntryKind.RELEASE_STAGED),
        entry("dev", "r-2", 4, EntryKind.DEPLOY_STARTED, commit="bbbbbbbbbbbb"),
        entry("dev", "r-2", 5, EntryKind.DEPLOY_FAILED, step="Smoke test", message="HTTP 500"),
    )
    return shell


def test_releases_of_all_environments_come_newest_first(known):
    result = known("history", "--output", "json")

    assert [(one["environment"], one["release"], one["state"]) for one in json.loads(result.stdout)["releases"]] == [
        ("dev", "r-2", "failed"),
        ("production", "r-1", "staged"),
        ("dev", "r-1", "live"),
    ]


def test_env_shows_its_releases_only_and_no_column_for_it(known):
    text = known("history", "--env", "dev").stdout

    assert "ENVIRONMENT" not in text
    assert [line.split()[0] for line in text.splitlines()] == ["RELEASE", "r-2", "HTTP", "r-1"]


def test_several_environments_have_a_column(known):
    assert known("history").stdout.split()[0] == "ENVIRONMENT"


def test_a_failure_is_told_in_its_own_words(known):
    assert "HTTP 500" in known("history").stdout


def test_limit_shows_the_newest_and_says_how_many_are_left(known):
    limited = known("history", "--limit", "1")

    assert "r-2" in limited.stdout
    assert "and 2 older: --limit shows more" in limited.stdout
    assert len(json.loads(known("history", "--limit", "1", "--output", "json").stdout)["releases"]) == 1
    assert "older" not in known("history").stdout


def test_no_release_is_no_error(shell):
    result = shell("history")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "No release yet.\n", "")
    assert json.loads(shell("history", "--output", "json").stdout) == {"schema_version": 1, "releases": []}


def test_a_canary_that_was_rolled_back_is_told_with_its_shares_and_its_incident(shell):
    shell.ledger.known = (
        entry("production", "r-1", 0, EntryKind.RELEASE_LIVE),
        entry("production", "r-2", 1, EntryKind.CANARY_STARTED, percent=10, stable="r-1"),
        entry("production", "r-2", 2, EntryKind.CANARY_PROMOTED, percent=50, override="the fair begins"),
        entry("production", "r-2", 3, EntryKind.ROLLBACK_STARTED, to="r-1", incident="i-20260301-1200-1f3a"),
    )

    canary, stable = json.loads(shell("history", "--output", "json").stdout)["releases"]

    assert (canary["state"], stable["state"]) == ("rolled_back", "live")
    assert [(step["percent"], step["override"]) for step in canary["canary_steps"]] == [
        (10.0, ""),
        (50.0, "the fair begins"),
    ]
    assert [(one["to_release"], one["finished"]) for one in canary["rollbacks"]] == [("r-1", False)]
    text = shell("history").stdout
    assert "verdict overridden at 50 % by alice: the fair begins" in text
    assert "(not finished: manuel-release rollback --env production, i-20260301-1200-1f3a)" in text
