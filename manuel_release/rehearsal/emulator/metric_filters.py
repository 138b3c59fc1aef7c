"""What CloudWatch makes of log events: metric filters and embedded metrics, and the pattern of FilterLogEvents.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html and
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html. A default value is
published once per second that brought events of which none matched (AWS: per minute).
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from ministack.core import responses
from ministack.services import cloudwatch_logs

from manuel_release.rehearsal.emulator import emf, scope
from manuel_release.rehearsal.emulator.filter_pattern import PatternError, as_document, compile_pattern, field, steps
from manuel_release.rehearsal.emulator.metrics_api import store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Answer = tuple[int, dict[str, str], bytes]

REQUIRES = {
    "ministack.services.cloudwatch_logs._metric_filters": None,
    "ministack.services.cloudwatch_logs._log_groups": None,
    "ministack.services.cloudwatch_logs._log_records": None,
    "ministack.services.cloudwatch_logs._log_events_lock": None,
    "ministack.services.cloudwatch_logs._put_log_events": ("data",),
    "ministack.services.cloudwatch_logs._put_metric_filter": ("data",),
    "ministack.services.cloudwatch_logs._filter_log_events": ("data",),
    "ministack.services.cloudwatch_logs._compile_filter_pattern": ("raw",),
    "ministack.core.responses.error_response_json": None,
}

MOST_EVENTS = 20_000
"""Events kept per log stream; older ones are forgotten, so that hours of traffic fit into memory."""


def observe(group: str, stream: str, events: Sequence[dict[str, Any]]) -> None:
    """Turn events (timestamp in ms, message) that were just stored in a log stream into metrics."""
    for event in events:
        for point in emf.datapoints(event["message"]):
            store.record(
                scope.current(),
                point.namespace,
                point.name,
                point.dimensions,
                [(value, 1.0) for value in point.values],
                timestamp=point.timestamp,
                unit=point.unit,
                resolution=point.resolution,
            )
    for (name, _filter), definition in cloudwatch_logs._metric_filters.items():
        if name == group:
            _apply(definition, events)
    _forget_oldest(group, stream)


def _apply(definition: dict[str, Any], events: Sequence[dict[str, Any]]) -> None:
    matches = compile_pattern(definition["filterPattern"])
    for transformation in definition["metricTransformations"]:
        silent: set[int] = set()
        counted: set[int] = set()
        for event in events:
            second = int(event["timestamp"] / 1000)
            found = _extract(transformation, event["message"]) if matches(event["message"]) else None
            if found is None:
                silent.add(second)
                continue
            counted.add(second)
            _publish(transformation, second, *found)
        default = transformation.get("defaultValue")
        if default is not None:
            for second in silent - counted:
                _publish(transformation, second, float(default), {})


def _publish(transformation: dict[str, Any], second: int, value: float, dimensions: dict[str, str]) -> None:
    store.record(
        scope.current(),
        transformation["metricNamespace"],
        transformation["metricName"],
        dimensions,
        [(value, 1.0)],
        timestamp=second,
        unit=transformation.get("unit") or "None",
    )


def _extract(transformation: dict[str, Any], message: str) -> tuple[float, dict[str, str]] | None:
    """Value and dimensions of a matching event; None when a selected field is missing or not a number."""
    value = transformation["metricValue"]
    document = as_document(message)
    try:
        number = float(_selected(document, value))
        dimensions = {
            name: _selected(document, each) for name, each in (transformation.get("dimensions") or {}).items()
        }
    except (KeyError, ValueError):
        return None
    return (number, dimensions) if math.isfinite(number) else None


def _selected(document: dict[str, Any] | None, text: str) -> str:
    if not text.startswith("$"):
        return text
    found = field(document, text)
    if found is None or isinstance(found, bool | dict | list):
        raise KeyError(text)
    return str(found)


def _forget_oldest(group: str, stream: str) -> None:
    kept = cloudwatch_logs._log_groups[group]["streams"].get(stream)
    if kept is None or len(kept["events"]) <= MOST_EVENTS:
        return
    with cloudwatch_logs._log_events_lock:
        cut = len(kept["events"]) - MOST_EVENTS * 3 // 4
        forgotten, kept["events"] = kept["events"][:cut], kept["events"][cut:]
    for event in forgotten:
        cloudwatch_logs._log_records.pop(event.get("eventId"), None)


def complaint(definition: dict[str, Any]) -> str | None:
    """What PutMetricFilter objects to in a request, or None."""
    try:
        compile_pattern(definition.get("filterPattern") or "")
        for transformation in definition.get("metricTransformations") or []:
            value = str(transformation.get("metricValue", ""))
            selectors = [value, *(transformation.get("dimensions") or {}).values()]
            for selector in selectors:
                if selector.startswith("$"):
                    steps(selector)
            if not value.startswith("$"):
                float(value)
            if transformation.get("dimensions") and transformation.get("defaultValue") is not None:
                return "dimensions and defaultValue cannot be used together in a metric transformation"
            if len(transformation.get("dimensions") or {}) > 3:
                return "a metric transformation has three dimensions at most"
    except PatternError as error:
        return f"Invalid metric filter pattern: {error}"
    except ValueError:
        return "metricValue must be a number or a selector that begins with $"
    return None


def install() -> None:
    """Feed log events to the filters and check patterns where they are written."""
    stock_put_events = cloudwatch_logs._put_log_events
    stock_put_filter = cloudwatch_logs._put_metric_filter
    stock_filter_events = cloudwatch_logs._filter_log_events

    def put_log_events(data: dict[str, Any]) -> Answer:
        answer: Answer = stock_put_events(data)
        if answer[0] == 200:
            now = int(time.time() * 1000)
            events = [
                {"timestamp": each.get("timestamp", now), "message": each.get("message", "")}
                for each in data.get("logEvents") or []
            ]
            observe(data["logGroupName"], data["logStreamName"], events)
        return answer

    def put_metric_filter(data: dict[str, Any]) -> Answer:
        return _refusal(complaint(data)) or stock_put_filter(data)

    def filter_log_events(data: dict[str, Any]) -> Answer:
        return _refusal(complaint({"filterPattern": data.get("filterPattern")})) or stock_filter_events(data)

    def matcher(raw: str) -> Callable[[str], bool]:
        return compile_pattern(raw or "")

    cloudwatch_logs._put_log_events = put_log_events
    cloudwatch_logs._put_metric_filter = put_metric_filter
    cloudwatch_logs._filter_log_events = filter_log_events
    cloudwatch_logs._compile_filter_pattern = matcher


def _refusal(text: str | None) -> Answer | None:
    if text is None:
        return None
    answer: Answer = responses.error_response_json("InvalidParameterException", text, 400)
    return answer
