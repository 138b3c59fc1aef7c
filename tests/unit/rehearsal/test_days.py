"""The days of a rehearsal: who decides at the gates, what is pushed once, and what an interruption has spoilt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import Told

from manuel_release.errors import EmulatorError
from manuel_release.model.pipeline import ActionRun, Execution, ExecutionStatus
from manuel_release.rehearsal import days as module
from manuel_release.rehearsal import execution, faults, workspace
from manuel_release.rehearsal.days import Days
from manuel_release.rehearsal.recorder import Recorder

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUNS, DONE, FAILED = ExecutionStatus.IN_PROGRESS, ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED


def run(stage: str, action: str, status: ExecutionStatus) -> ActionRun:
    return ActionRun("e-1", stage, action, "Approval", status, NOON, NOON + timedelta(seconds=4))


@dataclass
class Pipelines:
    """An execution that ends as `ends` say, one after the other; `retry` begins the next."""

    ends: list[ExecutionStatus]
    runs_: list[ActionRun]
    retried: list[str] = field(default_factory=list)
    revision: str = ""

    def executions(self, _name: str, _limit: int) -> tuple[Execution, ...]:
        return (Execution("e-1", self.ends[0], revision=self.revision),)

    def runs(self, _name: str, _execution: str) -> list[ActionRun]:
        return self.runs_

    def retry(self, _name: str, stage: str, _execution: str) -> str:
        self.retried.append(stage)
        self.ends.pop(0)
        return "e-1"


@dataclass
class World:
    """Days on an account that has an execution, in a folder that may have a journal already."""

    folder: Path
    asked: list[str] = field(default_factory=list)

    def days(self, pipelines: Pipelines) -> Days:
        aws: Any = SimpleNamespace(pipelines=pipelines, session=None, parameters={"/manuel/pipeline/name": "it"})
        return Days(aws, "http://127.0.0.1:9", self.folder, Recorder(self.folder, Told()), self.asked.append, "it")

    def interrupted(self) -> None:
        Recorder(self.folder, Told()).journal.once("something", lambda: 1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(execution, "LOOK_SECONDS", 0.0)
    return World(tmp_path)


def test_a_person_is_told_what_to_type_where_there_is_no_person_of_the_rehearsal(world) -> None:
    pipelines = Pipelines(
        [DONE], [run("ProductionApproval", "DevOps", RUNS), run("ProductionApproval", "Product", RUNS)]
    )
    days = world.days(pipelines)
    days.files = {"devops": world.folder / "devops.env", "product": world.folder / "product.env"}

    days.good("e-1", lambda _: None)

    assert [line.partition(". In")[0] for line in world.asked] == [
        "ProductionApproval waits for devops",
        "ProductionApproval waits for product",
    ]
    assert (
        f". {world.folder}/product.env; manuel-release approval approve --gate production --role product"
        in (world.asked[1])
    )


def test_a_stage_that_fails_runs_again_only_in_a_rehearsal_that_is_resumed(world) -> None:
    first = Pipelines([FAILED, DONE], [run("TestStaging", "IntegrationTest", FAILED)])
    with pytest.raises(EmulatorError, match="TestStaging/IntegrationTest Failed"):
        world.days(first).good("e-1", lambda _: None)
    world.interrupted()
    second = Pipelines([FAILED, DONE], [run("TestStaging", "IntegrationTest", FAILED)])

    world.days(second).good("e-1", lambda _: None)

    assert (first.retried, second.retried) == ([], ["TestStaging"])


def committed(folder: Path) -> str:
    folder.mkdir()
    (folder / "file").write_text("x")
    workspace.commit(folder, folder.name)
    return workspace.last_commit(folder)[0]


def test_what_was_pushed_is_not_pushed_again(world) -> None:
    pipelines = Pipelines([RUNS], [], revision=committed(world.folder / "v3"))

    assert world.days(pipelines).push("v3") == "e-1"


def test_the_first_execution_is_known_when_it_has_read_its_source(world, monkeypatch) -> None:
    revision, pipelines = committed(world.folder / "v2"), Pipelines([RUNS], [])
    monkeypatch.setattr(module.time, "sleep", lambda _: setattr(pipelines, "revision", revision))

    assert world.days(pipelines).first("v2") == "e-1"


def test_a_pipeline_that_reads_something_else_is_said(world, monkeypatch) -> None:
    committed(world.folder / "v2")
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.0)

    with pytest.raises(EmulatorError, match="has not begun with v2"):
        world.days(Pipelines([RUNS], [], revision="another")).first("v2")


def test_nothing_is_put_where_there_is_a_pipeline(world) -> None:
    world.days(Pipelines([RUNS], [])).put("v2")  # there is no such folder, and nobody listens


@pytest.mark.parametrize("kind", ["observer", "alarm"])
def test_a_fault_that_was_not_made_is_no_rehearsed_day(world, kind) -> None:
    fault = faults.chosen(kind, None)
    pipelines = Pipelines([FAILED], [run(fault.stage, fault.action, FAILED)])

    with pytest.raises(EmulatorError, match="was to be made while the rehearsal was interrupted"):
        world.days(pipelines).bad("e-1", fault)


def test_the_observer_is_killed_once(world, monkeypatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(module.mischief, "kill_observer", lambda _: killed.append(1))
    fault = faults.chosen("observer", None)

    for _ in range(2):
        pipelines = Pipelines([FAILED], [run(fault.stage, fault.action, RUNS)])
        with pytest.raises(EmulatorError, match="had to fail"):
            world.days(pipelines).bad("e-1", fault)

    assert killed == [1]
