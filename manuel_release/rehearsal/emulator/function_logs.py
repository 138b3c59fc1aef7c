"""What a function writes to CloudWatch Logs: one stream per sandbox, with Lambda's START, END and REPORT lines.

Formats as in https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from manuel_release.rehearsal.emulator import log_streams

REQUIRES = log_streams.REQUIRES

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
    group, stream = group_of(config), result.get("log_stream") or f"[{version}]{request_id}"
    try:
        log_streams.make(group, stream)
        log_streams.append(group, stream, lines)
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
