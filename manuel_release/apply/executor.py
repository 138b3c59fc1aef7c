"""Walks the steps of a plan: reports each, keeps the lease alive, stops at the first failure and when time is up."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from manuel_release.apply.follow import follow_deployments
from manuel_release.apply.publish import publish_release
from manuel_release.apply.release_alarms import create_step as create_release_alarms
from manuel_release.apply.shift import shift_live
from manuel_release.apply.smoke import smoke_test
from manuel_release.apply.stack import execute_change_set, follow_stack
from manuel_release.apply.stage import check_health, use_api_deployment, write_stage_variables
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.plan import (
    CheckHealth,
    CreateReleaseAlarms,
    ExecuteChangeSet,
    FollowDeployments,
    FollowStack,
    PublishRelease,
    ShiftLive,
    SmokeTest,
    Step,
    UseApiDeployment,
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


def perform(step: Step, context: Context) -> Done:  # noqa: C901 - a case for each kind of step
    """Do one step; raises ReleaseError."""
    match step:
        case ExecuteChangeSet():
            done = execute_change_set(step, context)
        case FollowStack():
            done = follow_stack(step, context)
        case FollowDeployments():
            done = follow_deployments(step, context)
        case PublishRelease():
            done = publish_release(step, context)
        case CreateReleaseAlarms():
            done = create_release_alarms(step, context)
        case SmokeTest():
            done = smoke_test(step, context)
        case ShiftLive():
            done = shift_live(step, context)
        case WriteStageVariables():
            done = write_stage_variables(step, context)
        case UseApiDeployment():
            done = use_api_deployment(step, context)
        case CheckHealth():
            done = check_health(step, context)
        case _:
            assert_never(step)
    return done


def execute(steps: Sequence[Step], context: Context) -> tuple[StepResult, ...]:
    """Do the steps in order; raises StepFailed at the first that fails, with Pending when the deadline has passed."""
    results: list[StepResult] = []
    for index, step in enumerate(steps):
        context.progress.start(step.title)
        began = time.monotonic()
        try:
            done = perform(step, _limited(step, context))
        except ReleaseError as error:
            seconds = time.monotonic() - began
            context.progress.end(StepResult(step.title, "failed", seconds, error.message.splitlines()[0]))
            raise StepFailed(index, step, error) from error
        result = StepResult(step.title, "skipped" if done.skipped else "done", time.monotonic() - began, done.detail)
        context.progress.end(result)
        results.append(result)
    return tuple(results)


def _limited(step: Step, context: Context) -> Context:
    """The context with a sleep that ends at the deadline; raises Pending when that has passed already."""
    deadline = context.deadline
    if deadline is None:
        return context
    if context.now() >= deadline:
        raise Pending(f"the time is up, and this was not begun: {step.title}")

    def sleep(seconds: float) -> None:
        left = deadline - context.now()
        if left <= timedelta(0):
            raise Pending(f"the time is up in the middle of: {step.title}; {_goes_on(step)}")
        context.sleep(min(seconds, left.total_seconds()))

    return replace(context, sleep=sleep)


def _goes_on(step: Step) -> str:
    """What becomes of a step that nobody waits for any more."""
    match step:
        case ExecuteChangeSet() | FollowStack():
            return "CloudFormation goes on with the stack by itself"
        case ShiftLive() | FollowDeployments():
            return "CodeDeploy goes on with what it was given by itself"
        case CheckHealth():
            return f"{step.release} serves, and it is not proven that it answers"
        case _:
            return "nothing goes on by itself"
