"""What the guard is told, what it finds, and what it does about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.model.alarm import Signal


class Happening(StrEnum):
    """What can happen to a release."""

    ALARM = "alarm"  # one of its alarms rings
    ROLLOUT_FAILED = "rollout_failed"  # a CodeDeploy deployment failed
    APPROVAL_REFUSED = "approval_refused"  # rejected, timed out or abandoned
    OBSERVER_DIED = "observer_died"  # the job that observed it failed or was stopped
    UNOBSERVED = "unobserved"  # nobody has given a sign of life for too long
    FOUND_BAD = "found_bad"  # the judge says so, of the counts of both arms


class Phase(StrEnum):
    """How much of the traffic a release has, and whether it has proven itself."""

    NONE = "none"  # no traffic: staged, replaced, or taken back
    CANARY = "canary"  # a share below 100 %
    ROLLING_OUT = "rolling_out"  # CodeDeploy moves `live` to it
    UNPROVEN = "unproven"  # 100 %, and its last observation is not over
    PROVEN = "proven"  # 100 %, and its last observation is over


class Action(StrEnum):
    """What is done about it: the specification's "Rollback Decision Matrix"."""

    ROLL_BACK = "roll_back"
    ESCALATE = "escalate"  # people are woken up, and nothing is moved
    INVESTIGATE = "investigate"  # people are told, and nothing is moved
    KEEP_WATCHING = "keep_watching"


@dataclass(frozen=True)
class Occurrence:
    """One thing that happened, as an event told it.

    environment: its name (`production`). name: the alarm's, deployment's, action's or build's. release: None where the
    event does not say which. signal: of an alarm. text: what AWS says about it. execution: of the pipeline, of a gate.
    """

    happening: Happening
    environment: str
    name: str
    release: str | None = None
    signal: Signal | None = None
    text: str = ""
    execution: str = ""


@dataclass(frozen=True)
class Exposure:
    """The release that has traffic and has not proven itself, or the one that an alarm is about.

    since: when it got its first share; None while the ledger does not tell.
    """

    release: str | None
    phase: Phase
    percent: float = 0.0
    since: datetime | None = None


@dataclass(frozen=True)
class Situation:
    """What the guard weighs.

    limits: the setting of that name. stable_rings: whether the same alarm of the release that serves everybody else
    rings too; None where there is no such release. lease: who changes the environment now, empty for nobody.
    looked_after_until: to when somebody meant to observe the release; None when nobody ever did. heartbeat_seconds: the
    setting of that name.
    """

    exposure: Exposure
    now: datetime
    limits: str = "shared"
    stable_rings: bool | None = None
    lease: str = ""
    looked_after_until: datetime | None = None
    heartbeat_seconds: float = 180.0

    @property
    def handed_over(self) -> bool:
        """Whether the last observer ended with leaving the release to people for longer than a sign of life lasts."""
        until = self.looked_after_until
        return until is not None and until > self.now + timedelta(seconds=self.heartbeat_seconds)


@dataclass(frozen=True)
class Decision:
    """What is done, and why: one sentence without its full stop."""

    action: Action
    why: str
