"""The command line in process, with an App that talks to nobody."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from unit.record.memory_table import MemoryTable

from manuel_release.app import App
from manuel_release.cli import root
from manuel_release.model.caller import Caller
from manuel_release.record import Ledger
from manuel_release.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from manuel_release.model.entry import Entry, Freeze, Lease
    from manuel_release.model.options import GlobalOptions
    from manuel_release.view.console import Screen

NOW = datetime(2026, 3, 2, 14, 0, 0, tzinfo=UTC)


class NoStacks:
    """An account without a stack."""

    def describe(self, name: str) -> None:
        return None


class Ann:
    """Who asks."""

    def caller(self) -> Caller:
        return Caller("123456789012", "arn:aws:iam::123456789012:user/ann", "eu-west-1")


class NoParameters:
    """A Parameter Store without a parameter."""

    def get(self, name: str) -> None:
        return None


@dataclass
class EmptyAws:
    """An account in which nothing was ever made."""

    parameters: NoParameters = field(default_factory=NoParameters)
    stacks: NoStacks = field(default_factory=NoStacks)
    identity: Ann = field(default_factory=Ann)


@dataclass
class KnownEntries:
    """A ledger with these entries and no lease."""

    known: tuple[Entry, ...] = ()

    def entries(self, environment: str, api_stage: str | None = None, limit: int | None = None) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.known if entry.environment == environment)

    def frozen(self, environment: str) -> Freeze | None:
        return None

    def lease(self, environment: str, api_stage: str) -> Lease | None:
        return None


class OfflineApp(App):
    """The App as it is, with other things in its places."""

    aws: Any = EmptyAws()
    settings = Settings()
    known: Any = None

    @property
    def ledger(self) -> Any:
        if isinstance(self.known, Exception):
            raise self.known
        return self.known

    def now(self) -> datetime:
        return NOW


@dataclass
class Shell:
    """`shell(*arguments)` runs the command line.

    ledger: what the App's ledger is, or the error that asking for it raises. aws: what it talks to instead of an empty
    account. fail: raised instead of making an App.
    options: those that the last App got.
    """

    ledger: Any = field(default_factory=KnownEntries)
    aws: Any = None
    seen: list[GlobalOptions] = field(default_factory=list)
    fail: BaseException | None = None

    def build(self, options: GlobalOptions, screen: Screen) -> App:
        self.seen.append(options)
        if self.fail is not None:
            raise self.fail
        app = OfflineApp(options, screen)
        app.known = self.ledger
        app.aws = self.aws or app.aws
        return app

    def __call__(self, *arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(root, arguments, obj=self.build, env=environ)

    @property
    def options(self) -> GlobalOptions:
        return self.seen[-1]


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine remembers nothing of other tests, and whoever runs them keeps their own cache as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)


@pytest.fixture
def ledger() -> Ledger:
    """A ledger in memory whose clock stands at NOW."""
    return Ledger(MemoryTable(), lambda: NOW)


@pytest.fixture
def shell() -> Callable[..., Result]:
    return Shell()
