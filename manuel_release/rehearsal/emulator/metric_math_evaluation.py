"""Values of metric math expressions: numbers, series and arrays of series over the same periods.

Rules follow https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: a missing operand
makes the result missing, and so does a division by zero; SUM, AVG, MIN and MAX of several series skip missing points,
and of one series give a number.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator.metric_math import (
    REPEAT,
    Array,
    Binary,
    Call,
    MathError,
    Node,
    Number,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Series = list[float | None]
"""One value or None (missing) per period, oldest first."""


@dataclass(frozen=True)
class Many:
    """An array of series."""

    series: list[Series]


Value = float | Series | Many


@dataclass(frozen=True)
class Inputs:
    """Values by id, the ids that METRICS() means, and how many periods of how many seconds there are."""

    values: Mapping[str, Value]
    metrics: Sequence[str]
    length: int
    period: float


def evaluate(node: Node, inputs: Inputs) -> Value:
    """Value of a parsed expression whose `kind` has been checked; raises MathError where it cannot have one."""
    match node:
        case Number():
            return node.value
        case Reference():
            return inputs.values[node.name]
        case Array():
            return Many([as_series(evaluate(each, inputs), inputs.length) for each in node.items])
        case Binary():
            return _combine(_SIGNS[node.sign], evaluate(node.left, inputs), evaluate(node.right, inputs))
        case Call():
            return _FUNCTIONS[node.name](node, inputs)


def as_series(value: Value, length: int) -> Series:
    """A number as that number in every period; a series as it is; raises MathError for an array."""
    if isinstance(value, Many):
        raise MathError("an array of time series stands where a single one is needed")
    return [value] * length if isinstance(value, float) else value


def _combine(work: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    if isinstance(left, Many) or isinstance(right, Many):
        count = len(left.series) if isinstance(left, Many) else len(right.series) if isinstance(right, Many) else 0
        lefts = left.series if isinstance(left, Many) else [left] * count
        rights = right.series if isinstance(right, Many) else [right] * count
        if len(lefts) != len(rights):
            raise MathError("two arrays of different length")
        length = max((len(each) for each in (*lefts, *rights) if isinstance(each, list)), default=0)
        return Many([_pointwise(work, one, other, length) for one, other in zip(lefts, rights, strict=True)])
    if isinstance(left, float) and isinstance(right, float):
        result = work(left, right)
        if result is None:
            raise MathError("division by zero between numbers")
        return result
    length = len(left) if isinstance(left, list) else len(right) if isinstance(right, list) else 0
    return _pointwise(work, left, right, length)


def _pointwise(
    work: Callable[[float, float], float | None], left: float | Series, right: float | Series, length: int
) -> Series:
    pairs = zip(as_series(left, length), as_series(right, length), strict=True)
    return [None if one is None or other is None else work(one, other) for one, other in pairs]


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


_SIGNS: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}


def _metrics(node: Call, inputs: Inputs) -> Value:
    part = node.arguments[0].name.strip('"') if node.arguments and isinstance(node.arguments[0], Reference) else ""
    return Many([as_series(inputs.values[name], inputs.length) for name in inputs.metrics if part in name])


def _fill(node: Call, inputs: Inputs) -> Value:
    value = evaluate(node.arguments[0], inputs)
    if isinstance(value, Many):
        return Many([_filled(each, node.arguments[1], inputs) for each in value.series])
    return _filled(as_series(value, inputs.length), node.arguments[1], inputs)


def _filled(series: Series, filling: Node, inputs: Inputs) -> Series:
    if filling == REPEAT:
        result: Series = []
        for value in series:
            result.append(value if value is not None or not result else result[-1])
        return result
    instead = as_series(evaluate(filling, inputs), len(series))
    return [other if value is None else value for value, other in zip(series, instead, strict=True)]


def _if(node: Call, inputs: Inputs) -> Value:
    columns = [as_series(evaluate(each, inputs), inputs.length) for each in node.arguments]
    otherwise: Series = columns[2] if len(columns) == 3 else [None] * inputs.length
    return [
        None if condition is None else yes if condition else no
        for condition, yes, no in zip(columns[0], columns[1], otherwise, strict=True)
    ]


def _absolute(node: Call, inputs: Inputs) -> Value:
    return _combine(lambda one, _zero: abs(one), evaluate(node.arguments[0], inputs), 0.0)


def _rate(node: Call, inputs: Inputs) -> Value:
    result: Series = []
    last: tuple[int, float] | None = None
    for index, point in enumerate(as_series(evaluate(node.arguments[0], inputs), inputs.length)):
        if point is None:
            result.append(None)
            continue
        result.append((point - last[1]) / ((index - last[0]) * inputs.period) if last else None)
        last = index, point
    return result


def _aggregate(node: Call, inputs: Inputs) -> Value:
    value = evaluate(node.arguments[0], inputs)
    if isinstance(value, float):
        return value
    if isinstance(value, Many):
        return [_total(node.name, column) for column in zip(*value.series, strict=True)]
    total = _total(node.name, value)
    if total is None:
        nothing: Series = [None] * inputs.length
        return nothing
    return total


def _total(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"SUM": sum(known), "AVG": sum(known) / len(known), "MIN": min(known), "MAX": max(known)}[name]


_FUNCTIONS: dict[str, Callable[[Call, Inputs], Value]] = {
    "METRICS": _metrics,
    "FILL": _fill,
    "IF": _if,
    "ABS": _absolute,
    "RATE": _rate,
    **dict.fromkeys(("SUM", "AVG", "MIN", "MAX"), _aggregate),
}
