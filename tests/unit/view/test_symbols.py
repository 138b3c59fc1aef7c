"""Every status has a symbol, a word and a colour."""

from __future__ import annotations

import pytest

from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.release import ReleaseState
from manuel_release.model.stack import Action, Stack
from manuel_release.model.status import Condition
from manuel_release.view import symbols

TABLES = [
    (symbols.RELEASE, ReleaseState),
    (symbols.ACTION, Action),
    (symbols.OUTCOME, OutcomeStatus),
    (symbols.CONDITION, Condition),
]


@pytest.mark.parametrize(("table", "kind"), TABLES)
def test_no_status_is_without_a_mark(table, kind):
    assert set(table) == set(kind)


@pytest.mark.parametrize(("table", "kind"), TABLES)
def test_every_status_has_a_word_of_its_own_so_that_colour_is_never_needed(table, kind):
    words = [mark.word for mark in table.values()]

    assert all(words)
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("table", "kind"), TABLES)
def test_every_symbol_is_one_column_wide_and_has_a_stand_in(table, kind):
    for mark in table.values():
        assert len(mark.symbol) == 1
        assert len(mark.ascii) == 1
        assert mark.ascii.isascii()


@pytest.mark.parametrize(
    ("status", "colour"),
    [
        ("UPDATE_COMPLETE", "green"),
        ("CREATE_COMPLETE", "green"),
        ("UPDATE_IN_PROGRESS", "cyan"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "cyan"),
        ("UPDATE_ROLLBACK_COMPLETE", "red"),
        ("CREATE_FAILED", "red"),
        ("REVIEW_IN_PROGRESS", "bright_black"),
    ],
)
def test_a_stack_is_shown_in_cloudformations_own_word(status, colour):
    mark = symbols.stack(Stack("manuel-dev", "arn", status))

    assert (mark.word, mark.colour) == (status, colour)


def test_words_that_are_new_to_us_are_shown_as_they_are():
    assert symbols.alarm("NEW_STATE").text(ascii_only=False) == "• NEW_STATE"
    assert symbols.step("postponed").text(ascii_only=True) == "- postponed"


def test_a_failed_step_and_a_ringing_alarm_are_red():
    assert symbols.step("failed").colour == symbols.alarm("ALARM").colour == "red"
