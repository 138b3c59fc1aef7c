"""What a freeze and a quarantine say to a deploy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from unit.plan.test_deploy import NOW, a_state

from manuel_release.model.entry import Freeze, Quarantine
from manuel_release.plan import guards
from manuel_release.plan.deploy import admit

FREEZE = Freeze("production", "jane", "Black Friday", NOW)
QUARANTINE = Quarantine("c0de" * 16, "r-13", "staging", "the guard", "5xx > 5 in 5 min", NOW)


def test_a_freeze_says_who_since_when_why_and_how_it_ends() -> None:
    answer = guards.frozen(a_state("production", freeze=FREEZE))

    assert answer is not None
    assert answer.reason == "production is frozen by jane since 2026-11-23 06:00 UTC: Black Friday"
    assert '`manuel-release freeze off --env production --reason "WHY"`' in answer.hint
    assert "a rollback is possible" in answer.hint


def test_a_freeze_with_an_end_says_until_when() -> None:
    answer = guards.frozen(a_state(freeze=replace(FREEZE, until=NOW + timedelta(hours=3))))

    assert answer is not None
    assert "is frozen until 2026-11-23 09:00 UTC by jane" in answer.reason


def test_code_that_was_rolled_back_elsewhere_is_refused_with_where_why_and_how_it_is_lifted() -> None:
    answer = guards.quarantined(a_state(quarantine=QUARANTINE))

    assert answer is not None
    assert answer.reason == (
        "this code was rolled back as r-13 in staging on 2026-11-23 06:00 UTC by the guard: 5xx > 5 in 5 min"
    )
    assert '`manuel-release quarantine lift c0dec0dec0de --reason "WHY"`' in answer.hint


def test_code_in_quarantine_is_refused_before_it_is_nothing_to_do() -> None:
    state = a_state(quarantine=QUARANTINE)

    assert admit(state, "digest-1") == guards.quarantined(state)
