"""How many people a load takes, and how much load so many people make."""

from __future__ import annotations

import pytest
from integration.performance.plans import (
    ASKED_BEFORE,
    AT_ONCE,
    PASSES,
    PER_SECOND,
    PROFILES,
    SCENARIOS,
    for_people,
    people_needed,
    plan,
    rates,
)

from manuel_release.gates.regression import interval


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("quota", [50, 100, 200])
def test_nobody_is_asked_to_wait_or_uses_up_their_quota(name: str, quota: int) -> None:
    profile = PROFILES[name]
    people = people_needed(profile, SCENARIOS, quota)

    assert profile.rate * profile.seconds / people <= AT_ONCE + PER_SECOND * profile.seconds
    assert PASSES * profile.questions * profile.seconds / people + ASKED_BEFORE + 1 <= quota


def test_reading_alone_uses_no_quota() -> None:
    reading = [one for one in SCENARIOS if not one.writes]

    assert people_needed(PROFILES["full"], reading, 100) < people_needed(PROFILES["full"], SCENARIOS, 100)


def test_a_quota_that_leaves_nothing_to_measure_with_is_refused() -> None:
    with pytest.raises(ValueError, match="daily quota of 10 operations"):
        people_needed(PROFILES["smoke"], SCENARIOS, 10)


def test_few_people_make_less_load_and_many_no_more_than_asked() -> None:
    full = PROFILES["full"]

    assert for_people(full, 1).rate == pytest.approx(PER_SECOND + AT_ONCE / full.seconds)
    assert for_people(full, 50) == full
    assert for_people(full, 1).questions / for_people(full, 1).rate == pytest.approx(full.questions / full.rate)


def test_without_questions_the_others_are_asked_more_often() -> None:
    reading = [one for one in SCENARIOS if not one.writes]

    assert [rate for _, rate in rates(PROFILES["full"], reading)] == [2.25, 2.25]


def test_a_run_of_basic_and_full_is_long_enough_for_an_interval_of_each_p95() -> None:
    for name in ("basic", "full"):
        for _, rate in rates(PROFILES[name], SCENARIOS):
            assert interval([1.0] * int(0.95 * rate * PROFILES[name].measured), 0.95) is not None


def test_the_firewall_lets_the_full_profile_through() -> None:
    in_five_minutes = 300 * PROFILES["full"].rate

    assert in_five_minutes < 2000  # RateBasedStatement of template.yaml


def test_the_plan_shares_the_rate_among_the_scenarios_and_the_people() -> None:
    full = PROFILES["full"]
    made = plan(full, SCENARIOS, "https://api.example.com", ["a", "b"])

    assert {one["name"]: one["rate"] for one in made["scenarios"]} == {"query": 0.5, "manuals": 2.0, "usage": 2.0}
    assert {tuple(one["people"]) for one in made["scenarios"]} == {("a", "b")}
