"""Walks the steps of a plan: reports each, keeps the lease alive, stops at the first failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from manuel_release.apply.publish import publish_release
from manuel_release.apply.shift import shift_live
from manuel_release.apply.smoke import smoke_test
from manuel_release.apply.stack import execute_change_set
from manuel_release.apply.stage import check_health, write_stage_variables
from manuel_release.errors import ReleaseError
from manuel_release.model.plan import (
    CheckHealth,
    ExecuteChangeSet,
    PublishRelease,
    ShiftLive,
    SmokeTest,
    Step,
    WriteStageVariables,
)
from manuel_release.model.progress import StepResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.apply.context import Context, Done


class StepFailed(Exception):  # noqa: N818 - an outcome that carries its cause
    """A step failed: its index and the error; the results before it are kept."""

    def __init__(self, index: int, step: Step, error: ReleaseError) -> None:
        super().__init__(error.message)
        self.index = index
        self.step = step
        self.error = error


def perform(step: Step, context: Context) -> Done:
    """Do one step; raises ReleaseError."""
    match step:
        case ExecuteChangeSet():
            return execute_change_set(step, context)
        case PublishRelease():
            return publish_release(step, context)
        case SmokeTest():
            return smoke_test(step, context)
        case ShiftLive():
            return shift_live(step, context)
        case WriteStageVariables():
            return write_stage_variables(step, context)
        case CheckHealth():
            return check_health(step, context)
        case _:
            assert_never(step)


def execute(steps: Sequence[Step], context: Context) -> tuple[StepResult, ...]:
    """Do the steps in order; raises StepFailed at the first that fails."""
    results: list[StepResult] = []
    for index, step in enumerate(steps):
        context.progress.start(step.title)
        began = time.monotonic()
        try:
            done = perform(step, context)
        except ReleaseError as error:
            seconds = time.monotonic() - began
            context.progress.end(StepResult(step.title, "failed", seconds, error.message.splitlines()[0]))
            raise StepFailed(index, step, error) from error
        result = StepResult(step.title, "skipped" if done.skipped else "done", time.monotonic() - began, done.detail)
        context.progress.end(result)
        results.append(result)
    return tuple(results)
