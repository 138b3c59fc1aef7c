"""A build's output in CloudWatch Logs, as the service role may write it.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import cloudwatch_logs

from manuel_release.rehearsal.emulator import metric_filters, scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codebuild.state import Build

REQUIRES = {
    "ministack.services.cloudwatch_logs._log_groups": None,
    "ministack.services.cloudwatch_logs._create_log_group": ("data",),
    "ministack.services.cloudwatch_logs._create_log_stream": ("data",),
    "ministack.services.cloudwatch_logs._append_log_events": ("stream", "events"),
    "ministack.services.cloudwatch_logs._fanout_to_subscription_filters": ("group_name", "stream_name", "events"),
}


class LogStream:
    """The stream of one build; text is kept until its line is complete."""

    def __init__(self, build: Build) -> None:
        self._actor = build.actor
        self._group, self._stream = build.log_place()
        self._rest = ""

    def open(self) -> None:
        """Make group and stream; raises AccessDenied."""
        if not self._group:
            return
        groups = cloudwatch_logs._log_groups
        if self._group not in groups:
            self._require("logs:CreateLogGroup")
            cloudwatch_logs._create_log_group({"logGroupName": self._group})
        self._require("logs:CreateLogStream")
        self._require("logs:PutLogEvents")
        cloudwatch_logs._create_log_stream({"logGroupName": self._group, "logStreamName": self._stream})

    def _require(self, action: str) -> None:
        """Policies name a group with or without the `:*` that stands for its streams."""
        account_id, region = scope.current()
        group = f"arn:aws:logs:{region}:{account_id}:log-group:{self._group}"
        try:
            self._actor.require(action, f"{group}:log-stream:{self._stream}")
        except AccessDenied:
            self._actor.require(action, group)

    def write(self, text: str) -> None:
        """Add what the build printed."""
        *lines, self._rest = (self._rest + text).split("\n")
        self._put(lines)

    def close(self) -> None:
        """Add what is left of an unfinished line."""
        if self._rest:
            self._put([self._rest])
            self._rest = ""

    def _put(self, lines: list[str]) -> None:
        group = cloudwatch_logs._log_groups.get(self._group) if self._group else None
        stream = group["streams"].get(self._stream) if group else None
        if stream is None or not lines:
            return
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line + "\n", "ingestionTime": now} for line in lines]
        cloudwatch_logs._append_log_events(stream, events)
        metric_filters.observe(self._group, self._stream, events)
        cloudwatch_logs._fanout_to_subscription_filters(self._group, self._stream, events)
