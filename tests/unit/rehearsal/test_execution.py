"""An execution that is followed: what is told, when people are asked, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import Told

from manuel_release.errors import EmulatorError
from manuel_release.model.pipeline import ActionRun, Execution, ExecutionStatus
from manuel_release.rehearsal import execution
from manuel_release.rehearsal.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUNS, DONE, FAILED = ExecutionStatus.IN_PROGRESS, ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED


def run(stage: str, action: str, status: ExecutionStatus, category: str = "Build", **members: Any) -> ActionRun:
    end = NOON + timedelta(seconds=4)
    return ActionRun("e-1", stage, action, category, status, NOON, end, **members)


@dataclass
class Pipelines:
    """Answers look by look; the last answer stays."""

    looks: list[tuple[ExecutionStatus, list[ActionRun]]]
    asked: int = 0

    def executions(self, _name: str, _limit: int) -> tuple[Execution, ...]:
        self.asked += 1
        return (Execution("e-0", DONE), Execution("e-1", self._look[0]))

    def runs(self, _name: str, _execution: str) -> list[ActionRun]:
        return self._look[1]

    @property
    def _look(self) -> tuple[ExecutionStatus, list[ActionRun]]:
        return self.looks[min(self.asked, len(self.looks)) - 1]


@dataclass
class Followed:
    """A follower of recorded looks."""

    told: Told
    recorder: Recorder
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Followed]:
    monkeypatch.setattr(execution, "LOOK_SECONDS", 0.0)

    def do(*looks: tuple[ExecutionStatus, list[ActionRun]], seconds: float = 60.0) -> Followed:
        told = Told()
        made = Followed(told, Recorder(tmp_path, told))
        aws: Any = SimpleNamespace(pipelines=Pipelines(list(looks)))
        follower = execution.Follower(
            aws, "it", "good day", made.recorder, lambda one: made.asked.append(f"{one.stage}/{one.action}")
        )
        made.ended = follower.follow("e-1", seconds)  # type: ignore[attr-defined]
        return made

    return do


def test_stages_are_told_in_their_order_and_with_their_times(follow) -> None:
    source, build = run("Source", "Source", DONE), run("Build", "Build", DONE)

    made = follow(
        (RUNS, [run("Source", "Source", RUNS)]), (RUNS, [source, run("Build", "Build", RUNS)]), (DONE, [source, build])
    )

    assert made.ended is DONE
    assert [end.title for end in made.told.ends] == ["good day: Source", "good day: Build"]
    assert [(stage.name, stage.status, stage.seconds) for stage in made.recorder.done()] == [
        ("good day: Source", "done", 4.0),
        ("good day: Build", "done", 4.0),
    ]


def test_whoever_is_asked_is_asked_once_for_every_action(follow) -> None:
    waits = run("ProductionApproval", "DevOps", RUNS, "Approval")
    looks = [(RUNS, [waits])] * 3
    by = run(
        "ProductionApproval", "DevOps", DONE, "Approval", by="arn:aws:sts::1:assumed-role/d/dora", summary="proceed"
    )

    made = follow(*looks, (DONE, [by]))

    assert made.asked == ["ProductionApproval/DevOps"]
    (action,) = made.recorder.done()[0].actions
    assert action.detail == "dora: proceed"


def test_a_stage_that_failed_says_what_its_action_said(follow) -> None:
    made = follow((FAILED, [run("Build", "Build", FAILED, summary="Build terminated with state: FAILED\nmore")]))

    assert made.ended is FAILED
    assert [(end.status, end.detail) for end in made.told.ends] == [("failed", "Build terminated with state: FAILED")]
    assert made.recorder.done()[0].status == "failed"


def test_of_several_attempts_the_newest_counts(follow) -> None:
    made = follow((DONE, [run("Build", "Build", FAILED), run("Build", "Build", DONE)]))

    assert [end.status for end in made.told.ends] == ["done"]
    assert [(stage.status, len(stage.actions)) for stage in made.recorder.done()] == [("done", 1)]


def test_an_execution_that_does_not_end_is_given_up_and_where_it_is_is_said(follow) -> None:
    with pytest.raises(EmulatorError, match=r"has not ended after 0 s; it is at Build/Build"):
        follow((RUNS, [run("Build", "Build", RUNS)]), seconds=0.0)


def test_stopping_is_not_ended(follow) -> None:
    made = follow((ExecutionStatus.STOPPING, []), (ExecutionStatus.STOPPED, []))

    assert made.ended is ExecutionStatus.STOPPED
