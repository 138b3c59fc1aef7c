"""CloudWatch: alarms and their states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.model.traffic import Alarm

if TYPE_CHECKING:
    from manuel_release.aws.session import Session


class Alarms:
    """Reads alarms."""

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
