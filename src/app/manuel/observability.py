"""One log line and one set of metrics per request, in CloudWatch's embedded metric format.

Metrics have the dimensions `service` (the function's name, so environments stay apart) and `release`; each pair is
charged as a metric of its own, hence no more. Their resolution is one second: the judge of a canary looks every 10 s.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit

if TYPE_CHECKING:
    from manuel.http import Request
    from manuel.settings import Settings

NAMESPACE = "Manuel/Application"


class Observer:
    """Writes what CloudWatch gets to know about a function's requests."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._logger = Logger(service=settings.function, level=settings.log_level, location=None, use_rfc3339=True)
        self._logger.append_keys(release=settings.release, environment=settings.environment)

    def served(self, request: Request, *, status: int, code: str | None, milliseconds: float) -> None:
        """Record one request: its status, its error's code if it failed, and how long the handler took."""
        line = self._logger.info if status < 500 else self._logger.error
        line(
            "request served",
            request_id=request.request_id,
            method=request.method,
            route=request.route,
            status=status,
            error=code,
            duration_ms=round(milliseconds, 1),
            user=request.subject or None,
            canary=request.canary,
        )
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._settings.function)
        metrics.add_dimension("release", self._settings.release)
        counts = {
            "Requests": 1,
            "Errors4xx": int(400 <= status < 500),
            "Errors5xx": int(status >= 500),
            "QuotaViolations": int(code == "quota_exceeded"),
        }
        for name, value in counts.items():
            metrics.add_metric(name, MetricUnit.Count, value, resolution=MetricResolution.High)
        metrics.add_metric("Duration", MetricUnit.Milliseconds, milliseconds, resolution=MetricResolution.High)
        if request.signed_in_at:
            request.measures.seconds("SessionDuration", max(0.0, time.time() - request.signed_in_at))
        for name, (unit, measured) in request.measures.values.items():
            metrics.add_metric(name, MetricUnit(unit), measured, resolution=MetricResolution.High)
        metrics.flush_metrics()

    def failed(self, request: Request, error: Exception) -> None:
        """Record an unexpected error with its trace, in the log and nowhere else."""
        self._logger.error("request failed", exc_info=error, request_id=request.request_id, route=request.route)
