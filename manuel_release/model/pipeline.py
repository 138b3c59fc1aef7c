"""A pipeline: what pipeline.yaml declares, and what CodePipeline says of it now.

Declared names are those of CloudFormation and CodePipeline:
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from manuel_release.model.buildspec import Buildspec


# --- declared


@dataclass(frozen=True)
class Action:
    """An action of a stage; `timeout_minutes` is an approval's, None where it is not said (seven days then).

    configuration: its values as text; `#{namespace.NAME}` is filled in while the pipeline runs.
    """

    stage: str
    name: str
    category: str
    owner: str
    provider: str
    run_order: int = 1
    configuration: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    namespace: str = ""
    timeout_minutes: float | None = None
    role: str = ""

    @property
    def where(self) -> str:
        """`Stage/Action`, as IAM and CodePipeline write it."""
        return f"{self.stage}/{self.name}"

    @property
    def is_approval(self) -> bool:
        """Whether it waits for a person."""
        return self.category == "Approval"

    @property
    def is_build(self) -> bool:
        """Whether it runs a CodeBuild project."""
        return self.provider == "CodeBuild"


@dataclass(frozen=True)
class Stage:
    """A stage; actions of the same run order run at the same time."""

    name: str
    actions: tuple[Action, ...] = ()

    @property
    def groups(self) -> tuple[tuple[Action, ...], ...]:
        """The actions that run at the same time, in the order in which they run."""
        orders = sorted({action.run_order for action in self.actions})
        return tuple(tuple(a for a in self.actions if a.run_order == order) for order in orders)


@dataclass(frozen=True)
class Pipeline:
    """An AWS::CodePipeline::Pipeline. variables: name -> default. triggers: source actions that a push starts."""

    logical_id: str
    name: str
    type: str
    mode: str
    role: str
    bucket: str
    encryption_key: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, in the order in which they run."""
        return tuple(action for stage in self.stages for group in stage.groups for action in group)


@dataclass(frozen=True)
class Project:
    """An AWS::CodeBuild::Project; `variables` are those of its environment, `spec` its buildspec file or text."""

    logical_id: str
    name: str
    role: str
    spec: str
    variables: Mapping[str, str] = field(default_factory=dict)
    source: str = "CODEPIPELINE"
    environment_type: str = ""
    image: str = ""
    timeout_minutes: float = 60
    log_group: str = ""
    cache: str = ""


@dataclass(frozen=True)
class ReportGroup:
    """An AWS::CodeBuild::ReportGroup; `type` is TEST or CODE_COVERAGE."""

    logical_id: str
    name: str
    type: str


@dataclass(frozen=True)
class Statement:
    """A statement of a policy: Effect, actions and resources, as they are written."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """An AWS::IAM::Role with what it may do, its own policies and attached ones; `principals`: who assumes it."""

    logical_id: str
    arn: str
    principals: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A policy anywhere in the template; `where` is the logical id of the resource that it is in."""

    where: str
    statement: Statement


@dataclass(frozen=True)
class Delivery:
    """Everything that the pipeline consists of, read from files.

    projects: by name. report_groups: by name. roles: by ARN. buildspecs: by path, None for one that cannot be read.
    targets: what the Makefile can make. unresolved: what an expression names and nothing declares, with the resource
    that does it.
    """

    file: str
    pipeline: Pipeline
    projects: Mapping[str, Project] = field(default_factory=dict)
    report_groups: Mapping[str, ReportGroup] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    buildspecs: Mapping[str, Buildspec | str] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    unresolved: tuple[tuple[str, str], ...] = ()

    def project_of(self, action: Action) -> Project | None:
        """The project that an action runs; None when it runs none, or one that is not there."""
        return self.projects.get(action.configuration.get("ProjectName", ""))

    def buildspec_of(self, project: Project) -> Buildspec | None:
        """A project's buildspec; None when there is none that can be read."""
        found = self.buildspecs.get(project.spec)
        return None if isinstance(found, str) else found


@dataclass(frozen=True)
class Finding:
    """Something that CodePipeline, CodeBuild or IAM would refuse or that cannot work: where, what, why, what to do."""

    rule: str
    file: str
    where: str
    what: str
    why: str
    hint: str


# --- as it is now


class ExecutionStatus(StrEnum):
    """CodePipeline's words for an execution; QUEUED and WAITING are ours: at a stage's door, for a person."""

    IN_PROGRESS = "InProgress"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    STOPPING = "Stopping"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"
    SKIPPED = "Skipped"
    ABANDONED = "Abandoned"
    NOT_RUN = "NotRun"

    @classmethod
    def of(cls, word: str) -> ExecutionStatus:
        """AWS's word; one that is new to us counts as in progress."""
        try:
            return cls(word)
        except ValueError:
            return cls.IN_PROGRESS


@dataclass(frozen=True)
class ActionState:
    """An action as it ran last; `token` is there while an approval waits."""

    name: str
    status: ExecutionStatus = ExecutionStatus.NOT_RUN
    summary: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    url: str = ""
    error: str = ""
    token: str = ""

    @property
    def waits(self) -> bool:
        """Whether it waits for a person."""
        return bool(self.token) and self.status is ExecutionStatus.IN_PROGRESS


@dataclass(frozen=True)
class StageState:
    """A stage now: the execution in it, those at its door, and why nothing may enter when it is paused."""

    name: str
    status: ExecutionStatus = ExecutionStatus.NOT_RUN
    execution_id: str = ""
    waiting_ids: tuple[str, ...] = ()
    actions: tuple[ActionState, ...] = ()
    open: bool = True
    closed_reason: str = ""
    closed_by: str = ""


@dataclass(frozen=True)
class Execution:
    """One run of the pipeline. revision, message: of the source. trigger: what started it, and its detail."""

    id: str
    status: ExecutionStatus
    started_at: datetime | None = None
    changed_at: datetime | None = None
    revision: str = ""
    message: str = ""
    trigger: str = ""
    trigger_detail: str = ""
    stop_reason: str = ""


@dataclass(frozen=True)
class ActionRun:
    """What an action did in one execution; `by` is the ARN of whoever changed it last, such as an approver."""

    execution_id: str
    stage: str
    action: str
    category: str
    status: ExecutionStatus
    started_at: datetime
    changed_at: datetime
    by: str = ""
    summary: str = ""


@dataclass(frozen=True)
class PipelineState:
    """The pipeline now."""

    name: str
    stages: tuple[StageState, ...]
    executions: tuple[Execution, ...] = ()

    def stage(self, name: str) -> StageState | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)
