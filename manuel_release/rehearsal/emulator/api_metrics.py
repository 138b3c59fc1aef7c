"""Metrics of REST APIs in CloudWatch: namespace AWS/ApiGateway, dimensions ApiName, and ApiName with Stage.

Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics". Latencies are milliseconds; the
errors are 0 or 1 for each request, so that Sum counts and Average is the rate. No dimension tells the canary from the
stage: none is documented (the access log's isCanaryRequest and Lambda's metrics by alias do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import cloudwatch

from manuel_release.rehearsal.emulator import exchange as exchanges

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.exchange import Exchange

REQUIRES = {
    "ministack.services.cloudwatch.record_metric": ("namespace", "metric_name", "value", "unit", "dimensions"),
}

NAMESPACE = "AWS/ApiGateway"


def record(exchange: Exchange) -> None:
    """Add one request to the API's metrics."""
    api = {"ApiName": exchange.parts["_rest_apis"]["name"]}
    values = {
        "Count": (1, "Count"),
        "4XXError": (int(400 <= exchange.status < 500), "Count"),
        "5XXError": (int(exchange.status >= 500), "Count"),
        "Latency": (exchange.latency_ms, "Milliseconds"),
    }
    if exchange.integration is not None and exchange.integration.latency_ms is not None:
        values["IntegrationLatency"] = (exchange.integration.latency_ms, "Milliseconds")
    for dimensions in (api, {**api, "Stage": exchange.stage["stageName"]}):
        for name, (value, unit) in values.items():
            cloudwatch.record_metric(NAMESPACE, name, value, unit, dimensions)


def install() -> None:
    """Watch the requests."""
    exchanges.observers.append(record)
