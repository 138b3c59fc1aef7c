"""What a deploy looks at before it decides, and what people asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manuel_release.model.release import ReleaseState, release_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from manuel_release.model.caller import Caller
    from manuel_release.model.entry import Freeze, Quarantine
    from manuel_release.model.environment import Environment
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack, StackEvent
    from manuel_release.model.traffic import Alarm, Alias, ApiStage


@dataclass(frozen=True)
class DeployRequest:
    """What the command line asked for.

    artifact: folder of a built and packaged artifact; None builds the repository.
    parameters: parameter file instead of the environment's own.
    no_build: take the last build as it is.
    override_shared: why shared changes may be breaking this time; empty for no.
    details: ask AWS for the values of properties before and after.
    timeout: seconds for the whole command; None leaves it to the settings' own limits.
    """

    artifact: Path | None = None
    parameters: Path | None = None
    no_build: bool = False
    reason: str = ""
    dry_run: bool = False
    override_shared: str = ""
    details: bool = False
    timeout: float | None = None


@dataclass(frozen=True)
class RunningUpdate:
    """A stack operation that a release's deploy began and that is still under way; `token` is the operation's."""

    release: str
    token: str


@dataclass(frozen=True)
class DeployState:
    """An environment as it is before a deploy: all read calls, nothing changed.

    api_deployment: id of the stack's own deployment of the API; empty while that is not known.
    live: function name -> its alias `live`; empty before the first release.
    deploying: ids of CodeDeploy deployments that are under way.
    releases: newest first, of this API stage.
    running: the newest release's stack operation, while it is under way.
    events: of the stack's last operation, where that keeps AWS from updating it.
    freeze: what stops all changes; None for nothing.
    quarantine: of the code that is to be deployed; None while that is not known, or may be released.
    """

    environment: Environment
    api_stage: str
    caller: Caller
    stack: Stack | None
    stage: ApiStage | None = None
    api_deployment: str = ""
    live: Mapping[str, Alias] = field(default_factory=dict)
    deploying: Sequence[str] = ()
    alarms: Sequence[Alarm] = ()
    releases: Sequence[Release] = ()
    running: RunningUpdate | None = None
    events: Sequence[StackEvent] = ()
    freeze: Freeze | None = None
    quarantine: Quarantine | None = None

    @property
    def first(self) -> bool:
        """Whether no release was ever proven here: what serves, if anything does, is version 1 of each function."""
        if self.stack is None or self.stack.never_created or not self.live:
            return True
        ever_live = self.newest(ReleaseState.LIVE, ReleaseState.REPLACED) is not None
        return not ever_live and all(alias.version == "1" for alias in self.live.values())

    def newest(self, *states: ReleaseState) -> Release | None:
        """The newest release in one of these states."""
        return next((r for r in self.releases if r.state in states), None)

    @property
    def unfinished(self) -> Release | None:
        """The newest release, when its deploy never ended."""
        newest = self.releases[0] if self.releases else None
        return newest if newest is not None and newest.state is ReleaseState.DEPLOYING else None

    @property
    def live_release(self) -> Release | None:
        """The release that holds 100 %, as the ledger knows it."""
        return self.newest(ReleaseState.LIVE)

    @property
    def left_definition(self) -> str:
        """The API deployment that the stage serves instead of the stack's own; empty when it serves that.

        A rollback restores an older one, and CloudFormation, for which nothing changed, leaves the stage there.
        """
        if self.stage is None or not self.api_deployment or self.stage.deployment_id == self.api_deployment:
            return ""
        return self.stage.deployment_id

    @property
    def retained(self) -> Sequence[str]:
        """The releases that can still be gone back to, oldest first: pruning bounds how many there are."""
        kept = (ReleaseState.LIVE, ReleaseState.REPLACED, ReleaseState.STAGED)
        names = [r.name for r in self.releases if r.state in kept and r.pruned_at is None and release_number(r.name)]
        return tuple(reversed(names))
