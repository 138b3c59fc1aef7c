"""An environment in one word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manuel_release.model.stack import Stack
from manuel_release.model.status import Condition, Difference
from manuel_release.model.traffic import Alarm, Canary


def stack(status):
    return Stack("manuel-dev", "arn", status)


RINGING = (Alarm("a", "arn", "ALARM"),)


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({}, Condition.HEALTHY),
        ({"alarms": RINGING}, Condition.ATTENTION),
        ({"note": "the ledger cannot be read"}, Condition.ATTENTION),
        ({"pinned_release": "r-1"}, Condition.ATTENTION),
        ({"serving_differs": (Difference("f", "live", "1", "2"),)}, Condition.ATTENTION),
        ({"found": stack("UPDATE_ROLLBACK_FAILED")}, Condition.ATTENTION),
        ({"found": stack("UPDATE_ROLLBACK_COMPLETE")}, Condition.HEALTHY),
        ({"found": stack("UPDATE_IN_PROGRESS")}, Condition.CHANGING),
        ({"found": stack("REVIEW_IN_PROGRESS")}, Condition.EMPTY),
        ({"found": None}, Condition.EMPTY),
        ({"canary": Canary(10.0, "r-2")}, Condition.WAITING),
        ({"pending_approvals": ("DevOps",)}, Condition.WAITING),
        ({"canary": Canary(10.0, "r-2"), "alarms": RINGING}, Condition.ATTENTION),
    ],
)
def test_the_condition_of_an_environment(healthy, change, condition):
    assert replace(healthy, **change).condition is condition


def test_a_staged_release_waits_for_a_person(healthy, releases):
    assert replace(healthy, waiting=releases[1]).condition is Condition.WAITING


def test_who_holds_a_lease_is_changing_it_even_before_there_is_a_stack(busy):
    assert replace(busy, found=None).condition is Condition.CHANGING


def test_an_alarm_matters_while_somebody_works(busy):
    assert replace(busy, alarms=RINGING).condition is Condition.ATTENTION


def test_an_unfinished_release_is_abandoned_when_nobody_holds_the_lease(busy):
    assert busy.abandoned == ()
    assert replace(busy, lease=None).abandoned == busy.unfinished
    assert replace(busy, lease=None, found=None).condition is Condition.ATTENTION
