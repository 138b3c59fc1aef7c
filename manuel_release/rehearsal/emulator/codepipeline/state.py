"""What CodePipeline remembers, per account and region, and the errors for what it does not know."""

from __future__ import annotations

import secrets
import string
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core import responses

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codebuild.state import Place, present
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Place", "present"]

Info = dict[str, Any]
REQUIRES = {"ministack.core.responses.AccountRegionScopedDict": None}

CHANGED = threading.Condition(threading.RLock())
"""Held while requests and the threads of executions read or change what is below; told of every change."""

pipelines: Any = responses.AccountRegionScopedDict()  # name -> Pipeline
tags: Any = responses.AccountRegionScopedDict()  # ARN -> {key: value}

IN_PROGRESS, SUCCEEDED, FAILED, ABANDONED = "InProgress", "Succeeded", "Failed", "Abandoned"
STOPPING, STOPPED, SUPERSEDED, CANCELLED, SKIPPED = "Stopping", "Stopped", "Superseded", "Cancelled", "Skipped"
ENDED = (SUCCEEDED, FAILED, STOPPED, SUPERSEDED, CANCELLED)


@dataclass
class Revision:
    """What a source action found: commit, message, and when."""

    action: str
    artifact: str
    id: str
    summary: str
    url: str
    created: float


@dataclass
class ActionRun:
    """One run of one action."""

    action: Info
    stage: str
    execution: Execution
    role: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    status: str = IN_PROGRESS
    summary: str = ""
    error: Info | None = None
    approval_token: str = ""
    expires: float | None = None
    updated_by: str = ""
    external_id: str = ""
    external_url: str = ""
    log_stream: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Place] = field(default_factory=dict)
    outputs: dict[str, Place] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    settled: bool = False
    """It has ended, and its event was sent."""
    answer: Info | None = None
    """What somebody reported: an approval's result, or that of a Lambda job."""

    @property
    def token(self) -> str:
        """The approval's token, which shows only as long as it waits for an answer."""
        return self.approval_token if self.status == IN_PROGRESS and self.answer is None else ""

    @property
    def name(self) -> str:
        """The action's name."""
        return str(self.action["name"])


@dataclass
class ConditionRun:
    """One evaluation of a gate's condition, and of its rules: (name, status, summary, error)."""

    status: str
    summary: str
    rules: list[tuple[str, str, str]]
    at: float = field(default_factory=time.time)


@dataclass
class StageRun:
    """One run of one stage by one execution; a retry continues it."""

    stage: Info
    execution: Execution
    entered: float = field(default_factory=time.time)
    status: str = IN_PROGRESS
    actions: list[ActionRun] = field(default_factory=list)
    conditions: dict[str, ConditionRun] = field(default_factory=dict)
    automatic_retries: int = 0
    manual_retries: int = 0
    last_retry: str = ""

    @property
    def name(self) -> str:
        """The stage's name."""
        return str(self.stage["name"])

    def latest(self, action: str) -> ActionRun | None:
        """The last run of an action in this run of the stage."""
        return next((run for run in reversed(self.actions) if run.name == action), None)


@dataclass
class Execution:
    """One execution of a pipeline, with the structure that the pipeline had when it started."""

    pipeline: Pipeline
    declaration: Info
    version: int
    trigger: Info
    variables: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    """Source action -> commit id that the start asked for."""
    push: Info = field(default_factory=dict)
    """What the event says of the push that started it."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    status: str = IN_PROGRESS
    kind: str = "STANDARD"
    rollback_of: str = ""
    rollback_stage: str = ""
    """The one stage that a rollback runs."""
    attempt: int = 1
    artifacts: dict[str, Place] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    stages: list[StageRun] = field(default_factory=list)
    stop: str = ""
    """Empty, `wait` or `abandon`."""
    stop_reason: str = ""
    forgotten: bool = False
    """The pipeline was deleted or the server reset: touch nothing any more."""

    @property
    def ended(self) -> bool:
        """Whether nothing runs any more; a failed one may be retried."""
        return self.status in ENDED

    def stage(self, name: str) -> StageRun | None:
        """The last run of a stage."""
        return next((run for run in reversed(self.stages) if run.name == name), None)

    def action_runs(self) -> Iterator[ActionRun]:
        """Every run of every action."""
        for run in self.stages:
            yield from run.actions


@dataclass
class Transition:
    """That a transition is disabled: why, by whom, since when."""

    reason: str
    by: str
    at: float = field(default_factory=time.time)


@dataclass
class Pipeline:
    """A pipeline: its structure, its executions (oldest first), and what waits where."""

    name: str
    versions: list[Info]
    """The structure as it was at version 1, 2, ..."""
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    executions: list[Execution] = field(default_factory=list)
    occupied: dict[str, Execution] = field(default_factory=dict)
    """Stage -> the execution that is in it."""
    waiting: dict[str, list[Execution]] = field(default_factory=dict)
    """Stage -> the executions that wait to enter, in order."""
    disabled: dict[tuple[str, str], Transition] = field(default_factory=dict)
    """(stage, `Inbound` or `Outbound`) -> why."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Client request token -> execution id."""

    @property
    def declaration(self) -> Info:
        """The structure that new executions get."""
        return self.versions[-1]

    @property
    def version(self) -> int:
        """Its number."""
        return len(self.versions)

    @property
    def mode(self) -> str:
        """`QUEUED` or `SUPERSEDED`."""
        return str(self.declaration.get("executionMode", SUPERSEDED.upper()))

    @property
    def arn(self) -> str:
        """The pipeline's ARN."""
        return arn(self.name)

    def latest_stage(self, name: str) -> StageRun | None:
        """The last run of a stage by any execution."""
        found = [run for execution in self.executions for run in execution.stages if run.name == name]
        return max(found, key=lambda run: run.entered, default=None)

    def latest_action(self, stage: str, action: str) -> ActionRun | None:
        """The last run of an action by any execution."""
        found = [
            run
            for execution in self.executions
            for run in execution.action_runs()
            if (run.stage, run.name) == (stage, action)
        ]
        return max(found, key=lambda run: run.started, default=None)


def arn(name: str) -> str:
    """ARN of a pipeline, or of `PIPELINE/STAGE` or `PIPELINE/STAGE/ACTION`.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/iam-access-control-identity-based.html
    """
    account_id, region = scope.current()
    return f"arn:aws:codepipeline:{region}:{account_id}:{name}"


def new_place(pipeline: Pipeline, artifact: str) -> Place:
    """Where an action's output goes in the artifact store: PIPELINE/ARTIFACT/random, cut as CodePipeline cuts."""
    unique = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(7))
    bucket = pipeline.declaration["artifactStore"]["location"]
    return Place(bucket, f"{pipeline.name[:20]}/{artifact[:10]}/{unique}")


def pipeline(name: Any) -> Pipeline:
    """The pipeline; raises PipelineNotFoundException."""
    found: Pipeline | None = pipelines.get(name)
    if found is None:
        account_id, _region = scope.current()
        raise ServiceError(
            "PipelineNotFoundException", f"Account '{account_id}' does not have a pipeline with name '{name}'"
        )
    return found


def execution(of: Pipeline, execution_id: Any) -> Execution:
    """The execution; raises PipelineExecutionNotFoundException."""
    for found in of.executions:
        if found.id == execution_id:
            return found
    raise ServiceError(
        "PipelineExecutionNotFoundException",
        f"The pipeline execution {execution_id} for the pipeline {of.name} does not exist",
    )


def stage(of: Pipeline, name: Any) -> Info:
    """The stage's declaration; raises StageNotFoundException."""
    for found in of.declaration["stages"]:
        if found["name"] == name:
            declared: Info = found
            return declared
    raise ServiceError("StageNotFoundException", f"Pipeline '{of.name}' does not have a stage with name '{name}'")


def abandon(found: Pipeline) -> None:
    """Make the threads of a pipeline that is gone end without touching anything."""
    for running in found.executions:
        running.forgotten = True
    CHANGED.notify_all()


def forget() -> None:
    """Drop everything."""
    with CHANGED:
        for found in pipelines._data.values():
            abandon(found)
        pipelines.clear()
        tags.clear()
