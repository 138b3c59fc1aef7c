"""What people are told about a release."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class NoticeKind(StrEnum):
    """The specification's message types, and what the guard says besides; the value is the subject's beginning."""

    DEPLOYMENT_STARTED = "Deployment started"
    TESTS_FAILED = "Tests failed"
    APPROVAL_REQUIRED = "Approval required"
    CANARY_DEPLOYED = "Canary deployed"
    DEPLOYMENT_COMPLETED = "Deployment completed"
    ROLLBACK_TRIGGERED = "Rollback triggered"
    ROLLBACK_COMPLETED = "Rollback completed"
    INCIDENT = "Shared incident"
    INVESTIGATE = "To be investigated"
    PERSON_NEEDED = "A person is needed"

    @property
    def critical(self) -> bool:
        """Whether somebody has to be woken up."""
        return self in _CRITICAL


_CRITICAL = frozenset({NoticeKind.ROLLBACK_TRIGGERED, NoticeKind.INCIDENT, NoticeKind.PERSON_NEEDED})


@dataclass(frozen=True)
class Notice:
    """One message.

    text: one or several sentences. details: name -> value, each shown on a line of its own; `next` is a command.
    problem: why it was not sent; empty when it was.
    """

    kind: NoticeKind
    environment: str
    release: str
    at: datetime
    text: str
    details: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
