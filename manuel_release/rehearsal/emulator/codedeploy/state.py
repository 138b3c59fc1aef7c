"""What CodeDeploy remembers, per account and region, and the errors for what it does not know."""

from __future__ import annotations

import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core import responses

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.appspec import AppSpec

Info = dict[str, Any]

REQUIRES = {"ministack.core.responses.AccountRegionScopedDict": None}

FINISHED = ("Succeeded", "Failed", "Stopped")

LOCK = threading.RLock()
"""Held while requests and the threads that shift traffic read or change what is below."""

applications: Any = responses.AccountRegionScopedDict()  # name -> ApplicationInfo
groups: Any = responses.AccountRegionScopedDict()  # (application, name) -> DeploymentGroupInfo
configs: Any = responses.AccountRegionScopedDict()  # name -> DeploymentConfigInfo, custom ones only
deployments: Any = responses.AccountRegionScopedDict()  # id -> Deployment
revisions: Any = responses.AccountRegionScopedDict()  # (application, digest) -> RevisionLocation, GenericRevisionInfo
tags: Any = responses.AccountRegionScopedDict()  # ARN -> {key: value}


@dataclass
class Hook:
    """One lifecycle event, and the answer of its validation function."""

    name: str
    status: str = "Pending"
    started: float | None = None
    ended: float | None = None
    message: str = ""
    execution_id: str = ""
    answer: str = ""

    def info(self) -> Info:
        """As `LifecycleEvent`."""
        diagnostics = {"errorCode": "UnknownError", "message": self.message} if self.message else None
        return present(
            lifecycleEventName=self.name,
            status=self.status,
            startTime=self.started,
            endTime=self.ended,
            diagnostics=diagnostics,
        )


@dataclass
class Deployment:
    """One deployment: what was asked for, and how far it is."""

    id: str
    application: str
    group: str
    group_id: str
    config: str
    routing: Info
    revision: Info
    spec: AppSpec | None
    role: str
    alarms: Info
    rollback: Info
    triggers: list[Info]
    creator: str = "user"
    description: str = ""
    override_alarms: Info | None = None
    previous_revision: Info | None = None
    status: str = "Created"
    error: Info | None = None
    rollback_info: Info = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    weight: float = 0.0
    hooks: list[Hook] = field(
        default_factory=lambda: [Hook("BeforeAllowTraffic"), Hook("AllowTraffic"), Hook("AfterAllowTraffic")]
    )
    stop_with_rollback: bool | None = None
    """None until somebody asks to stop; then whether to roll back."""
    awake: threading.Event = field(default_factory=threading.Event)
    """Set to make the thread that shifts look at the deployment at once."""
    forgotten: bool = False
    """The server's state was reset: touch nothing any more."""

    @property
    def active(self) -> bool:
        """Whether it still runs."""
        return self.status not in FINISHED

    def info(self) -> Info:
        """As `DeploymentInfo`."""
        overview = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
        state = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}.get(self.status, self.status)
        overview[state] = 1
        return present(
            applicationName=self.application,
            deploymentGroupName=self.group,
            deploymentConfigName=self.config,
            deploymentId=self.id,
            previousRevision=self.previous_revision,
            revision=self.revision,
            status=self.status,
            errorInformation=self.error,
            createTime=self.created,
            startTime=self.started,
            completeTime=self.ended,
            deploymentOverview=overview,
            description=self.description or None,
            creator=self.creator,
            ignoreApplicationStopFailures=False,
            autoRollbackConfiguration=self.rollback,
            updateOutdatedInstancesOnly=False,
            rollbackInfo=self.rollback_info or None,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            instanceTerminationWaitTimeStarted=False,
            computePlatform="Lambda",
            overrideAlarmConfiguration=self.override_alarms,
        )


def present(**members: Any) -> Info:
    """The members that have a value: AWS leaves the others out."""
    return {name: value for name, value in members.items() if value is not None}


def arn(kind: str, name: str) -> str:
    """ARN of an `application`, `deploymentgroup` (APPLICATION/GROUP) or `deploymentconfig` of this account and region.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-iam-access-control-identity-based.html
    """
    account_id, region = scope.current()
    return f"arn:aws:codedeploy:{region}:{account_id}:{kind}:{name}"


def new_deployment_id() -> str:
    """`d-` and nine characters, as CodeDeploy's."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))


def application(name: str) -> Info:
    """The application; raises ApplicationDoesNotExistException."""
    found: Info | None = applications.get(name)
    if found is None:
        raise ServiceError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return found


def group(application_name: str, name: str) -> Info:
    """The deployment group; raises ApplicationDoesNotExistException, DeploymentGroupDoesNotExistException."""
    application(application_name)
    found: Info | None = groups.get((application_name, name))
    if found is None:
        raise ServiceError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return found


def deployment(deployment_id: Any) -> Deployment:
    """The deployment; raises DeploymentIdRequired-, InvalidDeploymentId- and DeploymentDoesNotExistException."""
    if not deployment_id:
        raise ServiceError("DeploymentIdRequiredException", "The deployment ID is required.")
    text = str(deployment_id)
    if not text.startswith("d-"):
        raise ServiceError("InvalidDeploymentIdException", f"The deployment ID {text} is not in a valid format.")
    found: Deployment | None = deployments.get(text)
    if found is None:
        raise ServiceError("DeploymentDoesNotExistException", f"The deployment {text} could not be found")
    return found


def active_deployment(group_id: str) -> Deployment | None:
    """The deployment of that group that still runs, if one does."""
    for found in deployments.values():
        if found.active and found.group_id == group_id:
            running: Deployment = found
            return running
    return None


def forget() -> None:
    """Drop everything; threads that shift traffic end without touching an alias."""
    with LOCK:
        for running in deployments._data.values():
            running.forgotten = True
            running.awake.set()
        for store in (applications, groups, configs, deployments, revisions, tags):
            store.clear()
