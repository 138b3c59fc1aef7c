"""One run: pytest over the categories' folders, and the people and requests that its tests share."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from integration.suites.accounts import Accounts, NotAllowedError
from integration.suites.client import Client
from integration.suites.config import PROFILES
from integration.suites.coverage import Exercised, measure
from integration.suites.faults import Faults
from integration.suites.person import Person
from integration.suites.results import Case, Results, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.suites.accounts import Account
    from integration.suites.config import Config
    from integration.suites.contract import Contract

HERE = Path(__file__).resolve().parent.parent
NAME = "manuel-suites"  # the plugin; without it pytest finds nothing below this folder (conftest.py)
TEST_SECONDS = 300


@dataclass
class Session:
    """The plugin that pytest gets: what the fixtures take from it, and what it collects."""

    config: Config
    contract: Contract
    cases: list[Case] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exercised = Exercised(self.contract)
        self.client = Client(self.config.url, self.exercised, read_only=self.config.profile == "smoke")
        self.accounts = Accounts(self.config)
        self.faults = Faults(self.config)
        self._given: list[Account] | None = None

    @property
    def given(self) -> list[Account]:
        """The accounts that were given, signed in once."""
        if self._given is None:
            self._given = self.accounts.given()
        return self._given

    def tidy(self, now: datetime) -> None:
        """Take away what earlier runs left that were killed; a run that may only read leaves it where it is."""
        if self.client.read_only:
            return
        try:
            for email in self.accounts.stale(now):
                account = self.accounts.entered(email)
                self.leftovers += Person(self.client, account, self.config.learning_seconds).tidy()
                self.accounts.forget(account)
        except NotAllowedError as error:
            sys.stderr.write(f"What earlier runs may have left is not looked for: {error}.\n")
        except (ClientError, BotoCoreError, HTTPException, OSError, AssertionError) as error:
            self.leftovers.append(f"what an earlier run left: {error}")

    def close(self) -> None:
        """Take away what is still there."""
        self.accounts.close()
        self.faults.close()
        self.leftovers += self.accounts.leftovers

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """A test marked `smoke` runs in every profile, one marked `basic` in basic and full, any other in full."""
        allowed = set(PROFILES[: PROFILES.index(self.config.profile) + 1])
        chosen = [
            one for one in items if self.config.profile == "full" or allowed & {m.name for m in one.iter_markers()}
        ]
        config.hook.pytest_deselected(items=[one for one in items if one not in chosen])
        items[:] = chosen

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read is an error of its category."""
        if report.failed:
            self.cases.append(
                Case(
                    _category(report.nodeid),
                    report.nodeid,
                    "error",
                    0.0,
                    "The tests cannot be read.",
                    report.longreprtext,
                )
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test's call, or what went wrong before or after it."""
        if report.when != "call" and report.passed:
            return
        outcome = "error" if report.failed and report.when != "call" else report.outcome
        name = report.nodeid.partition("::")[2]
        self.cases.append(
            Case(
                _category(report.nodeid),
                name,
                outcome,
                report.duration,
                _reason(report),
                "" if report.skipped else report.longreprtext,
                Path(report.nodeid.partition("::")[0]).stem,
            )
        )


def run(config: Config, contract: Contract, categories: Sequence[str], *, first_failure: bool = False) -> Results:
    """Run the categories in one profile, if wanted until the first failure.

    Never raises because of a test; Ctrl-C and SIGTERM end it tidily.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    session = Session(config, contract)
    previous = signal.signal(signal.SIGTERM, _interrupted)
    try:
        session.tidy(started_at)
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the answer
            code = pytest.main(_arguments(categories, first_failure=first_failure), plugins=[_named(session)])
    finally:
        session.close()
        signal.signal(signal.SIGTERM, previous)
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.cases.append(
            Case(categories[0], "the run", "error", 0.0, f"The run ended early ({pytest.ExitCode(code).name}).")
        )
    coverage = measure(
        session.exercised, advanced_security=config.advanced_security, faults=tuple(session.faults.services)
    )
    releases = dict(session.exercised.releases)
    return Results(
        config=config,
        categories=tuple(categories),
        started_at=started_at.strftime("%Y-%m-%dT%H:%M:%S"),
        seconds=time.monotonic() - began,
        cases=tuple(session.cases),
        coverage=coverage,
        gates=judge(config, categories, session.cases, coverage, releases=releases, leftovers=session.leftovers),
        releases=releases,
    )


def _named(session: Session) -> Any:
    """The session, registered under NAME: pytest.main takes plugins without names."""

    class Register:
        def pytest_configure(self, config: pytest.Config) -> None:
            config.pluginmanager.register(session, NAME)

    return Register()


def _arguments(categories: Sequence[str], *, first_failure: bool) -> list[str]:
    return [
        *("-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), "--confcutdir", str(HERE)),
        *("-p", "no:cacheprovider", "--import-mode=importlib", f"--timeout={TEST_SECONDS}"),
        *("-q", "--no-header", "--no-summary", "--tb=short", f"--maxfail={int(first_failure)}"),
        *(str(HERE / "categories" / name) for name in categories),
    ]


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _category(nodeid: str) -> str:
    """`categories/api/test_x.py::test_y` -> `api`."""
    parts = nodeid.split("/")
    return parts[1] if len(parts) > 1 else parts[0]


def _reason(report: pytest.TestReport) -> str:
    """One line: why it was skipped, or the error that ended it."""
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext).partition("\n")[0][:500]
