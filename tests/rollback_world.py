"""Production with releases in it, on an AWS in memory: what the tests of `rollback` work with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deploy_world import World

from manuel_release import rollback
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.rollback import RollbackRequest
from manuel_release.model.traffic import Alias, ApiStage, Canary
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pytest

    from manuel_release.app import App
    from manuel_release.model.rollback import Receipt, Restored

FUNCTIONS = ("manuel-health-dev", "manuel-usage-dev")


class Production(World):
    """r-1 and r-2 held 100 %, r-3 is deployed and waits at 0 %."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder / "artifact", monkeypatch, "production")
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.apps: list[App] = []
        self.told: list[Restored] = []
        for number, code in enumerate(("one", "two", "three"), 1):
            self.artifact(code)
            self.deploy()
            if number == 2:
                self.hold_all("r-2", "r-1")
        self.stage = replace(self.stage, variables={**self.stage.variables, "candidate": "r-3"})
        self.aws.made.clear()
        self.aws.calls.clear()

    @property
    def stage(self) -> ApiStage:
        return self.aws.gateway.stages["api1"]

    @stage.setter
    def stage(self, stage: ApiStage) -> None:
        self.aws.gateway.stages["api1"] = stage

    def record(self, kind: EntryKind, release: str, **details: Any) -> None:
        self.clock.sleep(1)
        app, now = self.app(), self.clock.now()
        app.ledger.append(Entry(entry_id(now), "production", "dev", now, kind, release, "ann", "", details))

    def hold_all(self, release: str, before: str) -> None:
        """As the end of `canary promote 100` leaves it."""
        self.move_live(release)
        variables = {"release": "live", "current": release, "previous": before, "candidate": "none"}
        self.stage = replace(self.stage, variables={**self.stage.variables, **variables}, canary=None)
        self.record(EntryKind.RELEASE_LIVE, release, previous=before)

    def move_live(self, release: str, *functions: str) -> None:
        for name in functions or FUNCTIONS:
            one = self.aws.functions.all[name]
            one.aliases["live"] = Alias(name, "live", one.aliases[release].version, "by-codedeploy")

    def canary(self, percent: float, release: str = "r-3") -> None:
        self.stage = replace(self.stage, canary=Canary(percent, release))
        self.record(EntryKind.CANARY_STARTED, release, percent=percent, stable="r-2")

    def app(self, **options: Any) -> App:
        app = super().app(**options)
        app.now = self._now  # type: ignore[method-assign]
        self.apps = [*getattr(self, "apps", []), app]
        return app

    def _now(self) -> datetime:
        self.clock.sleep(0.001)  # two entries of the ledger are never of the same moment
        return self.clock.now()

    def ledger_is_down(self) -> None:
        self.aws.faults["parameters.get"] = ReleaseError("the table does not answer")
        self.aws.table = self._no_table  # type: ignore[method-assign]

    def ledger_is_up(self) -> None:
        self.aws.faults.pop("parameters.get")
        del self.aws.table

    def _no_table(self, name: str) -> Any:
        raise ReleaseError("the table does not answer")

    def roll_back(self, to: str | None = None, **request: Any) -> Receipt:
        """As typed in a new process."""
        asked = RollbackRequest(**{"to": to, "probe": False, **request})
        return rollback.roll_back(self.app(), asked, self.progress, self.told.append, lambda *_: True)

    def resume(self) -> Receipt | None:
        return rollback.resume(self.app(), "production", self.progress)

    def serving(self) -> set[str]:
        """The releases that answer requests of the API outside a canary."""
        name = self.stage.serving
        functions = self.aws.functions.all.values()
        return {f.versions[f.aliases[name].version] if name in f.aliases else "none" for f in functions}

    def exposed(self) -> set[str]:
        """The releases that answer some request of the API."""
        canary = self.stage.canary
        if canary is None or canary.percent == 0:
            return self.serving()
        return self.serving() | {canary.release or "none"}
