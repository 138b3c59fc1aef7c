"""Streams, situations and golden screens.

A golden file is what a person sees, at 80 and 120 columns of a terminal and in a pipe. After a wanted change:

    WRITE_GOLDEN=1 .venv/bin/pytest tests/unit/view && git diff tests/unit/view/golden

and read the difference before committing it.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manuel_release.model.caller import Caller
from manuel_release.model.entry import Freeze, Lease
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.plan import (
    CheckHealth,
    DeployPlan,
    ExecuteChangeSet,
    PublishRelease,
    ShiftLive,
    SmokeTest,
    WriteStageVariables,
)
from manuel_release.model.progress import StepResult
from manuel_release.model.release import Release, ReleaseState
from manuel_release.model.stack import Action, Change, ChangeSet, Replacement, Stack
from manuel_release.model.status import Difference, EnvironmentStatus
from manuel_release.model.traffic import Alarm, Canary
from manuel_release.plan.changes import judge
from manuel_release.view.console import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 2, 14, 0, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"


class Stream(io.StringIO):
    """A text stream that can be a terminal and have an encoding."""

    def __init__(self, text: str = "", *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(text)
        self._terminal = terminal
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        text.encode(self._encoding)  # as strict as a real stream
        return super().write(text)


@pytest.fixture
def stream() -> type[Stream]:
    return Stream


@pytest.fixture
def now() -> datetime:
    return NOW


def _drawn(drawing: object, where: str, encoding: str = "utf-8") -> str:
    stdout = Stream(terminal=where != "pipe", encoding=encoding)
    Screen(stdout, Stream(), width=None if where == "pipe" else int(where), no_color=True).show(drawing)
    return "".join(f"{line.rstrip()}\n" for line in stdout.getvalue().splitlines())


@pytest.fixture
def drawn() -> Callable[..., str]:
    """A drawing as text: `drawn(drawing, where, encoding)`, where is `80`, `120` or `pipe`."""
    return _drawn


@pytest.fixture(params=["80", "120", "pipe"])
def golden(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Compare a drawing with its golden file."""

    def compare(name: str, drawing: object) -> None:
        path = GOLDEN / f"{name}-{request.param}.txt"
        text = _drawn(drawing, request.param)
        if os.environ.get("WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"no golden screen {path.name}; tests/unit/view/conftest.py says how to write it"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def golden_document() -> Callable[[str, object], None]:
    """Compare a document for scripts with its golden file."""

    def compare(name: str, document: object) -> None:
        path = GOLDEN / f"{name}.json"
        text = json.dumps(document, indent=2) + "\n"
        if os.environ.get("WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def plan() -> DeployPlan:
    """An update of production with everything that a change set can hold."""
    changes = (
        Change(
            Action.MODIFY,
            "HealthFunction",
            "manuel-health-prod",
            "AWS::Lambda::Function",
            properties=("Code", "Environment"),
            description="Answers GET /health without touching a dependency unless it is asked for the deep check",
        ),
        Change(Action.ADD, "UsageTable", "", "AWS::DynamoDB::Table", description="Counts of requests per user"),
        Change(Action.REMOVE, "OldTopic", "manuel-old", "AWS::SNS::Topic"),
        Change(Action.DYNAMIC, "Nested", "", "AWS::CloudFormation::Stack"),
        Change(
            Action.MODIFY,
            "ManualsBucketNotificationPermission",
            "x",
            "AWS::Lambda::Permission",
            Replacement.YES,
            ("SourceArn",),
            description="Lets the manuals bucket call the function",
        ),
        Change(
            Action.MODIFY,
            "Api",
            "abc123",
            "AWS::ApiGateway::RestApi",
            Replacement.PERHAPS,
            ("Body",),
            description="The public API",
        ),
    )
    found = ChangeSet("arn:change-set", "manuel-prod", changes)
    return DeployPlan(
        environment="production",
        api_stage="v1",
        release="r-14",
        digest="d" * 64,
        code_digest="c" * 64,
        commit="9d01c22f00ba4de9d01c22f00ba4de9d01c22f00-dirty",
        change_set=found,
        changes=judge(found),
        steps=(
            ExecuteChangeSet("manuel-prod", "arn:change-set", "token"),
            PublishRelease("manuel-prod", "r-14", ("r-12", "r-13")),
            SmokeTest("manuel-prod", "r-14", "prod"),
        ),
        serves_at_end=False,
        previous="r-13",
        warnings=("red before this deploy, and so not watched by it: manuel-prod-health-errors-too-high",),
    )


@pytest.fixture
def first_plan(plan: DeployPlan) -> DeployPlan:
    """The creation of dev."""
    kinds = ("AWS::Lambda::Function",) * 3 + ("AWS::DynamoDB::Table",) * 2 + ("AWS::ApiGateway::RestApi",)
    changes = tuple(Change(Action.ADD, f"Resource{n}", "", kind, description="One") for n, kind in enumerate(kinds))
    found = ChangeSet("arn:change-set", "manuel-dev", changes, creates_stack=True)
    return replace(
        plan,
        environment="dev",
        release="r-1",
        previous=None,
        serves_at_end=True,
        warnings=(),
        change_set=found,
        changes=judge(found),
        steps=(
            *plan.steps,
            ShiftLive("manuel-dev", "r-1"),
            WriteStageVariables("manuel-dev", {"current": "r-1"}),
            CheckHealth("manuel-dev", "r-1"),
        ),
    )


@pytest.fixture
def caller() -> Caller:
    return Caller("123456789012", "arn:aws:sts::123456789012:assumed-role/Developer/alice", "eu-west-1")


@pytest.fixture
def results() -> tuple[StepResult, ...]:
    return (
        StepResult("Update the stack", "done", 61.5, "6 resources"),
        StepResult("Publish versions and release aliases", "skipped", 0.25),
    )


@pytest.fixture
def staged(plan: DeployPlan, results: tuple[StepResult, ...]) -> DeployOutcome:
    return DeployOutcome(
        "production",
        "v1",
        "r-14",
        OutcomeStatus.STAGED,
        previous="r-13",
        results=results,
        url="https://abc123.execute-api.eu-west-1.amazonaws.com/v1",
        next_command="manuel-release status --env production",
        plan=plan,
    )


def _release(number: int, state: ReleaseState, hours: float, **more: object) -> Release:
    return Release(
        f"r-{number}", "production", "v1", state, NOW - timedelta(hours=hours), "alice (alice@laptop)", **more
    )


@pytest.fixture
def releases() -> tuple[Release, ...]:
    """One release in each state, newest first."""
    return (
        _release(19, ReleaseState.DEPLOYING, 0.05, commit="1111111aaaaaaa"),
        _release(18, ReleaseState.STAGED, 1, commit="2222222aaaaaaa", reason="faster answers"),
        _release(
            17,
            ReleaseState.LIVE,
            26,
            commit="3333333aaaaaaa-dirty",
            reason="The quota counter no longer loses a request when two arrive at once",
            live_at=NOW - timedelta(hours=25),
            versions={"manuel-health-prod": "17"},
            digest="d17",
            code_digest="c17",
        ),
        _release(
            16,
            ReleaseState.FAILED,
            49,
            commit="4444444aaaaaaa",
            reason="new model",
            failure="smoke test of manuel-usage-prod: Runtime.ImportModuleError: No module named 'boto4'",
        ),
        _release(
            15,
            ReleaseState.ROLLED_BACK,
            72,
            commit="5555555aaaaaaa",
            live_at=NOW - timedelta(hours=71),
            rolled_back_at=NOW - timedelta(hours=70),
        ),
        replace(_release(14, ReleaseState.REPLACED, 24 * 40), by="deploy-role", commit=""),
    )


def alarm(name: str, state: str) -> Alarm:
    return Alarm(f"manuel-prod-{name}", f"arn:{name}", state)


@pytest.fixture
def healthy() -> EnvironmentStatus:
    """Dev, where all is well."""
    return EnvironmentStatus(
        "dev",
        "v1",
        "manuel-dev",
        found=Stack("manuel-dev", "arn:dev", "UPDATE_COMPLETE"),
        live_release="r-22",
        alarms=(alarm("a", "OK"), alarm("b", "OK"), alarm("c", "INSUFFICIENT_DATA")),
    )


@pytest.fixture
def troubled(releases: tuple[Release, ...]) -> EnvironmentStatus:
    """Production, where all that can be wrong is."""
    return EnvironmentStatus(
        "production",
        "v1",
        "manuel-prod",
        found=Stack("manuel-prod", "arn:prod", "UPDATE_ROLLBACK_COMPLETE", "UsageTable: the name is taken"),
        live_release="r-17",
        pinned_release="r-14",
        canary=Canary(10.0, "r-18"),
        alarms=(alarm("errors-too-high", "ALARM"), alarm("b", "OK"), alarm("latency-too-high", "ALARM")),
        unfinished=releases[:1],
        waiting=releases[1],
        serving_differs=(Difference("manuel-usage-prod", "live", "7", "9"),),
        pending_approvals=("DevOps",),
        freeze=Freeze("production", "bob", "fair in Cologne", NOW - timedelta(hours=5), NOW + timedelta(days=3)),
        note="the alarms of r-18 could not be read",
    )


@pytest.fixture
def busy(releases: tuple[Release, ...]) -> EnvironmentStatus:
    """Staging, where somebody deploys."""
    return EnvironmentStatus(
        "staging",
        "v1",
        "manuel-staging",
        found=Stack("manuel-staging", "arn:staging", "UPDATE_IN_PROGRESS"),
        live_release="r-18",
        lease=Lease(
            "staging",
            "v1",
            "bob (bob@build-7)",
            "deploy 1111111aaaaa",
            "secret-token",
            NOW - timedelta(minutes=2),
            NOW + timedelta(minutes=13),
        ),
        unfinished=(replace(releases[0], environment="staging"),),
    )


@pytest.fixture
def empty() -> EnvironmentStatus:
    """An environment that nobody has deployed to."""
    return EnvironmentStatus("dev", "", "manuel-dev")
