"""CloudWatch's PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics on the emulator's own store.

They mean what https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/ says: dimensions are matched exactly,
start times are rounded down, end times are exclusive, GetMetricData gives the newest first unless asked otherwise.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch

from manuel_release.rehearsal.emulator import query_protocol, scope
from manuel_release.rehearsal.emulator.metric_math import MathError
from manuel_release.rehearsal.emulator.metric_queries import (
    MetricStat,
    Query,
    check_period,
    compute,
    dimensions_of,
    parse_queries,
)
from manuel_release.rehearsal.emulator.metric_store import (
    BASIC_STATISTICS,
    MetricStore,
    StatisticSet,
    percentile_of,
    series_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.metric_math_evaluation import Series

    Answer = tuple[int, dict[str, str], bytes]

_OPERATION = ("params", "cbor_data", "is_cbor", "is_json")
REQUIRES = {
    "ministack.services.cloudwatch.record_metric": ("namespace", "metric_name", "value", "unit", "dimensions"),
    "ministack.services.cloudwatch._put_metric_data": _OPERATION,
    "ministack.services.cloudwatch._get_metric_data": _OPERATION,
    "ministack.services.cloudwatch._get_metric_statistics": _OPERATION,
    "ministack.services.cloudwatch._list_metrics": _OPERATION,
    "ministack.services.cloudwatch._evict_old_metrics": (),
    "ministack.services.cloudwatch._cbor_ok": ("data",),
    "ministack.services.cloudwatch._cbor_timestamp": ("value",),
    "ministack.services.cloudwatch._json_ok": ("data",),
    "ministack.services.cloudwatch._xml": ("status", "root_tag", "inner"),
    "ministack.services.cloudwatch._error": ("code", "message", "status", "use_json", "use_cbor"),
    "ministack.services.cloudwatch._parse_ts": ("value",),
    "ministack.services.cloudwatch._ts_iso": ("epoch",),
    "ministack.services.cloudwatch.reset": (),
}

store = MetricStore()
"""Every datapoint of this server."""


class Refusal(Exception):  # noqa: N818 - an answer to the caller
    """A request that CloudWatch refuses: error code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def operation(name: str, work: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Answer]:
    """Wrap `work` (request in, response out, both as the API's dictionaries) for every protocol of CloudWatch."""

    def serve(params: dict[str, Any], cbor_data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:
        request = cbor_data if is_cbor or is_json else query_protocol.expand(params)
        answer: Answer
        try:
            response = work(request)
        except (MathError, Refusal) as refusal:
            code = refusal.code if isinstance(refusal, Refusal) else "ValidationError"
            answer = cloudwatch._error(code, str(refusal), 400, use_json=is_json, use_cbor=is_cbor)
        else:
            if is_cbor:
                answer = cloudwatch._cbor_ok(_with_times(response, cloudwatch._cbor_timestamp))
            elif is_json:
                answer = cloudwatch._json_ok(response)
            else:
                inner = query_protocol.to_xml(_with_times(response, cloudwatch._ts_iso))
                answer = cloudwatch._xml(200, f"{name}Response", f"<{name}Result>{inner}</{name}Result>")
        return answer

    return serve


def _with_times(value: Any, encode: Callable[[float], Any]) -> Any:
    """A copy in which everything under `Timestamp` and `Timestamps` is encoded."""
    if isinstance(value, list):
        return [_with_times(each, encode) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [encode(each) for each in inner]
        if key == "Timestamps"
        else encode(inner)
        if key == "Timestamp"
        else _with_times(inner, encode)
        for key, inner in value.items()
    }


def record_metric(
    namespace: str, metric_name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
) -> None:
    """Publish one value of an AWS service's own metric, now, for the account and region being served."""
    store.record(
        scope.current(),
        namespace,
        metric_name,
        dimensions or {},
        [(float(value), 1.0)],
        timestamp=time.time(),
        unit=unit,
    )


def put_metric_data(request: dict[str, Any]) -> dict[str, Any]:
    """PutMetricData; refuses a datum without a value."""
    for datum in request.get("MetricData") or []:
        values = [float(value) for value in datum.get("Values") or []]
        counts = [float(count) for count in datum.get("Counts") or [1.0] * len(values)]
        summary = datum.get("StatisticValues")
        if datum.get("Value") is not None:
            values, counts = [float(datum["Value"])], [1.0]
        if len(values) != len(counts) or not (values or summary):
            raise Refusal("InvalidParameterCombination", "A datum needs Value, Values with Counts, or StatisticValues.")
        sets = [] if summary is None else [_summary(summary)]
        timestamp = cloudwatch._parse_ts(datum.get("Timestamp"))
        store.record(
            scope.current(),
            request["Namespace"],
            datum["MetricName"],
            dimensions_of(datum.get("Dimensions")),
            zip(values, counts, strict=True),
            timestamp=time.time() if timestamp is None else timestamp,
            unit=datum.get("Unit") or "None",
            resolution=int(datum.get("StorageResolution") or 60),
            sets=sets,
        )
    return {}


def _summary(raw: dict[str, Any]) -> StatisticSet:
    return StatisticSet(*(float(raw[key]) for key in ("SampleCount", "Sum", "Minimum", "Maximum")))


def _times(request: dict[str, Any], period: int) -> tuple[int, int]:
    """StartTime rounded down to the period (to the minute for longer ones) and EndTime, exclusive, in seconds."""
    start, end = (cloudwatch._parse_ts(request.get(key)) for key in ("StartTime", "EndTime"))
    if start is None or end is None:
        raise Refusal("MissingParameter", "StartTime and EndTime are required.")
    if start >= end:
        raise Refusal("InvalidParameterCombination", "StartTime must be less than EndTime.")
    step = min(period, 60)
    return int(start // step * step), -int(-end // 1)


def get_metric_data(request: dict[str, Any]) -> dict[str, Any]:
    """GetMetricData with metrics and with the expressions of `metric_math`, all in one page."""
    queries = parse_queries(request.get("MetricDataQueries") or [])
    together = any(query.node for query in queries)
    columns: dict[str, list[tuple[int, float]]] = {}
    for group in [queries] if together else [[query] for query in queries]:
        periods = {query.stat.period for query in group if query.stat}
        if len(periods) != 1:
            raise MathError("expressions need metrics, all of one period")
        columns |= _columns(request, group, periods.pop())
    newest_first = request.get("ScanBy") != "TimestampAscending"
    results = []
    for query in queries:
        if not query.returned:
            continue
        if query.id not in columns:
            raise MathError(f"the expression '{query.id}' gives several time series; return them one by one")
        points = columns[query.id][::-1] if newest_first else columns[query.id]
        results.append(
            {
                "Id": query.id,
                "Label": query.label,
                "Timestamps": [when for when, _value in points],
                "Values": [value for _when, value in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results}


def _columns(request: dict[str, Any], queries: list[Query], period: int) -> dict[str, list[tuple[int, float]]]:
    """Datapoints of every query by id, oldest first."""
    start, end = _times(request, period)
    starts = range(start // period * period, end, period)

    def fetch(stat: MetricStat) -> Series:
        key = series_key(stat.namespace, stat.name, stat.dimensions)
        samples = store.periods(scope.current(), key, start, end, period, unit=stat.unit)
        return [samples[when].statistic(stat.statistic) if when in samples else None for when in starts]

    computed = compute(queries, fetch, len(starts), period)
    return {
        name: [(when, value) for when, value in zip(starts, series, strict=True) if value is not None]
        for name, series in computed.items()
    }


def get_metric_statistics(request: dict[str, Any]) -> dict[str, Any]:
    """GetMetricStatistics, oldest first."""
    basic, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not basic and not extended:
        raise Refusal("MissingParameter", "The parameter Statistics or ExtendedStatistics is required.")
    for name in [*basic, *extended]:
        if (name not in BASIC_STATISTICS) if name in basic else (percentile_of(name) is None):
            raise Refusal("InvalidParameterValue", f"The statistic {name} is not supported here.")
    period = check_period(int(request.get("Period") or 0))
    start, end = _times(request, period)
    key = series_key(request["Namespace"], request["MetricName"], dimensions_of(request.get("Dimensions")))
    samples = store.periods(scope.current(), key, start, end, period, unit=request.get("Unit"))
    datapoints = []
    for when, sample in samples.items():
        point: dict[str, Any] = {"Timestamp": when, "Unit": store.unit(scope.current(), key)}
        point.update({name: sample.statistic(name) for name in basic})
        found = {name: sample.statistic(name) for name in extended}
        if found:
            point["ExtendedStatistics"] = {name: value for name, value in found.items() if value is not None}
        datapoints.append(point)
    return {"Label": request["MetricName"], "Datapoints": datapoints}


def list_metrics(request: dict[str, Any]) -> dict[str, Any]:
    """ListMetrics with its filters, all in one page."""
    wanted = [(each["Name"], each.get("Value")) for each in request.get("Dimensions") or []]
    return {
        "Metrics": [
            {
                "Namespace": series.namespace,
                "MetricName": series.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
            }
            for series in store.listing(scope.current())
            if request.get("Namespace") in (None, series.namespace)
            and request.get("MetricName") in (None, series.name)
            and all(name in series.dimensions and value in (None, series.dimensions[name]) for name, value in wanted)
        ]
    }


def install() -> None:
    """Put the store in the place of ministack's lists of points."""
    stock_reset = cloudwatch.reset

    def reset() -> None:
        store.clear()
        stock_reset()

    cloudwatch.record_metric = record_metric
    cloudwatch._put_metric_data = operation("PutMetricData", put_metric_data)
    cloudwatch._get_metric_data = operation("GetMetricData", get_metric_data)
    cloudwatch._get_metric_statistics = operation("GetMetricStatistics", get_metric_statistics)
    cloudwatch._list_metrics = operation("ListMetrics", list_metrics)
    cloudwatch._evict_old_metrics = lambda: None
    cloudwatch.reset = reset
