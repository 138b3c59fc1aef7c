"""What the ledger keeps: one entry for everything that happened, never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SCHEMA_VERSION = 1


class EntryKind(StrEnum):
    """What happened; the details of each kind are named beside it."""

    DEPLOY_STARTED = "deploy_started"  # digest, code_digest, commit, steps: the plan, written before the first change
    RELEASE_STAGED = "release_staged"  # versions, api_deployment_id: proven by the smoke test, 0 % of traffic
    RELEASE_LIVE = "release_live"  # versions, previous: holds 100 %
    DEPLOY_FAILED = "deploy_failed"  # step, message
    TRAFFIC_RETURNED = "traffic_returned"  # to, message: a release that just went live was taken back


@dataclass(frozen=True)
class Entry:
    """One thing that happened to an environment.

    id: unique and sortable by time; the same id is never written twice.
    by: the AWS principal and the person's name on the machine.
    """

    id: str
    environment: str
    api_stage: str
    at: datetime
    kind: EntryKind
    release: str
    by: str
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Lease:
    """The right to change one API stage of one environment, held by one process until it expires."""

    environment: str
    api_stage: str
    holder: str
    reason: str
    token: str
    taken_at: datetime
    expires_at: datetime
