"""CloudWatch Logs: lines that match a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.aws.session import Session


class Logs:
    """Reads log groups."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def matching(self, group: str, pattern: str, start: datetime, end: datetime) -> tuple[str, ...]:
        """Messages of a group from `start` up to but not including `end` that match a filter pattern.

        Empty when there is no such group. Pattern syntax: CloudWatch Logs user guide, "Filter pattern syntax".
        """
        client = self._session.client("logs")
        with translated(f"cannot read the log group {group}"):
            try:
                pages = client.get_paginator("filter_log_events").paginate(
                    logGroupName=group,
                    filterPattern=pattern,
                    startTime=_milliseconds(start),
                    endTime=_milliseconds(end) - 1,  # inclusive, as startTime
                )
                return tuple(event["message"] for page in pages for event in page.get("events", []))
            except client.exceptions.ResourceNotFoundException:
                return ()


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
