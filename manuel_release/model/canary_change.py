"""Moving a canary: what was asked for, what is there, what is going to be done, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from manuel_release.model.caller import Caller
    from manuel_release.model.canary import CanaryStatus
    from manuel_release.model.canary_run import CanaryRun
    from manuel_release.model.entry import Freeze, Quarantine
    from manuel_release.model.environment import Environment
    from manuel_release.model.plan import CheckHealth
    from manuel_release.model.progress import StepResult
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack
    from manuel_release.model.traffic import Alias, ApiStage

ALL = 100.0


class Move(StrEnum):
    """What is done with a canary."""

    START = "start"
    PROMOTE = "promote"
    EXTEND = "extend"
    ABORT = "abort"


class Order(StrEnum):
    """How the last step gets to 100 %."""

    GRADUAL = "gradual"
    """CodeDeploy moves `live` in two steps; the canary goes on giving the release its share meanwhile."""
    FLIP = "flip"
    """The canary is given all requests in one call, and CodeDeploy moves `live` at once behind it."""


@dataclass(frozen=True)
class CanaryRequest:
    """What the command line asked for.

    release: which release gets a canary; None for the one that was deployed last.
    percent: the share 0-100; None for the environment's next step.
    override: why the verdict is not waited for; empty to obey it.
    allow_step: whether a share that is not the next of the environment's steps is meant.
    """

    release: str | None = None
    percent: float | None = None
    override: str = ""
    allow_step: bool = False
    reason: str = ""
    dry_run: bool = False


class Answer(StrEnum):
    """What a question about the way back is answered with."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WayBackCheck:
    """One thing that a rollback needs; `sentence` says what was found."""

    title: str
    answer: Answer
    sentence: str


@dataclass(frozen=True)
class WayBack:
    """Whether a rollback to `stable` would find what it needs."""

    stable: str
    checks: tuple[WayBackCheck, ...] = ()

    @property
    def closed(self) -> tuple[WayBackCheck, ...]:
        """What is known to be missing."""
        return tuple(check for check in self.checks if check.answer is Answer.RED)

    @property
    def unknown(self) -> tuple[WayBackCheck, ...]:
        """What could not be found out."""
        return tuple(check for check in self.checks if check.answer is Answer.UNKNOWN)


@dataclass(frozen=True)
class CanaryState:
    """An environment as it is before a canary is moved: all read calls, nothing changed.

    api_stage, application: names of the API's stage and of CodeDeploy's application. functions: name -> its aliases by
    name (`live` and the releases that matter). deploying: ids of CodeDeploy deployments that are under way.
    releases: newest first. run: the newest canary by the ledger. way_back: of the release that serves; None where it
    was not asked for. status: what the judge says of the canary; None where there is nothing to judge. trial_until: to
    when the release that holds 100 % has to prove itself; None when it has, or where it was not asked for.
    """

    environment: Environment
    caller: Caller
    stack: Stack
    stage: ApiStage | None
    functions: Mapping[str, Mapping[str, Alias]] = field(default_factory=dict)
    deploying: Sequence[str] = ()
    releases: Sequence[Release] = ()
    run: CanaryRun | None = None
    frozen: Freeze | None = None
    quarantine: Quarantine | None = None
    way_back: WayBack | None = None
    differing: Sequence[str] = ()
    status: CanaryStatus | None = None
    trial_until: datetime | None = None

    def release(self, name: str | None) -> Release | None:
        """A release by name, as the ledger knows it."""
        return next((one for one in self.releases if one.name == name), None)

    @property
    def stable(self) -> str | None:
        """The release that serves everybody else."""
        stage = self.stage
        if self.run is not None and self.run.rolling_out:
            return self.run.stable
        live = next((one.name for one in self.releases if one.state.value == "live"), None)
        return (stage.pinned or stage.current if stage is not None else None) or live

    @property
    def percent(self) -> float | None:
        """The canary's share 0-100; None without a canary."""
        canary = self.stage.canary if self.stage is not None else None
        return canary.percent if canary is not None else None

    @property
    def canary_release(self) -> str | None:
        """The release that the canary names; None without one."""
        canary = self.stage.canary if self.stage is not None else None
        return canary.release if canary is not None else None


@dataclass(frozen=True)
class GiveShare:
    """Give a release its share of the requests in one UpdateStage.

    before: the share that the stage must have when that is done; None for no canary at all.
    """

    release: str
    percent: float
    before: float | None
    title: str = "Give the canary its share"


@dataclass(frozen=True)
class RollOut:
    """Move `live` of every function to the release, with one CodeDeploy deployment each.

    at_once: all at once instead of the group's gradual configuration; alarms: those that stop a deployment.
    """

    release: str
    percent: float
    at_once: bool = False
    alarms: Sequence[str] = ()
    title: str = "Move `live` with CodeDeploy"


@dataclass(frozen=True)
class HoldAll:
    """Write down on the stage that the release holds 100 %, and take the canary's share to 0, in one UpdateStage."""

    release: str
    previous: str
    percent: float
    title: str = "Write down the release on the API's stage"


@dataclass(frozen=True)
class EndCanary:
    """Remove the canary settings; `release`: whose they must be."""

    release: str
    title: str = "Remove the canary"


@dataclass(frozen=True)
class CanaryPlan:
    """What is going to be done; the sentences are for the person who is asked.

    risk: what it may cost at worst; empty when not known. notes: what one should know before saying yes.
    """

    move: Move
    environment: str
    api_stage: str
    release: str
    stable: str
    percent: float
    before: float
    steps: Sequence[GiveShare | RollOut | HoldAll | EndCanary | CheckHealth] = ()
    order: Order | None = None
    verdict: str = ""
    risk: str = ""
    notes: Sequence[str] = ()
    way_back: WayBack | None = None
    override: str = ""
    resumed: bool = False


class ChangeStatus(StrEnum):
    """What is true after the command; failures are errors and not outcomes."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    PLANNED = "planned"


@dataclass(frozen=True)
class CanaryOutcome:
    """The end of a change of a canary; `percent` is the share that the release has now, 0-100."""

    move: Move
    environment: str
    api_stage: str
    release: str
    stable: str
    percent: float
    status: ChangeStatus
    results: Sequence[StepResult] = ()
    message: str = ""
    next_command: str = ""
    notes: Sequence[str] = ()
    plan: CanaryPlan | None = None

    @property
    def seconds(self) -> float:
        """Wall clock of all steps, in seconds."""
        return sum(result.seconds for result in self.results)
