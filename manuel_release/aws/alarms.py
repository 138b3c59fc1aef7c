"""CloudWatch: alarms and their states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.aws.metrics import query
from manuel_release.model.traffic import Alarm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from manuel_release.aws.session import Session
    from manuel_release.model.alarm import AlarmDefinition

MOST_DELETED = 100


class Alarms:
    """Reads, makes and deletes alarms."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_prefix(self, prefix: str) -> tuple[Alarm, ...]:
        """Alarms, composite ones too, whose names begin with `prefix`, in the order of their names."""
        paginator = self._session.client("cloudwatch").get_paginator("describe_alarms")
        pages = paginator.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        with translated(f"cannot read the alarms {prefix}*"):
            found = [
                Alarm(
                    name=each["AlarmName"],
                    arn=each["AlarmArn"],
                    state=each["StateValue"],
                    reason=each.get("StateReason", ""),
                )
                for page in pages
                for each in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))
            ]
        return tuple(sorted(found, key=lambda alarm: alarm.name))

    def put(self, alarm: AlarmDefinition) -> None:
        """Make an alarm, or change the one of that name; its state stays."""
        watched: MetricDataQueryTypeDef = {
            "Id": "watched",
            "Expression": alarm.expression,
            "Label": alarm.signal.value,
            "ReturnData": True,
        }
        with translated(f"cannot make the alarm {alarm.name}"):
            self._session.client("cloudwatch").put_metric_alarm(
                AlarmName=alarm.name,
                AlarmDescription=alarm.description,
                ActionsEnabled=False,  # EventBridge hears of every change of state, and nothing else has to
                Metrics=[watched, *(query(name, metric, shown=False) for name, metric in alarm.metrics.items())],
                ComparisonOperator=alarm.comparison.value,
                Threshold=alarm.threshold,
                EvaluationPeriods=alarm.periods,
                DatapointsToAlarm=alarm.periods,
                TreatMissingData="notBreaching",
            )

    def delete(self, names: Sequence[str]) -> None:
        """Delete alarms; harmless for those that are gone."""
        for first in range(0, len(names), MOST_DELETED):
            some = names[first : first + MOST_DELETED]
            with translated(f"cannot delete {len(some)} alarms, the first of them {some[0]}"):
                self._session.client("cloudwatch").delete_alarms(AlarmNames=list(some))
