"""What a function writes to CloudWatch Logs: one stream per sandbox, with Lambda's START, END and REPORT lines.

Formats as in https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html.
"""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from ministack.services import cloudwatch_logs

from manuel_release.rehearsal.emulator import metric_filters

REQUIRES = {
    "ministack.services.cloudwatch_logs._log_groups": None,
    "ministack.services.cloudwatch_logs._create_log_group": ("data",),
    "ministack.services.cloudwatch_logs._create_log_stream": ("data",),
    "ministack.services.cloudwatch_logs._append_log_events": ("stream", "events"),
    "ministack.services.cloudwatch_logs._fanout_to_subscription_filters": ("group_name", "stream_name", "events"),
}

logger = logging.getLogger("lambda")


def install() -> None:
    """Nothing to replace; `invocations` calls `write`."""


def group_of(config: dict[str, Any]) -> str:
    """The log group of a function's configuration."""
    group: str = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    return group


def write(config: dict[str, Any], request_id: str, result: dict[str, Any]) -> None:
    """Write one invocation's lines; `result` is what `workers.execute` returned.

    A log that cannot be written does not fail the invocation, as on AWS.
    """
    version = config.get("Version", "$LATEST")
    lines = [f"START RequestId: {request_id} Version: {version}", *(result.get("log") or "").splitlines()]
    if result.get("error") and isinstance(result.get("body"), dict):
        text = result["body"].get("errorMessage", "")
        if text.startswith("RequestId: "):
            lines.append(text)
    lines += [f"END RequestId: {request_id}", _report(config, request_id, result)]
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    group, stream = group_of(config), result.get("log_stream") or f"[{version}]{request_id}"
    try:
        if group not in cloudwatch_logs._log_groups:
            cloudwatch_logs._create_log_group({"logGroupName": group})
        streams = cloudwatch_logs._log_groups[group]["streams"]
        if stream not in streams:
            cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        cloudwatch_logs._append_log_events(streams[stream], events)
        metric_filters.observe(group, stream, events)
        cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)
    except Exception:
        logger.exception("the log of %s could not be written", config.get("FunctionName"))


def _report(config: dict[str, Any], request_id: str, result: dict[str, Any]) -> str:
    took = result.get("milliseconds") or 0.0
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {took:.2f} ms",
        f"Billed Duration: {math.ceil(took)} ms",
        f"Memory Size: {config.get('MemorySize', 128)} MB",
        f"Max Memory Used: {result.get('memory_mb') or 0} MB",
    ]
    if result.get("init_ms") is not None:
        parts.append(f"Init Duration: {result['init_ms']:.2f} ms")
    return "\t".join(parts)
