"""A CloudFormation stack, its change set and its events, as far as a release needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

FUNCTION = "AWS::Lambda::Function"
ALIAS = "AWS::Lambda::Alias"
VERSION = "AWS::Lambda::Version"


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it; parameters are the values in use (NoEcho ones masked by AWS)."""

    name: str
    id: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether an operation is under way; REVIEW_IN_PROGRESS is not one: nothing was ever executed."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def never_created(self) -> bool:
        """Whether the stack holds nothing yet: only a change set for its creation exists."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def updatable(self) -> bool:
        """Whether AWS accepts an update now."""
        return self.status.endswith("_COMPLETE") and self.status not in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}

    @property
    def failed(self) -> bool:
        """Whether the last operation did not reach what was asked for."""
        return "ROLLBACK" in self.status or self.status.endswith("_FAILED")


@dataclass(frozen=True)
class StackEvent:
    """One line of a stack's history."""

    id: str
    at: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether this is a failure and not the cancellation that follows somebody else's."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason.lower()


class Action(StrEnum):
    """What a change set does to a resource."""

    ADD = "Add"
    MODIFY = "Modify"
    REMOVE = "Remove"
    IMPORT = "Import"
    DYNAMIC = "Dynamic"


class Replacement(StrEnum):
    """Whether a change makes a new resource and deletes the old one."""

    NO = "False"
    YES = "True"
    PERHAPS = "Conditional"


@dataclass(frozen=True)
class Change:
    """One resource's change in a change set; `properties` are the names that differ."""

    action: Action
    logical_id: str
    physical_id: str
    type: str
    replacement: Replacement = Replacement.NO
    properties: Sequence[str] = ()
    scope: Sequence[str] = ()
    description: str = ""


@dataclass(frozen=True)
class ChangeSet:
    """A change set that AWS has computed; no changes means that there is nothing to do."""

    id: str
    stack: str
    changes: Sequence[Change] = ()
    creates_stack: bool = False
