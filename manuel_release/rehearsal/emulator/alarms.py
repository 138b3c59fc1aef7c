"""The alarm engine: evaluates metric alarms on a tick of one second and moves their states.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html. An alarm is evaluated every
minute (every ten seconds when its period is shorter than a minute) over the last complete seconds. MANUEL_ALARM_SPEED
divides periods and that interval, nothing else: thresholds and sample counts stay as they are.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.alarm_evaluation import (
    COMPARISONS,
    EXTRA_PERIODS,
    next_state,
    samples_needed,
)
from manuel_release.rehearsal.emulator.alarm_records import queries_of
from manuel_release.rehearsal.emulator.metric_queries import MetricStat, compute
from manuel_release.rehearsal.emulator.metric_store import percentile_of, series_key
from manuel_release.rehearsal.emulator.metrics_api import store

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.metric_math_evaluation import Series

REQUIRES = {
    "ministack.services.cloudwatch._alarms": None,
    "ministack.services.cloudwatch._evaluate_alarm": ("alarm",),
    "ministack.services.cloudwatch._evaluate_all_alarms": (),
    "ministack.services.cloudwatch._evaluate_parent_alarms": ("child", "seen"),
    "ministack.services.cloudwatch._record_history": (
        "alarm_name",
        "old_state",
        "new_state",
        "reason",
        "alarm_type",
        "reason_data",
    ),
}

TICK_SECONDS = 1.0
SETTLE_SECONDS = 0.3  # a second's datapoints are complete this long after it
PRUNE_SECONDS = 60

logger = logging.getLogger("cloudwatch")


def speed() -> float:
    """How many seconds of an alarm's period pass in one real second."""
    return float(os.environ.get("MANUEL_ALARM_SPEED", "1"))


def scaled(seconds: float) -> int:
    """A period or interval in real seconds, one at least."""
    return max(1, round(seconds / speed()))


class Engine:
    """Evaluates every alarm when its next interval is complete."""

    def __init__(self) -> None:
        self._evaluated: dict[tuple[str, str, str], tuple[int, int]] = {}
        """Alarm -> (end of the window last evaluated, time of the configuration that it had)."""

    def forget(self) -> None:
        """Drop what is known of alarms."""
        self._evaluated.clear()

    def tick(self, now: float) -> None:
        """Evaluate the alarms whose interval has ended by `now` (seconds since 1970)."""
        for account, region in {key[:2] for key in list(cloudwatch._alarms._data)}:
            scope.scoped(account, region, self._tick_scope, account, region, now)

    def _tick_scope(self, account: str, region: str, now: float) -> None:
        for name, alarm in cloudwatch._alarms.items():
            key = (account, region, name)
            try:
                interval = scaled(60 if _period(alarm) >= 60 else 10)
                end = int((now - SETTLE_SECONDS) // interval * interval)
                mark = (end, alarm["AlarmConfigurationUpdatedTimestamp"])
                if self._evaluated.get(key) != mark:
                    self._evaluated[key] = mark
                    evaluate(alarm, end)
            except Exception:
                logger.exception("alarm %s cannot be evaluated", name)


def _period(alarm: dict[str, Any]) -> int:
    return next(query.stat.period for query in queries_of(alarm) if query.stat)


def evaluate(alarm: dict[str, Any], end: int) -> None:
    """Evaluate one alarm over its windows that end before second `end`."""
    queries = queries_of(alarm)
    wanted = next(query for query in queries if query.returned)
    period = scaled(_period(alarm))
    count = alarm["EvaluationPeriods"]
    starts = [end - period * (count + EXTRA_PERIODS - index) for index in range(count + EXTRA_PERIODS)]
    few = alarm.get("EvaluateLowSampleCountPercentile") == "ignore"

    def fetch(stat: MetricStat) -> Series:
        key = series_key(stat.namespace, stat.name, stat.dimensions)
        if stat.unit and stat.unit != store.unit(scope.current(), key):
            return [None] * len(starts)
        samples = [store.window(scope.current(), key, start, start + period) for start in starts]
        return [sample.statistic(stat.statistic) if sample else None for sample in samples]

    if few and wanted.stat and _too_few(wanted.stat, starts, period):
        return
    values = compute(queries, fetch, len(starts), float(period))[wanted.id]
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    state = next_state(
        [None if value is None else breaches(value, alarm["Threshold"]) for value in values],
        alarm["StateValue"],
        periods=count,
        to_alarm=alarm.get("DatapointsToAlarm", count),
        treatment=alarm["TreatMissingData"],
    )
    if state != alarm["StateValue"]:
        move(alarm, state, *_reason(alarm, wanted.stat, list(zip(starts, values, strict=True)), state))


def _too_few(stat: MetricStat, starts: list[int], period: int) -> bool:
    """Whether a percentile's latest period with data has too few of it to mean anything."""
    percent = percentile_of(stat.statistic)
    if percent is None:
        return False
    key = series_key(stat.namespace, stat.name, stat.dimensions)
    samples = [store.window(scope.current(), key, start, start + period) for start in starts]
    sizes = [sample.size() for sample in samples if sample]
    return bool(sizes) and sizes[-1] < samples_needed(percent)


def _reason(
    alarm: dict[str, Any], stat: MetricStat | None, points: list[tuple[int, float | None]], state: str
) -> tuple[str, str]:
    """Why, in CloudWatch's words and as its JSON."""
    known = [(start, value) for start, value in points if value is not None][-alarm["EvaluationPeriods"] :]
    threshold, total = alarm["Threshold"], alarm["EvaluationPeriods"]
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    shown = [each for each in known if breaches(each[1], threshold) == (state == "ALARM")]
    listed = ", ".join(f"{value} ({datetime.fromtimestamp(start, tz=UTC):%d/%m/%y %H:%M:%S})" for start, value in shown)
    words = {
        "GreaterThanOrEqualToThreshold": "greater than or equal to",
        "GreaterThanThreshold": "greater than",
        "LessThanThreshold": "less than",
        "LessThanOrEqualToThreshold": "less than or equal to",
    }[alarm["ComparisonOperator"]]
    was = "was" if len(shown) == 1 else "were"
    text = (
        f"Threshold Crossed: {len(shown)} out of the last {total} datapoints [{listed}] {was} "
        f"{'' if state == 'ALARM' else 'not '}{words} the threshold ({threshold})."
    )
    if not shown:
        text = f"no datapoints were received for {total} period{'s' if total > 1 else ''}"
        if state == "INSUFFICIENT_DATA":
            text = f"Insufficient Data: {text}."
        else:
            text = f"Threshold Crossed: {text} and missing datapoints were treated as [{alarm['TreatMissingData']}]."
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "recentDatapoints": [value for _start, value in known],
        "threshold": threshold,
    }
    if stat:
        data |= {"statistic": stat.statistic, "period": stat.period}
    if known:
        data["startDate"] = datetime.fromtimestamp(known[0][0], tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return text, json.dumps(data)


def move(alarm: dict[str, Any], state: str, reason: str, reason_data: str) -> None:
    """Give an alarm another state: history, event, actions, and the composite alarms above it."""
    old, now = alarm["StateValue"], time.time()
    alarm.update(
        StateValue=state,
        StateReason=reason,
        StateReasonData=reason_data,
        StateUpdatedTimestamp=now,
        StateTransitionedTimestamp=now,
    )
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason, "MetricAlarm", json.loads(reason_data))
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _run(engine: Engine) -> None:
    pruned = time.time()
    while True:
        now = time.time()
        time.sleep(TICK_SECONDS - (now - SETTLE_SECONDS) % TICK_SECONDS)
        engine.tick(time.time())
        if now - pruned > PRUNE_SECONDS:
            pruned = now
            store.prune(now)


def install() -> None:
    """Evaluate on the tick only, and start ticking."""
    engine = Engine()
    stock_reset = cloudwatch.reset

    def reset() -> None:
        engine.forget()
        stock_reset()

    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._evaluate_all_alarms = lambda: None
    cloudwatch.reset = reset
    threading.Thread(target=_run, args=(engine,), daemon=True, name="alarm-engine").start()
