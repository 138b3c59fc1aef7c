"""What a rehearsal did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class RehearsedAction:
    """One thing that was done inside a stage; `status` is done or failed, seconds of wall clock."""

    name: str
    status: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class RehearsedStage:
    """One stage: its actions in order, and whether all of them were done."""

    name: str
    actions: Sequence[RehearsedAction]

    @property
    def status(self) -> str:
        """`done`, or `failed` when an action failed."""
        return "failed" if any(action.status == "failed" for action in self.actions) else "done"

    @property
    def seconds(self) -> float:
        """Wall clock of its actions, in seconds."""
        return sum(action.seconds for action in self.actions)


@dataclass(frozen=True)
class TrafficSpan:
    """Who answered users from `at` (seconds since the epoch) on for `seconds`: release -> answers; failed ones."""

    at: float
    seconds: float
    answers: Mapping[str, int]
    failed: int = 0

    def percent(self, release: str) -> float:
        """The release's share of the answers, 0-100."""
        total = sum(self.answers.values())
        return 100.0 * self.answers.get(release, 0) / total if total else 0.0


@dataclass(frozen=True)
class Rehearsal:
    """A whole rehearsal.

    releases: environment -> the release that holds 100 % at the end, as `status` said.
    facts: sentences worth reading at the end.
    failure: why it stopped; empty when everything was done.
    kept: where the cloud and its logs are when they were kept.
    decided: what people decided at the gates, in sentences.
    traffic: who answered production's users, in the order of time.
    receipts: of the rollbacks, as `rollback` answers, with `trigger` and `by`.
    """

    stages: Sequence[RehearsedStage]
    seconds: float
    releases: Mapping[str, str] = field(default_factory=dict)
    facts: Sequence[str] = ()
    failure: str = ""
    kept: str = ""
    status: Sequence[Mapping[str, Any]] = ()
    decided: Sequence[str] = ()
    traffic: Sequence[TrafficSpan] = ()
    receipts: Sequence[Mapping[str, Any]] = ()

    @property
    def ok(self) -> bool:
        """Whether every stage was done."""
        return not self.failure
