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
API_DEPLOYMENT = "AWS::ApiGateway::Deployment"
VALIDATION_FAILED = "VALIDATION_FAILED"
"""Status of something that AWS objects to before it begins; such an event's physical id is a place in the template."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it; parameters are the values in use (NoEcho ones masked by AWS).

    change_set_id: the change set that was executed last; empty where AWS does not tell.
    """

    name: str
    id: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    change_set_id: str = ""

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
    """One line of a stack's history; `token` is that of the operation that it belongs to."""

    id: str
    at: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    token: str = ""

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
    SYNC = "SyncWithActual"


class Replacement(StrEnum):
    """Whether a change makes a new resource and deletes the old one."""

    NO = "False"
    YES = "True"
    PERHAPS = "Conditional"


@dataclass(frozen=True)
class PropertyChange:
    """What differs in one property of a resource, as a change set tells it.

    path: where in the property; the property's name where AWS gives no path.
    before, after: the values as text (AWS cuts long ones); None where AWS gives none, or they were not asked for.
    recreation: whether this alone replaces the resource: Never, Conditionally or Always.
    dynamic: AWS knows the new value only while the change set is executed.
    cause: what the new value comes from, `Resource` or `Resource.Attribute`; empty for the template's own text.
    """

    name: str
    path: str = ""
    before: str | None = None
    after: str | None = None
    recreation: str = "Never"
    dynamic: bool = False
    cause: str = ""


@dataclass(frozen=True)
class Change:
    """One resource's change in a change set.

    properties: names of the properties that differ.
    scope: parts of the resource's text that differ (Properties, Tags, Metadata, ...).
    details: the properties that differ, one by one.
    policy: what becomes of a resource that is removed or replaced: Delete, Retain, ReplaceAndRetain, ...
    gone: what its users can no longer ask it for (`GET /api/usage` of an API).
    widens: the text was compared, and everything that was there is still there, unchanged.
    """

    action: Action
    logical_id: str
    physical_id: str
    type: str
    replacement: Replacement = Replacement.NO
    properties: Sequence[str] = ()
    scope: Sequence[str] = ()
    description: str = ""
    details: Sequence[PropertyChange] = ()
    policy: str = ""
    gone: Sequence[str] = ()
    widens: bool = False

    @property
    def name(self) -> str:
        """The resource's own sentence without its full stop; its type where it has none."""
        return self.description.rstrip(".") or self.type

    @property
    def kept(self) -> bool:
        """Whether the resource stays in AWS although it leaves the stack."""
        return self.policy.endswith("Retain")


@dataclass(frozen=True)
class ChangeSet:
    """A change set that AWS has computed; no changes means that there is nothing to do.

    values: the values before and after were asked for.
    """

    id: str
    stack: str
    changes: Sequence[Change] = ()
    creates_stack: bool = False
    values: bool = False
