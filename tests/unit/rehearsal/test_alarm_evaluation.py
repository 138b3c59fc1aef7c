"""The tables of AWS's page on missing data, row by row."""

from __future__ import annotations

import pytest

from manuel_release.rehearsal.emulator.alarm_evaluation import State, next_state, samples_needed

MEANING = {"0": False, "X": True, "-": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def state_after(row: str, treatment: str, current: State, *, periods: int, to_alarm: int) -> State:
    points = [MEANING[mark] for mark in row.split()]
    return next_state(points, current, periods=periods, to_alarm=to_alarm, treatment=treatment)  # type: ignore[arg-type]


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("0 - X - X", "OK OK OK OK"),
        ("0 - - - -", "OK OK OK OK"),
        ("- - - - -", "INSUFFICIENT_DATA retain ALARM OK"),
        ("0 X X - X", "ALARM ALARM ALARM ALARM"),
        ("- - X - -", "ALARM retain ALARM OK"),
        ("X X X 0 0", "OK OK OK OK"),
        ("- - - - X", "retain retain ALARM OK"),
        ("- - - X -", "retain retain ALARM OK"),
    ],
)
def test_three_out_of_three_as_in_the_published_table(row: str, expected: str, current: State) -> None:
    for treatment, state in zip(TREATMENTS, expected.split(), strict=True):
        wanted = current if state == "retain" else state
        assert state_after(row, treatment, current, periods=3, to_alarm=3) == wanted, treatment


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("0 - X - X", "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", "OK OK ALARM OK"),
        ("- - - - 0", "OK OK ALARM OK"),
        ("- - - X -", "ALARM retain ALARM OK"),
        ("- - - X X", "ALARM ALARM ALARM ALARM"),
    ],
)
def test_two_out_of_three_as_in_the_published_table(row: str, expected: str, current: State) -> None:
    for treatment, state in zip(TREATMENTS, expected.split(), strict=True):
        wanted = current if state == "retain" else state
        assert state_after(row, treatment, current, periods=3, to_alarm=2) == wanted, treatment


def test_only_the_latest_datapoints_count_when_there_are_enough() -> None:
    assert state_after("X X 0", "missing", "ALARM", periods=1, to_alarm=1) == "OK"
    assert state_after("0 0 X", "notBreaching", "OK", periods=1, to_alarm=1) == "ALARM"


@pytest.mark.parametrize(("percentile", "needed"), [(95.0, 200), (99.0, 1000), (50.0, 20), (10.0, 100), (100.0, 1)])
def test_a_percentile_needs_ten_observations_beyond_it(percentile: float, needed: float) -> None:
    assert samples_needed(percentile) == pytest.approx(needed)
