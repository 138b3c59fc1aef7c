"""An execution of the pipeline, followed: its stages become stages of the rehearsal, and people answer its gates."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manuel_release.errors import EmulatorError
from manuel_release.model.pipeline import ExecutionStatus
from manuel_release.model.progress import StepResult
from manuel_release.model.rehearsal import RehearsedAction
from manuel_release.rehearsal.recorder import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from manuel_release.aws import Aws
    from manuel_release.model.pipeline import ActionRun
    from manuel_release.rehearsal.recorder import Recorder

LOOK_SECONDS = 0.5
RUNS = ExecutionStatus.IN_PROGRESS


@dataclass
class Follower:
    """Follows one execution to its end.

    name: of the pipeline. day: said before the stages' names, such as "good day". on_run: called once with every run
    of an action that is under way, in a stage of the pipeline; answers gates, and makes things go wrong.
    """

    aws: Aws
    name: str
    day: str
    recorder: Recorder
    on_run: Callable[[ActionRun], None]
    _told: set[tuple[str, str]] = field(default_factory=set)
    _stages: dict[str, Stage] = field(default_factory=dict)

    def follow(self, execution_id: str, timeout_seconds: float) -> ExecutionStatus:
        """Until the execution has ended; how it did. Raises EmulatorError after the time-out."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            ended = self._status(execution_id)
            runs = self.aws.pipelines.runs(self.name, execution_id)
            self._tell(runs)
            if ended is not None:
                self._close(runs)
                return ended
            if time.monotonic() > deadline:
                raise EmulatorError(f"the pipeline has not ended after {timeout_seconds:.0f} s; it is at {_at(runs)}")
            time.sleep(LOOK_SECONDS)

    def _status(self, execution_id: str) -> ExecutionStatus | None:
        for one in self.aws.pipelines.executions(self.name, 20):
            if one.id == execution_id:
                over = one.status not in {RUNS, ExecutionStatus.STOPPING}
                return one.status if over else None
        return None

    def _tell(self, runs: Sequence[ActionRun]) -> None:
        by_stage: dict[str, list[ActionRun]] = {}
        for run in {(run.stage, run.action): run for run in runs}.values():  # of several attempts the newest
            by_stage.setdefault(run.stage, []).append(run)
        for number, (stage, found) in enumerate(by_stage.items()):
            if stage not in self._stages:
                self._stages[stage] = Stage(f"{self.day}: {stage}")
                self.recorder.stages.append(self._stages[stage])
                self.recorder.progress.start(self._stages[stage].name)
            self._stages[stage].actions[:] = [_action(run) for run in found]
            if number + 1 < len(by_stage):
                self._end(stage)
            for run in found:
                if run.status is RUNS and (stage, run.action) not in self._told:
                    self._told.add((stage, run.action))
                    self.on_run(run)

    def _close(self, runs: Sequence[ActionRun]) -> None:
        for stage in dict.fromkeys(run.stage for run in runs):
            self._end(stage)

    def _end(self, stage: str) -> None:
        """Tell that a stage is over, once."""
        if (stage, "") in self._told:
            return
        self._told.add((stage, ""))
        actions = self._stages[stage].actions
        failed = next((one for one in actions if one.status == "failed"), None)
        seconds = sum(one.seconds for one in actions)
        self.recorder.progress.end(
            StepResult(
                self._stages[stage].name,
                "failed" if failed else "done",
                seconds,
                failed.detail.splitlines()[0] if failed and failed.detail else "",
            )
        )


def _action(run: ActionRun) -> RehearsedAction:
    failed = run.status in {ExecutionStatus.FAILED, ExecutionStatus.STOPPED, ExecutionStatus.CANCELLED}
    seconds = (run.changed_at - run.started_at).total_seconds()
    said = f"{run.by.rsplit('/', 1)[-1]}: {run.summary}" if run.category == "Approval" and run.by else run.summary
    return RehearsedAction(run.action, "failed" if failed else "done", seconds, said)


def _at(runs: Sequence[ActionRun]) -> str:
    return ", ".join(f"{run.stage}/{run.action}" for run in runs if run.status is RUNS) or "a transition"


def outcome(runs: Sequence[ActionRun]) -> Mapping[str, ExecutionStatus]:
    """How each action (`Stage/Action`) ended the last time it ran."""
    return {f"{run.stage}/{run.action}": run.status for run in runs}
