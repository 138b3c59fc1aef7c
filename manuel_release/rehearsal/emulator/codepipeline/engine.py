"""The thread of an execution: stage after stage, each entered when it is free and its transition is open.

One execution is in a stage at a time. In QUEUED mode the others wait in order, in SUPERSEDED mode a newer one takes
the place of an older one that waits. A stage whose execution failed or was stopped is free for the next.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codepipeline import conditions, jobs, notices, state
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, Execution, StageRun

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import Info

AUTOMATIC_RETRIES = 1
logger = logging.getLogger("codepipeline")


class Ended(Exception):  # noqa: N818 - an outcome
    """The execution goes no further; `status` is how it ended."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Forgotten(Exception):  # noqa: N818 - an outcome
    """The pipeline is gone."""


def launch(execution: Execution, *, again: StageRun | None = None, everything: bool = False) -> None:
    """Start the thread of an execution, from its first stage or, to retry, from a stage that failed.

    Its place before that stage is taken at once, so that executions stay in the order in which they were started.
    """
    _queue(execution, again.name if again is not None else _stages(execution)[0]["name"], first=again is not None)
    threading.Thread(
        target=scope.scoped,
        args=(*scope.current(), _run, execution, again, everything),
        daemon=True,
        name=f"codepipeline-{execution.id}",
    ).start()


def _stages(execution: Execution) -> list[Info]:
    """The stages that an execution goes through: all of them, or the one that is rolled back."""
    found: list[Info] = execution.declaration["stages"]
    if execution.kind == "ROLLBACK":
        found = [stage for stage in found if stage["name"] == execution.rollback_stage]
    return found


def _queue(execution: Execution, stage: str, *, first: bool = False) -> None:
    """Let an execution wait before a stage; in SUPERSEDED mode it takes the place of those that wait there."""
    pipeline = execution.pipeline
    with CHANGED:
        queue = pipeline.waiting.setdefault(stage, [])
        if pipeline.mode != "QUEUED" and not first:
            for older in queue:
                older.status = state.SUPERSEDED  # its own thread, in `_enter`, says so
        queue.insert(0 if first else len(queue), execution)
        CHANGED.notify_all()


def _run(execution: Execution, again: StageRun | None, everything: bool) -> None:
    status, event = state.FAILED, "FAILED"
    try:
        if again is None:
            notices.pipeline(execution, "STARTED")
        _walk(execution, again, everything=everything)
        status, event = state.SUCCEEDED, "SUCCEEDED"
    except Forgotten:
        return
    except Ended as ended:
        status, event = ended.status, ended.status.upper()
    except Exception:
        logger.exception("execution %s", execution.id)
        _withdraw(execution)
    with CHANGED:
        if execution.forgotten:
            return
        execution.status, execution.updated = status, time.time()
        CHANGED.notify_all()
    notices.pipeline(execution, event)


def _withdraw(execution: Execution) -> None:
    """Let an execution that broke hold up nobody else."""
    with CHANGED:
        for run in execution.stages:
            if run.status == state.IN_PROGRESS:
                run.status = state.FAILED
        for queue in execution.pipeline.waiting.values():
            if execution in queue:
                queue.remove(execution)
        CHANGED.notify_all()


def _walk(execution: Execution, again: StageRun | None, *, everything: bool) -> None:
    stages = _stages(execution)
    names = [stage["name"] for stage in stages]
    start = names.index(again.name) if again is not None else 0
    for number in range(start, len(stages)):
        retried = again if number == start else None
        run = _enter(execution, stages[number], names[number - 1] if number else "", retried)
        try:
            _stage(run, everything=everything, resumed=retried is not None)
        except BaseException:
            _leave(run)
            raise
        _leave(run, *names[number + 1 : number + 2])


def _look(execution: Execution) -> None:
    if execution.forgotten:
        raise Forgotten


def _enter(execution: Execution, stage: Info, previous: str, retried: StageRun | None) -> StageRun:
    """Wait until the stage may be entered by this execution, which is in its queue, and enter it."""
    pipeline, name = execution.pipeline, stage["name"]
    with CHANGED:
        try:
            while not _may_enter(execution, name, previous):
                CHANGED.wait()
        finally:
            pipeline.waiting[name].remove(execution)
            CHANGED.notify_all()
        pipeline.occupied[name] = execution
        execution.updated = time.time()
        if retried is not None:
            retried.status, retried.entered = state.IN_PROGRESS, time.time()
            return retried
        run = StageRun(stage, execution)
        execution.stages.append(run)
        return run


def _may_enter(execution: Execution, name: str, previous: str) -> bool:
    _look(execution)
    if execution.status == state.SUPERSEDED:
        raise Ended(state.SUPERSEDED)
    if execution.stop:
        raise Ended(state.STOPPED)
    pipeline = execution.pipeline
    if (name, "Inbound") in pipeline.disabled or (previous, "Outbound") in pipeline.disabled:
        return False
    return name not in pipeline.occupied and pipeline.waiting[name][0] is execution


def _leave(run: StageRun, following: str = "") -> None:
    """Free the stage, and wait before the one that follows, in one step: nobody overtakes."""
    with CHANGED:
        pipeline = run.execution.pipeline
        if pipeline.occupied.get(run.name) is run.execution:
            del pipeline.occupied[run.name]
        if following:
            _queue(run.execution, following)
        CHANGED.notify_all()


def _stage(run: StageRun, *, everything: bool, resumed: bool) -> None:
    """Run a stage that was entered; raises Ended when the execution goes no further."""
    notices.stage(run, "RESUMED" if resumed else "STARTED")
    if not resumed and run.execution.kind != "ROLLBACK":
        verdict = conditions.before_entry(run)
        if verdict == "SKIP":
            _close(run, state.SKIPPED)
            return
        if verdict == "FAIL":
            _fail(run)
    while True:
        if jobs.run_actions(run, everything=everything):
            break
        _stopped_or_gone(run)
        if not _retries_itself(run):
            _rolls_back_or_fails(run)
        everything = _retry_mode(run) == "ALL_ACTIONS"
    _stopped_or_gone(run)
    verdict = conditions.on_success(run)
    if verdict == "ROLLBACK":
        roll_back(run, automatic=True)
    if verdict:
        _fail(run)
    _close(run, state.SUCCEEDED)


def _stopped_or_gone(run: StageRun) -> None:
    _look(run.execution)
    if run.execution.stop:
        _close(run, state.STOPPED)
        raise Ended(state.STOPPED)


def _close(run: StageRun, status: str) -> None:
    with CHANGED:
        run.status = status
        CHANGED.notify_all()
    notices.stage(run, status.upper())


def _fail(run: StageRun) -> None:
    _close(run, state.FAILED)
    raise Ended(state.FAILED)


def _retry_mode(run: StageRun) -> str:
    failure = run.stage.get("onFailure") or {}
    return str((failure.get("retryConfiguration") or {}).get("retryMode", "FAILED_ACTIONS"))


def _retries_itself(run: StageRun) -> bool:
    """Whether the stage is to be retried, and once only."""
    wanted = (run.stage.get("onFailure") or {}).get("result") == "RETRY"
    if not wanted or run.automatic_retries >= AUTOMATIC_RETRIES:
        return False
    with CHANGED:
        run.automatic_retries += 1
        run.execution.attempt += 1
        run.last_retry = notices.moment(time.time())
    notices.stage(run, "FAILED")
    notices.stage(run, "RESUMED")
    return True


def _rolls_back_or_fails(run: StageRun) -> None:
    wanted = (run.stage.get("onFailure") or {}).get("result") == "ROLLBACK" or conditions.on_failure(run) == "ROLLBACK"
    if wanted and run.execution.kind != "ROLLBACK":
        roll_back(run, automatic=True)
    _fail(run)


def roll_back(run: StageRun, *, automatic: bool, target: Execution | None = None, by: str = "") -> Execution | None:
    """Run a stage again with the artifacts and variables of an execution that succeeded in it.

    Without `target` it is the last one of the same version of the pipeline; None when there is none.
    """
    pipeline = run.execution.pipeline
    if target is None:
        target = next((found for found in reversed(pipeline.executions) if may_roll_back_to(found, run)), None)
    if target is None:
        logger.warning("pipeline %s: no execution to roll the stage %s back to", pipeline.name, run.name)
        return None
    made = Execution(
        pipeline=pipeline,
        declaration=target.declaration,
        version=target.version,
        trigger={
            "triggerType": "AutomatedRollback" if automatic else "ManualRollback",
            "triggerDetail": f'{{"failedPipelineExecutionId":"{run.execution.id}"}}' if automatic else by,
        },
        variables=dict(target.variables),
        kind="ROLLBACK",
        rollback_of=target.id,
        rollback_stage=run.name,
        artifacts=dict(target.artifacts),
        revisions=list(target.revisions),
        namespaces={name: dict(found) for name, found in target.namespaces.items()},
    )
    with CHANGED:
        pipeline.executions.append(made)
    launch(made)
    return made


def may_roll_back_to(target: Execution, run: StageRun) -> bool:
    """Whether an execution can be the target of a stage's rollback."""
    found = target.stage(run.name)
    return (
        target is not run.execution
        and target.kind == "STANDARD"
        and target.version == run.execution.version
        and found is not None
        and found.status == state.SUCCEEDED
    )
