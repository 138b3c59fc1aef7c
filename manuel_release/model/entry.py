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
    CANARY_STARTED = "canary_started"  # percent, stable: first share of the traffic
    CANARY_PROMOTED = "canary_promoted"  # percent, verdict, override: a larger share, below 100
    CANARY_EXTENDED = "canary_extended"  # until, seconds: observed longer
    CANARY_ENDED = "canary_ended"  # to: taken back without blame (`canary abort`); the release is staged again
    ROLLOUT_STARTED = "rollout_started"  # deployments (function -> id), verdict, override: `live` begins to move
    ROLLBACK_STARTED = "rollback_started"  # to, trigger, incident: traffic was taken back, the rest is not done
    ROLLED_BACK = "rolled_back"  # to, receipt, quarantined: everything of it is done
    ROLLBACK_UNFINISHED = "rollback_unfinished"  # to, left: traffic is back, a person has to do what is left
    INVESTIGATE = "investigate"  # decision, trigger, message: seen by the guard, not rolled back
    RELEASES_PRUNED = "releases_pruned"  # releases: aliases, versions and alarms that were deleted
    QUARANTINED = "quarantined"  # code_digest, digest
    QUARANTINE_LIFTED = "quarantine_lifted"  # code_digest
    FROZEN = "frozen"  # until
    UNFROZEN = "unfrozen"
    LEASE_TAKEN = "lease_taken"  # holder, since: taken away from somebody
    APPROVAL = "approval"  # gate, decision, role, choice, package_hash


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


@dataclass(frozen=True)
class Freeze:
    """A stop of all changes of an environment; a rollback is not stopped. `until`: None until it is lifted."""

    environment: str
    by: str
    reason: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Quarantine:
    """Code that may not be released again, in any environment, until it is lifted with a reason.

    code_digest: SHA-256 of the built tree and the template, without parameters. release, environment: where it failed.
    """

    code_digest: str
    release: str
    environment: str
    by: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Incident:
    """A rollback as something that people look into afterwards.

    id: such as `i-20261123-0600-1f3a`. trigger: who or what began it (a person, an alarm's name). ended_at: when
    nothing was left to do. receipt: `rollback`'s JSON; empty until it is finished. notes: what was learnt later, oldest
    first.
    """

    id: str
    environment: str
    api_stage: str
    release: str
    to_release: str
    trigger: str
    reason: str
    by: str
    started_at: datetime
    ended_at: datetime | None = None
    receipt: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
