"""Which state an alarm's datapoints mean: M out of N, and what missing ones count for.

The rules and the tables that the tests repeat are those of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html. Low sample counts of
percentiles follow https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Treatment = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS = 2
"""How many datapoints further back than EvaluationPeriods are looked at; AWS's examples use two."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
"""ComparisonOperator of alarms with a static threshold."""

TREATMENTS: tuple[Treatment, ...] = ("missing", "ignore", "breaching", "notBreaching")


def next_state(
    points: Sequence[bool | None], current: State, *, periods: int, to_alarm: int, treatment: Treatment
) -> State:
    """The state after an evaluation.

    points: whether each datapoint of the evaluation range breaches, oldest first; None where there is none.
    periods, to_alarm: N (EvaluationPeriods) and M (DatapointsToAlarm).
    """
    real = [point for point in points if point is not None]
    if len(real) >= periods:
        return _by_count(sum(real[-periods:]), to_alarm)
    filled = periods - len(real)
    match treatment:
        case "breaching":
            return _by_count(sum(real) + filled, to_alarm)
        case "notBreaching":
            return _by_count(sum(real), to_alarm)
        case "missing" | "ignore":
            return _without_filling(points, current, to_alarm, treatment)
        case _:
            assert_never(treatment)


def _by_count(breaching: int, to_alarm: int) -> State:
    return "ALARM" if breaching >= to_alarm else "OK"


def _without_filling(
    points: Sequence[bool | None], current: State, to_alarm: int, treatment: Literal["missing", "ignore"]
) -> State:
    real = [point for point in points if point is not None]
    if not real:
        return "INSUFFICIENT_DATA" if treatment == "missing" else current
    if sum(real) >= to_alarm:
        return "ALARM"
    if not all(real):
        return "OK"
    oldest = len(points) - points.index(True)
    return "ALARM" if treatment == "missing" and oldest >= to_alarm else current


def samples_needed(percentile: float) -> float:
    """Observations a period needs before its percentile (0-100) is statistically significant."""
    share = percentile / 100
    if share in (0.0, 1.0):
        return 1.0
    return 10 / (1 - share) if share >= 0.5 else 10 / share
