"""Lines that AWS's services write to CloudWatch Logs by themselves: functions, builds.

They reach metric filters and subscription filters as those do that a client puts.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogsConcepts.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import cloudwatch_logs

from manuel_release.rehearsal.emulator import metric_filters

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUIRES = {
    "ministack.services.cloudwatch_logs._log_groups": None,
    "ministack.services.cloudwatch_logs._create_log_group": ("data",),
    "ministack.services.cloudwatch_logs._create_log_stream": ("data",),
    "ministack.services.cloudwatch_logs._append_log_events": ("stream", "events"),
    "ministack.services.cloudwatch_logs._fanout_to_subscription_filters": ("group_name", "stream_name", "events"),
}


def has_group(group: str) -> bool:
    """Whether there is such a log group."""
    return group in cloudwatch_logs._log_groups


def make_group(group: str) -> None:
    """Make the log group unless it is there."""
    if not has_group(group):
        cloudwatch_logs._create_log_group({"logGroupName": group})


def make(group: str, stream: str) -> None:
    """Make the group and the stream, as far as they are missing."""
    make_group(group)
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})


def append(group: str, stream: str, messages: Sequence[str]) -> None:
    """Write messages, all at this moment; nothing when somebody deleted the group or the stream."""
    streams = cloudwatch_logs._log_groups[group]["streams"] if has_group(group) else {}
    if stream not in streams or not messages:
        return
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message, "ingestionTime": now} for message in messages]
    cloudwatch_logs._append_log_events(streams[stream], events)
    metric_filters.observe(group, stream, events)
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)
