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
class Rehearsal:
    """A whole rehearsal.

    releases: environment -> the release that holds 100 % at the end, as `status` said.
    facts: sentences worth reading at the end.
    failure: why it stopped; empty when everything was done.
    kept: where the cloud and its logs are when they were kept.
    """

    stages: Sequence[RehearsedStage]
    seconds: float
    releases: Mapping[str, str] = field(default_factory=dict)
    facts: Sequence[str] = ()
    failure: str = ""
    kept: str = ""
    status: Sequence[Mapping[str, Any]] = ()

    @property
    def ok(self) -> bool:
        """Whether every stage was done."""
        return not self.failure
