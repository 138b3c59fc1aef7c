"""MetricDataQuery: the metrics and expressions of one GetMetricData call or one alarm, checked, then computed.

The rules are those of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import metric_math
from manuel_release.rehearsal.emulator.metric_math import MathError
from manuel_release.rehearsal.emulator.metric_math_evaluation import Inputs, as_series, evaluate
from manuel_release.rehearsal.emulator.metric_store import is_statistic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from manuel_release.rehearsal.emulator.metric_math_evaluation import Series, Value

HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)
_ID = re.compile(r"[a-z]\w*")


@dataclass(frozen=True)
class MetricStat:
    """One statistic of one metric."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    period: int
    statistic: str
    unit: str | None = None


@dataclass(frozen=True)
class Query:
    """A metric (stat) or an expression (node) under an id."""

    id: str
    label: str
    returned: bool
    stat: MetricStat | None = None
    node: metric_math.Node | None = None
    period: int | None = None


def truth(value: object, *, default: bool) -> bool:
    """A boolean that may come as text (from a template or the query protocol) or not at all."""
    return default if value is None else str(value).lower() == "true"


def check_period(period: int) -> int:
    """The period (seconds) itself; raises MathError when CloudWatch has no such period."""
    if period in HIGH_RESOLUTION_PERIODS or (period > 0 and period % 60 == 0):
        return period
    raise MathError(f"Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}")


def dimensions_of(listed: Sequence[dict[str, Any]] | None) -> dict[str, str]:
    """The API's list of names and values as a mapping."""
    return {each["Name"]: str(each.get("Value", "")) for each in listed or []}


def metric_stat(raw: dict[str, Any]) -> MetricStat:
    """Check the API's MetricStat; raises MathError."""
    metric = raw.get("Metric") or {}
    if not metric.get("Namespace") or not metric.get("MetricName"):
        raise MathError("MetricStat.Metric needs Namespace and MetricName")
    statistic = str(raw.get("Stat", ""))
    if not is_statistic(statistic):
        raise MathError(f"the statistic '{statistic}' is not supported here")
    return MetricStat(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=dimensions_of(metric.get("Dimensions")),
        period=check_period(int(raw.get("Period") or 0)),
        statistic=statistic,
        unit=raw.get("Unit"),
    )


def parse_queries(raw: Sequence[dict[str, Any]]) -> list[Query]:
    """Check queries and put every expression after what it names; raises MathError with the reason."""
    queries: dict[str, Query] = {}
    for each in raw:
        name = str(each.get("Id", ""))
        if not _ID.fullmatch(name):
            raise MathError(f"the id '{name}' must begin with a lowercase letter and have letters, digits and _ only")
        if name in queries:
            raise MathError(f"the id '{name}' is not unique")
        if bool(each.get("Expression")) == bool(each.get("MetricStat")):
            raise MathError(f"the query '{name}' must have either Expression or MetricStat")
        stat = metric_stat(each["MetricStat"]) if each.get("MetricStat") else None
        queries[name] = Query(
            id=name,
            label=str(each.get("Label") or (stat.name if stat else name)),
            returned=truth(each.get("ReturnData"), default=True),
            stat=stat,
            node=None if stat else metric_math.parse(str(each["Expression"])),
            period=check_period(int(each["Period"])) if each.get("Period") else None,
        )
    ordered = _ordered(queries)
    kinds_of(ordered)
    return ordered


def _ordered(queries: dict[str, Query]) -> list[Query]:
    ordered: dict[str, Query] = {name: query for name, query in queries.items() if query.stat}
    waiting = {name: query for name, query in queries.items() if query.node}
    while waiting:
        ready = [name for name, query in waiting.items() if query.node and _needs(query.node, waiting) <= set(ordered)]
        if not ready:
            raise MathError(f"expressions name each other in a circle: {', '.join(sorted(waiting))}")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return list(ordered.values())


def _needs(node: metric_math.Node, waiting: dict[str, Query]) -> set[str]:
    """Expressions that must come first; an unknown id is left for `kind` to name."""
    return metric_math.references(node) & set(waiting)


def kinds_of(queries: Sequence[Query]) -> dict[str, metric_math.Kind]:
    """What each query gives; raises MathError for an unknown id or a wrong argument."""
    kinds: dict[str, metric_math.Kind] = {}
    for query in queries:
        kinds[query.id] = metric_math.kind(query.node, kinds) if query.node else "series"
    return kinds


def compute(
    queries: Sequence[Query], fetch: Callable[[MetricStat], Series], length: int, period: float
) -> dict[str, Series]:
    """Values per query that is a number or one series, over `length` periods of `period` seconds; raises MathError."""
    values: dict[str, Value] = {}
    for query in queries:
        if query.stat:
            values[query.id] = fetch(query.stat)
        elif query.node:
            metrics = [each.id for each in queries if each.stat]
            values[query.id] = evaluate(query.node, Inputs(values, metrics, length, period))
    kinds = kinds_of(queries)
    return {name: as_series(value, length) for name, value in values.items() if kinds[name] != "array"}
