"""What runs in an environment now, and what in it needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.model.entry import Freeze, Lease
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack
    from manuel_release.model.traffic import Alarm, Canary


class Condition(StrEnum):
    """An environment in one word."""

    ATTENTION = "attention"  # something is wrong and does not heal by itself
    CHANGING = "changing"  # a command or AWS is at work
    WAITING = "waiting"  # a person has to decide: a canary, a staged release, an approval
    HEALTHY = "healthy"
    EMPTY = "empty"  # nothing was ever deployed


@dataclass(frozen=True)
class Difference:
    """An alias that is not where the release that serves says it is: versions are numbers that Lambda gave."""

    function: str
    alias: str
    version: str
    expected: str


@dataclass(frozen=True)
class EnvironmentStatus:
    """The answer of `status` for one environment.

    stack: name of the stack that it belongs to, whether it exists or not.
    found: the stack as CloudFormation has it; None when it does not exist.
    live_release: the release that `live` points at and that holds 100 % unless one is pinned; None when not known.
    pinned_release: the release that the API stage calls instead of `live`.
    unfinished: releases that began and never ended, newest first.
    waiting: the staged release that waits at 0 % for its canary, newer than the live one.
    actual_percent: the canary's share (0-100) as AWS/Lambda counted it lately; None without counts.
    traffic_drift: how the stage's canary differs from the ledger's last word; empty when it does not.
    interrupted: the release whose rollout to 100 % began and that nobody works on any more.
    serving_differs: aliases that are on another version than the release that serves.
    freeze: what stops all changes but rollbacks; None while nothing does.
    pending_approvals: the approvals that wait for a person, as `Stage/Action` of the pipeline.
    approvals_note: why they are not known, one sentence; empty when they are, and where there is no pipeline.
    note: what could not be read, one sentence; empty when everything could.
    """

    name: str
    api_stage: str
    stack: str
    found: Stack | None = None
    live_release: str | None = None
    pinned_release: str | None = None
    canary: Canary | None = None
    alarms: tuple[Alarm, ...] = ()
    lease: Lease | None = None
    unfinished: tuple[Release, ...] = ()
    waiting: Release | None = None
    actual_percent: float | None = None
    traffic_drift: str = ""
    interrupted: str | None = None
    serving_differs: tuple[Difference, ...] = ()
    freeze: Freeze | None = None
    pending_approvals: tuple[str, ...] = ()
    approvals_note: str = ""
    note: str = ""

    @property
    def remarks(self) -> str:
        """Everything that could not be read; a pipeline that cannot be asked is no fault of the environment."""
        return "; ".join(one for one in (self.note, self.approvals_note) if one)

    @property
    def stack_status(self) -> str | None:
        """CloudFormation's word; None when the stack does not exist."""
        return self.found.status if self.found is not None else None

    @property
    def serving(self) -> str | None:
        """The release that answers requests outside a canary."""
        return self.pinned_release or self.live_release

    @property
    def ringing(self) -> tuple[Alarm, ...]:
        """The alarms in state ALARM."""
        return tuple(alarm for alarm in self.alarms if alarm.state == "ALARM")

    @property
    def abandoned(self) -> tuple[Release, ...]:
        """Unfinished releases that nobody works on any more: no lease is held."""
        return self.unfinished if self.lease is None else ()

    @property
    def condition(self) -> Condition:
        """The environment in one word; what is wrong comes first, whatever is under way."""
        if self.ringing or self.abandoned or self.note or self.traffic_drift or self.interrupted:
            return Condition.ATTENTION
        if self.lease is not None or (self.found is not None and self.found.busy):
            return Condition.CHANGING
        if self.found is None or self.found.never_created:
            return Condition.EMPTY
        if not self.found.updatable or self.pinned_release or self.serving_differs:
            return Condition.ATTENTION
        if self.canary is not None or self.waiting is not None or self.pending_approvals:
            return Condition.WAITING
        return Condition.HEALTHY
