"""The actions of a stage: those of one run order together, one run order after the other, each in a thread of its own.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-requirements.html
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import acting_role, scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied, Actor
from manuel_release.rehearsal.emulator.codepipeline import notices, providers, state, variables
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Gone, Job
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, ActionRun

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import Execution, Info, StageRun

PRINCIPAL = "codepipeline.amazonaws.com"
logger = logging.getLogger("codepipeline")


def run_actions(stage: StageRun, *, everything: bool) -> bool:
    """Run a stage's actions; whether all succeeded. False also when the execution is stopped.

    everything: also those that have succeeded in this run of the stage, as ALL_ACTIONS asks.
    """
    actions: list[Info] = stage.stage["actions"]
    done = set() if everything else {run.name for run in stage.actions if run.status == state.SUCCEEDED}
    for order in sorted({action.get("runOrder", 1) for action in actions}):
        group = [action for action in actions if action.get("runOrder", 1) == order and action["name"] not in done]
        with CHANGED:
            if stage.execution.stop or stage.execution.forgotten:
                return False
            runs = [_begin(stage, action) for action in group]
        with CHANGED:
            while any(not run.settled for run in runs) and not stage.execution.forgotten:
                CHANGED.wait()
        if any(run.status != state.SUCCEEDED for run in runs):
            return False
    return not stage.execution.stop


def _begin(stage: StageRun, action: Info) -> ActionRun:
    execution = stage.execution
    run = ActionRun(
        action=action,
        stage=stage.name,
        execution=execution,
        role=str(action.get("roleArn") or execution.declaration["roleArn"]),
    )
    if action["actionTypeId"]["category"] == "Approval":
        run.approval_token = str(uuid.uuid4())
        minutes = action.get("timeoutInMinutes", providers.APPROVAL_MINUTES)
        run.expires = run.started + minutes * providers.APPROVAL_SECONDS_PER_MINUTE
    stage.actions.append(run)
    threading.Thread(
        target=scope.scoped, args=(*scope.current(), _carry_out, run), daemon=True, name=f"action-{run.id}"
    ).start()
    return run


def _carry_out(run: ActionRun) -> None:
    """Run an action to its end; an action that was abandoned meanwhile changes nothing any more."""
    try:
        _place_artifacts(run)
        notices.action(run, "STARTED")
        outcome = providers.of(run.action)(_job(run))
    except Gone:
        return
    except ActionFailed as failed:
        _end(run, state.FAILED, error={"code": failed.code, "message": str(failed)}, summary=failed.summary)
    except AccessDenied as denied:
        _end(run, state.FAILED, error={"code": "PermissionError", "message": str(denied)})
    except variables.UnresolvedError as wrong:
        _end(run, state.FAILED, error={"code": "ConfigurationError", "message": str(wrong)})
    except Exception as error:
        logger.exception("action %s of %s", run.name, run.execution.pipeline.name)
        _end(run, state.FAILED, error={"code": "SystemUnavailable", "message": str(error)})
    else:
        run.variables.update(outcome.variables)
        _end(run, state.SUCCEEDED, summary=outcome.summary)


def _place_artifacts(run: ActionRun) -> None:
    """Say where the inputs are and where the outputs go."""
    execution, action = run.execution, run.action
    names = [artifact["name"] for artifact in action.get("outputArtifacts") or []]
    outputs = {name: state.new_place(execution.pipeline, name) for name in names}
    with CHANGED:
        for artifact in action.get("inputArtifacts") or []:
            name = artifact["name"]
            if name not in execution.artifacts:
                raise ActionFailed(f"The input artifact {name} was not made", code="ConfigurationError")
            run.inputs[name] = execution.artifacts[name]
        run.outputs.update(outputs)


def _job(run: ActionRun) -> Job:
    execution = run.execution
    with CHANGED:
        known = {name: dict(found) for name, found in execution.namespaces.items()}
    known[variables.PIPELINE] = execution.variables
    known[variables.ITSELF] = {"PipelineExecutionId": execution.id}
    declared: dict[str, str] = run.action.get("configuration") or {}
    run.configuration = dict(declared)
    run.configuration = {key: variables.resolve(value, known) for key, value in declared.items()}
    return Job(run, actor_of(run.role, execution))


def actor_of(role: str, execution: Execution) -> Actor:
    """CodePipeline as the role of an action or a rule, which it assumes with the pipeline's own."""
    session = str(int(time.time() * 1000))
    own = str(execution.declaration["roleArn"])
    if not acting_role.can_be_assumed(own, PRINCIPAL, execution.pipeline.arn):
        raise AccessDenied(f"CodePipeline is not authorized to perform AssumeRole on role {own}")
    if role != own:
        Actor(own, session).require("sts:AssumeRole", role)
    return Actor(role, session)


def _end(run: ActionRun, status: str, *, error: dict[str, Any] | None = None, summary: str = "") -> None:
    execution = run.execution
    with CHANGED:
        if run.status != state.IN_PROGRESS or execution.forgotten:
            return
        run.status, run.error, run.updated = status, error, time.time()
        run.summary = summary or run.summary
        execution.updated = run.updated
        if status == state.SUCCEEDED:
            execution.artifacts.update(run.outputs)
            if run.action.get("namespace"):
                execution.namespaces[run.action["namespace"]] = dict(run.variables)
    notices.action(run, status.upper())
    _settle([run])


def _settle(runs: list[ActionRun]) -> None:
    with CHANGED:
        for run in runs:
            run.settled = True
        CHANGED.notify_all()


def abandon(execution: Execution) -> None:
    """Give up every action in progress; what a provider has begun goes on there, as on AWS."""
    with CHANGED:
        runs = [run for run in execution.action_runs() if run.status == state.IN_PROGRESS]
        for run in runs:
            run.status, run.updated = state.ABANDONED, time.time()
        CHANGED.notify_all()
    for run in runs:
        notices.action(run, "ABANDONED")
    _settle(runs)
