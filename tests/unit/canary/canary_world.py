"""Production on an AWS in memory: r-1 holds 100 %, r-2 is staged, and requests are counted as one says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from deploy_world import World
from fakes import START

from manuel_release import canary
from manuel_release.model.canary_change import CanaryRequest
from manuel_release.model.metric import MetricAnswers
from manuel_release.model.people import People

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from manuel_release.app import App
    from manuel_release.errors import ReleaseError
    from manuel_release.model.canary_change import CanaryOutcome, CanaryPlan
    from manuel_release.model.entry import Entry
    from manuel_release.model.metric import Metric
    from manuel_release.model.traffic import ApiStage

ON_CALL = "arn:aws:iam::123456789012:user/ann"


@dataclass
class FakePermissions:
    """Everything is allowed but what is in `refused`; `fault` is raised by every question."""

    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    fault: ReleaseError | None = None

    def role_exists(self, arn: str) -> bool:
        if self.fault is not None:
            raise self.fault
        return arn not in self.gone

    def denied(self, principal: str, action: str, resources: Any) -> tuple[str, ...]:
        if self.fault is not None:
            raise self.fault
        return self.refused.get(action, ())


class Traffic:
    """CloudWatch's answers for a service that gets `per_second` requests, split as the stage says."""

    def __init__(self, world: CanaryWorld) -> None:
        self._world = world
        self.per_second = 40.0
        self.bad_percent = 0.0
        self.broken: ReleaseError | None = None

    def read(self, metrics: Any, start: datetime, end: datetime) -> MetricAnswers:
        if self.broken is not None:
            raise self.broken
        shares = self._world.shares()
        busy = min(self._world.aws.functions.all)  # one function gets everything
        values: dict[Metric, dict[int, float]] = {}
        for metric in metrics:
            first = int(start.timestamp()) // metric.period * metric.period
            moments = range(first, int(end.timestamp()) - metric.period + 1, metric.period)
            dimensions = dict(metric.dimensions)
            if dimensions.get("FunctionName", dimensions.get("service", busy)) != busy:
                continue
            named = dimensions.get("Resource", "").partition(":")[2]
            release = dimensions.get("release") or ("r-1" if named == "live" else named)
            found = {at: self._value(metric, release, _share(shares, at)) for at in moments}
            values[metric] = {at: value for at, value in found.items() if value}
        return MetricAnswers(values, {})

    def _value(self, metric: Metric, release: str, share: float) -> float:
        part = share if release == "r-2" else 1.0 - share if release == "r-1" else 0.0
        requests = round(self.per_second * metric.period * part)
        failures = round(requests * self.bad_percent / 100.0) if release == "r-2" else 0
        match metric.name:
            case "Requests" | "Invocations":
                return requests
            case "Errors5xx":
                return failures
            case "5XXError":
                return round(round(self.per_second * metric.period * share) * self.bad_percent / 100.0)
            case "Duration":
                return requests if metric.statistic == "TC(50:100)" else 0.0
        return 0.0


def _share(shares: list[tuple[float, float]], at: int) -> float:
    return next((share for since, share in reversed(shares) if since <= at), 0.0)


class CanaryWorld(World):
    """`start`, `promote`, `abort` and `extend` as the command line calls them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch, "production")
        self.plans: list[CanaryPlan] = []
        self.people = People(on_call=(ON_CALL,))
        self.settings: dict[str, Any] = {"probe_seconds": 0.1}
        self.permissions = FakePermissions()
        self.aws.permissions = self.permissions  # type: ignore[attr-defined]
        self.traffic = Traffic(self)
        self.aws.topics = None  # type: ignore[attr-defined]
        for code in ("one", "two"):
            self.artifact(code)
            self.wait(60)
            self.deploy()
        self.wait(60)
        self.aws.codedeploy_seconds = 30.0
        self.aws.metrics = self.traffic  # type: ignore[assignment]
        self.aws.calls.clear()

    @property
    def stage(self) -> ApiStage:
        return self.aws.gateway.stages["api1"]

    def shares(self) -> list[tuple[float, float]]:
        """The canary's share (0-1) and since when, by what the ledger says."""
        moved = [entry for entry in self.entries() if entry.kind.value in {"canary_started", "canary_promoted"}]
        return [(entry.at.timestamp(), float(entry.details["percent"]) / 100.0) for entry in moved]

    def entries(self) -> tuple[Entry, ...]:
        return self.app().ledger.entries("production")

    def app(self, **options: Any) -> App:
        app = super().app(**options)
        app.__dict__["settings"] = replace(app.settings, people=self.people, **self.settings)
        return app

    def start(self, **given: Any) -> CanaryOutcome:
        request = CanaryRequest(**given)
        return self._later(canary.start(self.app(), request, self.progress, self.plans.append, self._agree))

    def promote(self, percent: float | None = None, **given: Any) -> CanaryOutcome:
        request = CanaryRequest(percent=percent, **given)
        return self._later(canary.promote(self.app(), request, self.progress, self.plans.append, self._agree))

    def abort(self, **given: Any) -> CanaryOutcome:
        request = CanaryRequest(**given)
        return self._later(canary.abort(self.app(), request, self.progress, self.plans.append, self._agree))

    def _later(self, outcome: CanaryOutcome) -> CanaryOutcome:
        """Commands are not typed at the same moment: entries are sorted by time."""
        self.wait(1)
        return outcome

    def _agree(self, _: CanaryPlan) -> bool:
        return self.agrees

    def wait(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    def good(self) -> None:
        """Twenty minutes of requests to both arms, which are alike."""
        self.wait(1200)


__all__ = ["ON_CALL", "START", "CanaryWorld", "FakePermissions"]
