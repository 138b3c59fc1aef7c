"""Answers of CloudWatch made from what arms did, and those that were recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests_root import ROOT

from manuel_release.model.metric import Metric, MetricAnswers
from manuel_release.observe.counts import EDGES_MS, ArmSource, Source, fast_metrics, minute_metrics

BEGAN = 1_772_460_000  # a whole minute
FUNCTION = "manuel-query-prod"
SOURCE = Source((FUNCTION,), ArmSource("live", "r-1"), ArmSource("r-2", "r-2"), "manuel-api-prod", "v1")


def recorded() -> tuple[dict[str, Any], MetricAnswers]:
    """The embedded AWS's answers, and what the load generator saw."""
    document = json.loads((ROOT / "tests/situations/canary/both-arms.json").read_text(encoding="utf-8"))
    values = {
        Metric(row["namespace"], row["name"], tuple(row["dimensions"].items()), row["statistic"], row["period"]): {
            int(at): value for at, value in row["values"].items()
        }
        for row in document["answers"]
    }
    return document, MetricAnswers(values)


@dataclass
class Numbers:
    """What CloudWatch would answer; `serve` and `fail` say what happened, at seconds after BEGAN."""

    source: Source = SOURCE
    values: dict[Metric, dict[int, float]] = field(default_factory=dict)

    def add(self, metric: Metric, at: int, number: float) -> None:
        series = self.values.setdefault(metric, {})
        series[at] = series.get(at, 0.0) + number

    def _embedded(self, arm: ArmSource, function: str, name: str, statistic: str = "Sum") -> Metric:
        dimensions = (("service", function), ("release", arm.release))
        return Metric("Manuel/Application", name, dimensions, statistic, self.source.interval_seconds)

    def _lambda(self, arm: ArmSource, function: str, name: str) -> Metric:
        dimensions = (("FunctionName", function), ("Resource", f"{function}:{arm.alias}"))
        return Metric("AWS/Lambda", name, dimensions, "Sum", 60)

    def serve(
        self,
        arm: ArmSource,
        seconds: int,
        requests: int,
        *,
        errors_4xx: int = 0,
        errors_5xx: int = 0,
        milliseconds: float = 80.0,
        invocations: int | None = None,
        function: str = FUNCTION,
        successes: tuple[int, int] | None = None,
    ) -> None:
        """Requests of an interval; Lambda counts as many invocations unless told otherwise."""
        at = BEGAN + seconds
        self.add(self._embedded(arm, function, "Requests"), at, requests)
        self.add(self._embedded(arm, function, "Errors4xx"), at, errors_4xx)
        self.add(self._embedded(arm, function, "Errors5xx"), at, errors_5xx)
        low = ""
        for edge in EDGES_MS:
            if milliseconds <= edge:
                self.add(self._embedded(arm, function, "Duration", f"TC({low}:{edge:g})"), at, requests)
                break
            low = f"{edge:g}"
        if successes is not None:
            attempts, succeeded = successes
            self.add(self._embedded(arm, function, "QuerySuccess", "SampleCount"), at, attempts)
            self.add(self._embedded(arm, function, "QuerySuccess"), at, succeeded)
        counted = requests if invocations is None else invocations
        self.add(self._lambda(arm, function, "Invocations"), at // 60 * 60, counted)
        self.api_failures(seconds, errors_5xx)

    def fail(
        self, arm: ArmSource, seconds: int, *, errors: int = 0, throttles: int = 0, function: str = FUNCTION
    ) -> None:
        """Requests that no embedded metric shows."""
        minute = (BEGAN + seconds) // 60 * 60
        self.add(self._lambda(arm, function, "Invocations"), minute, errors)
        self.add(self._lambda(arm, function, "Errors"), minute, errors)
        self.add(self._lambda(arm, function, "Throttles"), minute, throttles)
        self.api_failures(seconds, errors + throttles)

    def api_failures(self, seconds: int, number: int) -> None:
        """Answers 5xx of the API."""
        dimensions = (("ApiName", self.source.api_name), ("Stage", self.source.api_stage))
        self.add(Metric("AWS/ApiGateway", "5XXError", dimensions, "Sum", 60), (BEGAN + seconds) // 60 * 60, number)

    def answers(self, until: int = 10_000, failed: dict[Metric, str] | None = None) -> MetricAnswers:
        """What is there `until` so many seconds after BEGAN; minutes when they are over."""
        wanted = {*fast_metrics(self.source), *minute_metrics(self.source)}
        assert set(self.values) <= wanted, "a metric that nobody asks for"
        return MetricAnswers(
            {
                metric: {at: v for at, v in values.items() if at + metric.period <= BEGAN + until}
                for metric, values in self.values.items()
            },
            failed or {},
        )
