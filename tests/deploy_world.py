"""An App on an AWS in memory with a packaged artifact: what the tests of `deploy` work with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes import CALLER, Clock, FakeAws, Told

from manuel_release import flow, settings
from manuel_release.app import App
from manuel_release.apply import stage as stage_steps
from manuel_release.model.deploy import DeployRequest
from manuel_release.model.options import GlobalOptions
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from manuel_release.model.entry import EntryKind
    from manuel_release.model.outcome import DeployOutcome
    from manuel_release.model.plan import DeployPlan
    from manuel_release.model.release import ReleaseState

TEMPLATE = """
Parameters:
  Environment: {Type: String, AllowedValues: [dev, staging, prod]}
  ApiVersionStage: {Type: String, Default: dev}
  ReleaseId: {Type: String, Default: r-1}
  Memory: {Type: Number, Default: 128}
Resources:
  manuel-health-dev:
    Type: AWS::Lambda::Function
    Metadata: {Description: A function that answers GET /health.}
"""


class World:
    """One App on a FakeAws, a packaged artifact, and a public URL that answers as the fake's aliases do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, environment: str = "dev") -> None:
        self.clock = Clock()
        self.aws = FakeAws(clock=self.clock)
        self.account_id = ""
        self.only_rehearsed = False
        self.days: tuple[str, ...] = ()
        self.folder = folder
        self.progress = Told()
        self.shown: list[DeployPlan] = []
        self.health_is_up = True
        self.agrees = True
        self.environment = environment
        self.aws.parameters.values.update(
            {settings.LEDGER_PARAMETER: "ledger", settings.ARTIFACTS_PARAMETER: "artifacts"}
        )
        monkeypatch.setattr(stage_steps, "ask", self._answer)
        self.artifact("one")

    def artifact(self, code_digest: str, **parameters: str) -> None:
        short = {"production": "prod"}.get(self.environment, self.environment)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "packaged-template.yaml").write_text(TEMPLATE)
        (self.folder / "artifact.json").write_text(
            json.dumps({"code_digest": code_digest, "commit": "abc1234", "rehearsed": self.days})
        )
        values = {"Environment": short, **parameters}
        for name in ("dev", "staging", "production"):
            (self.folder / f"parameters-{name}.json").write_text(json.dumps(values))

    def _answer(self, url: str, timeout: float = 0) -> stage_steps.Answer:
        if not self.health_is_up:
            return stage_steps.Answer(502, problem="HTTP 502")
        live = next(iter(self.aws.functions.all.values()))
        return stage_steps.Answer(200, live.versions[live.aliases["live"].version])

    def app(self, **options: Any) -> App:
        app = App(GlobalOptions(environment=self.environment, **options), screen=None)  # type: ignore[arg-type]
        usual = settings.Settings()
        ours = tuple(
            replace(one, account_id=self.account_id, rehearsed=self.only_rehearsed) for one in usual.environments
        )
        quick = replace(usual, root=self.folder, health_seconds=5.0, environments=ours)
        for name, value in {"settings": quick, "aws": self.aws, "caller": CALLER}.items():
            app.__dict__[name] = value
        app.now, app.sleep = self.clock.now, self.clock.sleep  # type: ignore[method-assign]
        return app

    def deploy(self, **request: Any) -> DeployOutcome:
        def agree(_: DeployPlan) -> bool:
            return self.agrees

        what = DeployRequest(artifact=self.folder, **request)
        return flow.deploy(self.app(), what, self.progress, self.shown.append, agree)

    def kinds(self) -> list[EntryKind]:
        return [entry.kind for entry in self.app().ledger.entries(self.environment)]

    def states(self) -> dict[str, ReleaseState]:
        return {r.name: r.state for r in releases(self.app().ledger.entries(self.environment))}

    def live(self) -> set[str]:
        """The releases that `live` of the functions is on."""
        return {f.versions[f.aliases["live"].version] for f in self.aws.functions.all.values()}

    def lease(self) -> Any:
        return self.app().ledger.lease(self.environment, "dev")
