"""Who answers the requests: the API's stage and the aliases that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


NO_RELEASE = "none"
"""The value of a stage variable that names no release; whether variables can be removed is not documented."""


@dataclass(frozen=True)
class Canary:
    """A stage's canary: percent 0-100, and the release that its override names (None: it splits nothing)."""

    percent: float
    release: str | None


@dataclass(frozen=True)
class ApiStage:
    """A stage of the REST API as GetStage shows it.

    updated_at: when anything in it was last changed. access_log: its log group, empty when it has none.
    """

    rest_api_id: str
    name: str
    deployment_id: str
    variables: Mapping[str, str] = field(default_factory=dict)
    canary: Canary | None = None
    updated_at: datetime | None = None
    access_log: str = ""

    @property
    def serving(self) -> str:
        """The alias that the API calls outside a canary: `live`, or the release it is pinned to."""
        return self.variables.get("release", LIVE)

    @property
    def pinned(self) -> str | None:
        """The release that the stage is pinned to, None while it calls `live`."""
        return None if self.serving == LIVE else self.serving

    @property
    def current(self) -> str | None:
        """The release that holds 100 %, as the stage remembers it."""
        return self.variables.get("current")

    @property
    def previous(self) -> str | None:
        """The release that held 100 % before, as the stage remembers it."""
        return self.variables.get("previous")

    @property
    def candidate(self) -> str | None:
        """The release that was deployed and has not held 100 % yet; None when there is none.

        Written by `deploy`, so that one GetStage tells a rollback what is new even before the canary begins.
        """
        named = self.variables.get("candidate")
        return None if named in {None, NO_RELEASE, self.current} else named


@dataclass(frozen=True)
class Alias:
    """A Lambda alias; `weights` are the additional versions' shares 0-1."""

    function: str
    name: str
    version: str
    revision_id: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Invocation:
    """The answer of one direct invocation; `error` is empty when the function returned."""

    payload: object
    error: str
    executed_version: str


@dataclass(frozen=True)
class Deployment:
    """A CodeDeploy deployment of one function; status is CodeDeploy's word (InProgress, Succeeded, ...).

    description: what whoever created it said that it is for. returns: CodeDeploy made it itself, to move the alias
    back.
    """

    id: str
    group: str
    status: str
    message: str = ""
    description: str = ""
    returns: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in {"Succeeded", "Failed", "Stopped"}


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    arn: str
    state: str
    reason: str = ""
