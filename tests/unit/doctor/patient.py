"""A patient: an App on an AWS in memory, tools that are shell scripts, and a clone of a small service."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fakes import CALLER, FakeAws, FakeFunction, FakeStacks

from manuel_release import settings as settings_module
from manuel_release.app import App
from manuel_release.doctor.subject import Subject
from manuel_release.model.drift import Detection, DriftedResource
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.options import GlobalOptions
from manuel_release.model.stack import FUNCTION, Stack, StackEvent
from manuel_release.model.traffic import Alias, ApiStage
from manuel_release.record.ledger import entry_id
from manuel_release.view.console import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from manuel_release.model.check import Check

TEMPLATE = """
Parameters:
  Environment: {Type: String, AllowedValues: [dev, staging, prod]}
  Percent: {Type: Number, MaxValue: 100, Default: 0}
  Key: {Type: String, NoEcho: true, Default: ''}
Resources:
  Health: {Type: AWS::Lambda::Function}
"""
OUTPUTS = {"ApiId": "api1", "ApiStage": "v1", "CodeDeployApplicationName": "app"}


@dataclass
class FakeSession:
    """A session that has made these calls."""

    region: str = "eu-west-1"
    calls: tuple[Any, ...] = ()


class Stacks(FakeStacks):
    """Stacks whose last operation failed with the events in `past`."""

    def latest_event(self, name: str) -> StackEvent | None:
        return self.past[-1] if self.past else None

    def events(self, name: str, after: Any = None, token: str | None = None) -> tuple[StackEvent, ...]:
        return tuple(event for event in self.past if token in {None, event.token})

    def objections(self, *, change_set: str = "", stack: str = "") -> tuple[StackEvent, ...]:
        return ()


@dataclass
class FakeBuckets:
    there: set[str] = field(default_factory=lambda: {"artifacts"})

    def exists(self, bucket: str) -> bool:
        return bucket in self.there


@dataclass
class FakeDrift:
    """A detection that ends as `ended` says, with these resources; waiting takes all the time it is given."""

    aws: FakeAws
    ended: Detection | None = field(default_factory=lambda: Detection(complete=True))
    found: tuple[DriftedResource, ...] = ()
    begun: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def begin(self, stack: str) -> str:
        self.begun.append(stack)
        return f"d-{stack}"

    def wait(self, detection_id: str, seconds: float) -> Detection | None:
        assert detection_id.removeprefix("d-") in self.begun
        self.waited.append(seconds)
        if self.ended is None:
            self.aws.clock.sleep(seconds)
        return self.ended

    def resources(self, stack: str) -> tuple[DriftedResource, ...]:
        return self.found


class Patient:
    """What is examined; everything is as it should be until a test breaks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.aws: Any = FakeAws()
        self.aws.stacks = Stacks(self.aws)
        self.aws.session, self.aws.buckets, self.aws.drift = FakeSession(), FakeBuckets(), FakeDrift(self.aws)
        self.settings = replace(settings_module.Settings(), source="manuel-release.toml", root=folder)
        self.options = GlobalOptions()
        self.told = io.StringIO()
        self.clone()
        self.bootstrapped()

    def clone(self) -> None:
        (self.folder / "template.yaml").write_text(TEMPLATE)
        (self.folder / "manuel-release.toml").write_text("")
        for environment in self.settings.environments:
            (self.folder / environment.parameters_file).write_text(f'{{"Environment": "{environment.short}"}}')

    def bootstrapped(self) -> None:
        name = settings_module.OPERATIONS_STACK
        self.aws.stacks.there[name] = Stack(name, "arn:ops", "CREATE_COMPLETE")
        self.aws.parameters.values.update(
            {
                settings_module.LEDGER_PARAMETER: "ledger",
                settings_module.ARTIFACTS_PARAMETER: "artifacts",
                settings_module.SSM_NAME: "",
            }
        )

    @property
    def app(self) -> App:
        app = App(self.options, Screen(io.StringIO(), self.told))
        app.__dict__.update(settings=self.settings, aws=self.aws, caller=CALLER)
        app.now, app.sleep = self.aws.clock.now, self.aws.clock.sleep  # type: ignore[method-assign]
        return app

    def subject(self, name: str = "dev") -> Subject:
        app = self.app
        return Subject(app, app.settings.environment(name))

    def stack(self, status: str, name: str = "manuel-dev", reason: str = "") -> Stack:
        self.aws.stacks.there[name] = Stack(name, f"arn:{name}", status, reason, outputs=OUTPUTS)
        return self.aws.stacks.there[name]

    def failure(self, logical_id: str, status: str, reason: str) -> None:
        """The last operation of the stack failed with this."""
        event = StackEvent("e1", self.aws.clock.now(), logical_id, logical_id, FUNCTION, status, reason)
        self.aws.stacks.past.append(event)

    def deployed(self, *functions: str, releases: int = 2) -> None:
        """Functions with releases r-1 to r-<releases> on the versions of those numbers; the last one is live."""
        self.stack("UPDATE_COMPLETE")
        self.aws.gateway.stages["api1"] = ApiStage("api1", "v1", "d1", {"release": "live"})
        for name in functions:
            self.aws.functions.all[name] = FakeFunction(aliases={"live": Alias(name, "live", str(releases))})
        for number in range(1, releases + 1):
            for name in functions:
                self.aws.functions.all[name].aliases[f"r-{number}"] = Alias(name, f"r-{number}", str(number))
            self.live(f"r-{number}", dict.fromkeys(functions, str(number)))

    def live(self, release: str, versions: dict[str, str]) -> None:
        self.aws.clock.sleep(1)
        now = self.aws.clock.now()
        entry = Entry(
            entry_id(now), "dev", "v1", now, EntryKind.RELEASE_LIVE, release, "ann", details={"versions": versions}
        )
        self.app.ledger.append(entry)

    def aliases_of(self, function: str) -> dict[str, Alias]:
        return self.aws.functions.all[function].aliases


@dataclass
class Tools:
    """The folder of environments that MANUEL_ENVS names, with programs that print what a test says."""

    folder: Path

    def program(self, name: str, *lines: str, code: int = 0) -> None:
        path = self.folder / "build" / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in lines), f"exit {code}", ""]))
        path.chmod(0o755)


def only(checks: Iterable[Check]) -> Check:
    """The one result that there is."""
    (found,) = checks
    return found
