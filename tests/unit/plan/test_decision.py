"""What the guard does about what happens: the matrix, cell by cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from manuel_release.model.alarm import ReleaseAlarm, Signal
from manuel_release.model.decision import Action, Exposure, Happening, Occurrence, Phase, Situation
from manuel_release.plan.decision import MATRIX, decide

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=60), NOW - timedelta(seconds=1)
SHARED = set(Signal) - {Signal.THROTTLES, Signal.CLIENT_ERROR_RATE}


def of(happening: Happening, signal: Signal | None = None) -> Occurrence:
    name = ReleaseAlarm("prod", "r-13", signal).name if signal is not None else "what-happened"
    return Occurrence(happening, "production", name, "r-13", signal, "AWS says so")


def at(phase: Phase, **known: object) -> Situation:
    return replace(Situation(Exposure("r-13", phase, 10.0), NOW), **known)  # type: ignore[arg-type]


def action(happening: Happening, phase: Phase, signal: Signal | None = None, **known: object) -> Action:
    return decide(of(happening, signal), at(phase, **known)).action


def test_every_cell_of_the_matrix_is_filled() -> None:
    assert {happening: set(row) for happening, row in MATRIX.items()} == {key: set(Phase) for key in Happening}


@pytest.mark.parametrize("happening", list(Happening))
def test_a_release_without_traffic_is_left_alone(happening: Happening) -> None:
    assert action(happening, Phase.NONE, Signal.SERVER_ERRORS) is Action.KEEP_WATCHING


@pytest.mark.parametrize("happening", list(Happening))
def test_a_release_that_has_proven_itself_is_never_rolled_back_by_the_guard(happening: Happening) -> None:
    wanted = Action.ESCALATE if happening is Happening.ALARM else Action.KEEP_WATCHING

    assert action(happening, Phase.PROVEN, Signal.SERVER_ERRORS) is wanted


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
@pytest.mark.parametrize("signal", sorted(set(Signal) - {Signal.CLIENT_ERROR_RATE}))
def test_an_alarm_of_a_release_on_trial_rolls_it_back(phase: Phase, signal: Signal) -> None:
    decision = decide(of(Happening.ALARM, signal), at(phase, stable_rings=False))

    assert decision.action is Action.ROLL_BACK
    assert decision.why == f"manuel-prod-r-13-{signal} rings while r-13 is on trial: AWS says so"


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT])
@pytest.mark.parametrize("signal", sorted(SHARED))
def test_an_alarm_that_rings_for_both_arms_is_an_incident_and_not_the_canary_s_fault(
    phase: Phase, signal: Signal
) -> None:
    assert action(Happening.ALARM, phase, signal, stable_rings=True) is Action.ESCALATE


@pytest.mark.parametrize("signal", sorted(SHARED))
def test_the_literal_reading_of_the_limits_excuses_nothing(signal: Signal) -> None:
    assert action(Happening.ALARM, Phase.CANARY, signal, stable_rings=True, limits="absolute") is Action.ROLL_BACK


def test_throttles_are_of_both_arms_by_nature_and_excuse_nothing() -> None:
    assert action(Happening.ALARM, Phase.CANARY, Signal.THROTTLES, stable_rings=True) is Action.ROLL_BACK


def test_a_release_with_all_requests_has_nobody_to_share_an_incident_with() -> None:
    assert action(Happening.ALARM, Phase.UNPROVEN, Signal.SERVER_ERRORS, stable_rings=True) is Action.ROLL_BACK


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
def test_refused_callers_are_looked_into_by_people(phase: Phase) -> None:
    assert action(Happening.ALARM, phase, Signal.CLIENT_ERROR_RATE) is Action.INVESTIGATE


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
def test_limits_that_are_only_reported_move_nothing(phase: Phase) -> None:
    assert action(Happening.ALARM, phase, Signal.SERVER_ERRORS, limits="report") is Action.INVESTIGATE


@pytest.mark.parametrize(
    ("phase", "wanted"),
    [
        (Phase.CANARY, Action.INVESTIGATE),
        (Phase.ROLLING_OUT, Action.ROLL_BACK),
        (Phase.UNPROVEN, Action.INVESTIGATE),
    ],
)
def test_a_failed_deployment_matters_while_the_release_is_rolled_out(phase: Phase, wanted: Action) -> None:
    assert action(Happening.ROLLOUT_FAILED, phase) is wanted


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
def test_a_refused_approval_rolls_back(phase: Phase) -> None:
    assert action(Happening.APPROVAL_REFUSED, phase) is Action.ROLL_BACK


@pytest.mark.parametrize(
    ("phase", "wanted"),
    [
        (Phase.CANARY, Action.ROLL_BACK),
        (Phase.ROLLING_OUT, Action.KEEP_WATCHING),
        (Phase.UNPROVEN, Action.INVESTIGATE),
    ],
)
def test_a_canary_whose_observer_died_is_taken_back(phase: Phase, wanted: Action) -> None:
    assert action(Happening.OBSERVER_DIED, phase, looked_after_until=LATER) is wanted
    assert action(Happening.OBSERVER_DIED, phase) is wanted


def test_an_observer_that_handed_over_to_people_may_end_as_it_likes() -> None:
    two_hours = NOW + timedelta(hours=2)

    assert action(Happening.OBSERVER_DIED, Phase.CANARY, looked_after_until=two_hours) is Action.KEEP_WATCHING


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT])
def test_a_canary_that_nobody_observes_any_more_is_taken_back(phase: Phase) -> None:
    decision = decide(of(Happening.UNOBSERVED), at(phase, looked_after_until=EARLIER))

    assert decision.action is Action.ROLL_BACK
    assert decision.why == "nobody has observed r-13 since 2026-11-23 11:59:59 UTC"


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
@pytest.mark.parametrize(
    "known", [{"looked_after_until": NOW}, {}, {"looked_after_until": EARLIER, "lease": "ann (ann@laptop)"}]
)
def test_observed_or_changed_at_this_moment_or_never_the_ledger_s_it_is_left_alone(
    phase: Phase, known: dict[str, object]
) -> None:
    assert action(Happening.UNOBSERVED, phase, **known) is Action.KEEP_WATCHING


def test_a_release_with_all_requests_that_nobody_observes_is_told() -> None:
    assert action(Happening.UNOBSERVED, Phase.UNPROVEN, looked_after_until=EARLIER) is Action.INVESTIGATE


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.ROLLING_OUT, Phase.UNPROVEN])
def test_a_release_that_is_found_bad_is_rolled_back(phase: Phase) -> None:
    decision = decide(of(Happening.FOUND_BAD), at(phase))

    assert decision.action is Action.ROLL_BACK
    assert decision.why == "the verdict on r-13 is bad: AWS says so"
