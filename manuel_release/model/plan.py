"""What a command is going to do, as data; a plan cannot run itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.stack import ChangeSet


@dataclass(frozen=True)
class ExecuteChangeSet:
    """Apply a change set and wait until the stack has settled.

    descriptions: the resources' sentences by logical id, for what people read meanwhile.
    """

    stack: str
    change_set_id: str
    token: str
    descriptions: Mapping[str, str] = field(default_factory=dict)
    title: str = "Update the stack"


@dataclass(frozen=True)
class FollowStack:
    """Wait until a stack has settled that somebody else's deploy of the same release began to update.

    token: of the operation; events of other operations are not told.
    """

    stack: str
    token: str
    descriptions: Mapping[str, str] = field(default_factory=dict)
    title: str = "Follow the update of the stack that is under way"


@dataclass(frozen=True)
class FollowDeployments:
    """Wait until CodeDeploy deployments are over that an earlier run of the same deploy started."""

    deployments: Sequence[str]
    title: str = "Follow the CodeDeploy deployments that are under way"


@dataclass(frozen=True)
class PublishRelease:
    """Publish a version of every function and put the release's alias on it; `retained` go on new functions too."""

    stack: str
    release: str
    retained: Sequence[str] = ()
    title: str = "Publish versions and release aliases"


@dataclass(frozen=True)
class CreateReleaseAlarms:
    """Make the alarms that watch this release alone."""

    stack: str
    release: str
    title: str = "Make the alarms of the release"


@dataclass(frozen=True)
class SmokeTest:
    """Invoke every function through the release's alias and read which release answers."""

    stack: str
    release: str
    short: str
    title: str = "Smoke-test the release by direct invocation"


@dataclass(frozen=True)
class ShiftLive:
    """Move `live` to the release's versions with CodeDeploy, one deployment per function, all at once.

    back: it returns to a release that served; a new one must still be the stage's candidate, or somebody rolled back.
    """

    stack: str
    release: str
    title: str = "Move `live` with CodeDeploy"
    back: bool = False


@dataclass(frozen=True)
class WriteStageVariables:
    """Write stage variables of the API (only those that differ).

    only_if: what others must be for that; where one is not, somebody has moved on and nothing is written.
    """

    stack: str
    variables: Mapping[str, str]
    title: str = "Write down the release on the API's stage"
    only_if: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UseApiDeployment:
    """Have the API's stage serve one deployment of its definition; `deployment` empty: the stack's own."""

    stack: str
    deployment: str = ""
    title: str = "Put the API's stage on the stack's own definition again"


@dataclass(frozen=True)
class CheckHealth:
    """Ask the public URL until it answers with the release, several times in a row."""

    stack: str
    release: str
    title: str = "Wait until the public URL answers with the release"


Step = (
    ExecuteChangeSet
    | FollowStack
    | FollowDeployments
    | PublishRelease
    | CreateReleaseAlarms
    | SmokeTest
    | ShiftLive
    | WriteStageVariables
    | UseApiDeployment
    | CheckHealth
)


@dataclass(frozen=True)
class DeployPlan:
    """A release to be deployed.

    undo: what takes traffic back when a step after `point_of_traffic` (index into steps) fails; empty where nothing
        served before.
    forget: what makes the stage forget the release when a step before it fails.
    changes: the change set's changes with what they mean.
    refusal: why it must not be done; None when it may be.
    override: the reason why shared changes may be breaking; empty for none.
    """

    environment: str
    api_stage: str
    release: str
    digest: str
    code_digest: str
    commit: str
    change_set: ChangeSet
    steps: Sequence[Step]
    serves_at_end: bool
    previous: str | None = None
    point_of_traffic: int = 0
    undo: Sequence[Step] = ()
    forget: Sequence[Step] = ()
    warnings: Sequence[str] = field(default_factory=tuple)
    changes: Sequence[JudgedChange] = ()
    refusal: Refusal | None = None
    override: str = ""


@dataclass(frozen=True)
class NothingToDo:
    """A command's answer when the world is already as asked: `release` is the one that makes it so."""

    release: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """A command's answer when a guard says no: the reason and the next command.

    passing: whether more requests of users alone may end it.
    """

    reason: str
    hint: str
    passing: bool = False
