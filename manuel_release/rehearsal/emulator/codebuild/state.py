"""What CodeBuild remembers, per account and region, and the errors for what it does not know."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core import responses

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.rehearsal.emulator.acting_role import Actor
    from manuel_release.rehearsal.emulator.codebuild.phases import PhaseRecord
    from manuel_release.rehearsal.emulator.codebuild.report_files import Results

Info = dict[str, Any]

REQUIRES = {"ministack.core.responses.AccountRegionScopedDict": None}

LOCK = threading.RLock()
"""Held while requests and the threads of builds read or change what is below."""

projects: Any = responses.AccountRegionScopedDict()  # name -> Project
builds: Any = responses.AccountRegionScopedDict()  # id -> Build
report_groups: Any = responses.AccountRegionScopedDict()  # ARN -> ReportGroup
reports: Any = responses.AccountRegionScopedDict()  # ARN -> StoredReport
tokens: Any = responses.AccountRegionScopedDict()  # (project, idempotency token) -> build id


@dataclass(frozen=True)
class Place:
    """An object in S3."""

    bucket: str
    key: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:s3:::{self.bucket}/{self.key}"


@dataclass(frozen=True)
class FromPipeline:
    """What CodePipeline gives to a build: artifacts by name, the first input being the primary source."""

    inputs: Mapping[str, Place]
    outputs: Mapping[str, Place]
    variables: Mapping[str, str]
    """Environment variables that CodePipeline adds, as the source's commit id."""


@dataclass
class Build:
    """One build: what it was started with, and how far it is."""

    id: str
    number: int
    project: Info
    """The project's settings at the start, with the overrides of the request."""
    request: Info
    actor: Actor
    initiator: str
    pipeline: FromPipeline | None = None
    source_version: str = ""
    started: float = field(default_factory=time.time)
    ended: float | None = None
    status: str = "IN_PROGRESS"
    phases: list[PhaseRecord] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    artifact: Info = field(default_factory=dict)
    secondary_artifacts: list[Info] = field(default_factory=list)
    report_arns: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    forgotten: bool = False
    """The server's state was reset: nobody wants to hear of this build."""

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.project["name"])

    @property
    def uuid(self) -> str:
        """The id without the project."""
        return self.id.partition(":")[2]

    @property
    def arn(self) -> str:
        """The build's ARN."""
        return arn("build", self.id)

    def log_place(self) -> tuple[str, str]:
        """Log group and stream; the group is empty when logs to CloudWatch are disabled."""
        settings = (self.project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
        if settings.get("status") == "DISABLED":
            return "", ""
        prefix = settings.get("streamName")
        return settings.get(
            "groupName"
        ) or f"/aws/codebuild/{self.name}", f"{prefix}/{self.uuid}" if prefix else self.uuid

    def log_link(self) -> str:
        """Where the console shows the log, empty when there is none in CloudWatch."""
        group, stream = self.log_place()
        if not group:
            return ""
        _account_id, region = scope.current()
        shown = f"{group.replace('/', '$252F')}/log-events/{stream.replace('/', '$252F')}"
        return f"https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{shown}"

    def cause(self) -> str:
        """Why it failed: the first failed phase's status code and message, empty when none failed."""
        for phase in self.phases:
            if phase.status not in {"", "SUCCEEDED"} and phase.message:
                return f"{phase.code}: {phase.message}"
        return ""


@dataclass
class ReportGroup:
    """A report group."""

    arn: str
    name: str
    kind: str
    export: Info
    tags: list[Info]
    created: float = field(default_factory=time.time)


@dataclass
class StoredReport:
    """One report of one build."""

    arn: str
    group_arn: str
    build_arn: str
    kind: str
    status: str
    results: Results
    created: float = field(default_factory=time.time)


def present(**members: Any) -> Info:
    """The members that have a value: AWS leaves the others out."""
    return {name: value for name, value in members.items() if value is not None}


def arn(kind: str, name: str) -> str:
    """ARN of a `project`, `build`, `report-group` or `report` of this account and region."""
    account_id, region = scope.current()
    return f"arn:aws:codebuild:{region}:{account_id}:{kind}/{name}"


def new_uuid() -> str:
    """An id as builds and reports have."""
    return str(uuid.uuid4())


def project(name: Any) -> Info:
    """The project by name or ARN; raises ResourceNotFoundException."""
    text = str(name or "")
    found: Info | None = projects.get(text.rpartition(":project/")[2] if text.startswith("arn:") else text)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Project cannot be found: {arn('project', text)}")
    return found


def build(build_id: Any) -> Build | None:
    """The build by id or ARN, or None."""
    text = str(build_id or "")
    found: Build | None = builds.get(text.rpartition(":build/")[2] if text.startswith("arn:") else text)
    return found


def forget() -> None:
    """Drop everything; builds that run are stopped and tell nobody."""
    with LOCK:
        for running in builds._data.values():
            running.forgotten = True
            running.stop.set()
        for store in (projects, builds, report_groups, reports, tokens):
            store.clear()
