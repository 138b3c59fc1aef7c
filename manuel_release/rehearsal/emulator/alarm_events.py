"""What an alarm's change of state sets off: the EventBridge event and the SNS actions.

The event has the shape of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html and is sent for every
change, whatever ActionsEnabled says. Delivery happens in the background, because targets may call this server.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch

from manuel_release.rehearsal.emulator import notices, scope
from manuel_release.rehearsal.emulator.alarm_records import queries_of

REQUIRES = {
    **notices.REQUIRES,
    "ministack.services.cloudwatch._dispatch_alarm_actions": ("alarm", "old_state", "new_state", "reason"),
    "ministack.services.cloudwatch.reset": (),
    "ministack.core.responses.AccountRegionScopedDict": None,
}

logger = logging.getLogger("cloudwatch")

_states = responses.AccountRegionScopedDict()
"""Alarm name -> the state that its last event reported."""


def detail(alarm: dict[str, Any], old_state: str, previous: dict[str, Any] | None) -> dict[str, Any]:
    """What the event of an alarm that has just changed its state tells."""
    return {
        "alarmName": alarm["AlarmName"],
        "state": state_of(alarm),
        "previousState": previous or _initial(alarm, old_state),
        "configuration": _configuration(alarm),
    }


def state_of(alarm: dict[str, Any]) -> dict[str, Any]:
    """An alarm's present state as events carry it."""
    state = {
        "value": alarm["StateValue"],
        "reason": alarm.get("StateReason", ""),
        "timestamp": _written(alarm["StateUpdatedTimestamp"]),
    }
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _initial(alarm: dict[str, Any], state: str) -> dict[str, Any]:
    created = _written(alarm["AlarmConfigurationUpdatedTimestamp"])
    return {"value": state, "reason": "Unchecked: Initial alarm creation", "timestamp": created}


def _written(seconds: float) -> str:
    when = datetime.fromtimestamp(seconds, tz=UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}+0000"


def _configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"], **described}
    metrics: list[dict[str, Any]] = []
    expressions = {each["Id"]: each["Expression"] for each in alarm.get("Metrics") or [] if each.get("Expression")}
    for query in queries_of(alarm):
        metric: dict[str, Any] = {"id": query.id, "returnData": query.returned}
        if query.stat:
            metric["metricStat"] = {
                "metric": {
                    "namespace": query.stat.namespace,
                    "name": query.stat.name,
                    "dimensions": query.stat.dimensions,
                },
                "period": query.stat.period,
                "stat": query.stat.statistic,
            }
        else:
            metric |= {"expression": expressions[query.id], "label": query.label}
        metrics.append(metric)
    return {"metrics": metrics, **described}


def install() -> None:
    """Send the event before the actions, both in the background."""
    stock_dispatch = cloudwatch._dispatch_alarm_actions
    stock_reset = cloudwatch.reset

    def deliver(alarm: dict[str, Any], old_state: str, told: dict[str, Any]) -> None:
        try:
            notices.send("cloudwatch", "CloudWatch Alarm State Change", [alarm["AlarmArn"]], told)
            stock_dispatch(alarm, old_state, alarm["StateValue"], alarm.get("StateReason", ""))
        except Exception:
            logger.exception("the actions of alarm %s failed", alarm["AlarmName"])

    def dispatch(alarm: dict[str, Any], old_state: str, _new_state: str, _reason: str) -> None:
        if old_state == alarm["StateValue"]:
            return
        previous = _states.get(alarm["AlarmName"]) or {}
        told = detail(alarm, old_state, previous if previous.get("value") == old_state else None)
        _states[alarm["AlarmName"]] = state_of(alarm)
        threading.Thread(
            target=scope.scoped,
            args=(*scope.current(), deliver, dict(alarm), old_state, told),
            daemon=True,
            name="alarm-actions",
        ).start()

    def reset() -> None:
        _states.clear()
        stock_reset()

    cloudwatch._dispatch_alarm_actions = dispatch
    cloudwatch.reset = reset
