"""A release: `r-<n>`, an alias of that name on every function, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LIVE = "live"
"""The alias that serves, unless a release is pinned."""

_NAME = re.compile(r"r-([1-9][0-9]*)\Z")


def release_name(number: int) -> str:
    """`r-13` for 13."""
    return f"r-{number}"


def release_number(name: str) -> int | None:
    """13 for `r-13`; None for anything that is not a release's name (`live`)."""
    match = _NAME.match(name)
    return int(match[1]) if match else None


class ReleaseState(StrEnum):
    """What became of a release."""

    DEPLOYING = "deploying"  # begun, and neither finished nor failed: running now, or the process died
    STAGED = "staged"  # deployed and smoke-tested, 0 % of traffic
    CANARY = "canary"  # the stage's canary gives it a share below 100 %
    ROLLING_OUT = "rolling_out"  # CodeDeploy moves `live` to it; the canary still stands
    LIVE = "live"  # holds 100 %
    REPLACED = "replaced"  # held 100 % until the next one did
    FAILED = "failed"  # never served, or was taken back at once
    ROLLED_BACK = "rolled_back"  # its traffic was taken away; `failure` says what is left to do


@dataclass(frozen=True)
class CanaryStep:
    """A share of the traffic that a release was given.

    percent: 0-100. until: to when its observation was extended; None when it was not. override: why the verdict was
    not waited for; empty when it was.
    """

    percent: float
    at: datetime
    by: str
    override: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Return:
    """A rollback of a release: when, to which one, by what.

    done: whether nothing of it is left to do. incident: its id; empty where none was written.
    """

    at: datetime
    to: str
    by: str
    reason: str = ""
    trigger: str = ""
    incident: str = ""
    done: bool = False


@dataclass(frozen=True)
class Release:
    """One row of `history`: folded from the ledger's entries.

    digest: SHA-256 over built tree, template and parameters without ReleaseId; "nothing to do" compares it.
    code_digest: the same without the parameters, equal for one build in every environment; what quarantine compares.
    live_at: when it was first given 100 %; None when it never was.
    versions: Lambda function name -> published version.
    api_deployment_id: the deployment of the API's definition that the stage had with it; empty when not known.
    override_shared: why shared changes were allowed to be breaking; empty when they were not.
    steps: the shares of the traffic that its canaries gave it, oldest first.
    returns: the rollbacks of it, oldest first.
    pruned_at: when its aliases and alarms were deleted; None while they are kept.
    """

    name: str
    environment: str
    api_stage: str
    state: ReleaseState
    started_at: datetime
    by: str
    digest: str = ""
    code_digest: str = ""
    commit: str = ""
    reason: str = ""
    live_at: datetime | None = None
    rolled_back_at: datetime | None = None
    failure: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    api_deployment_id: str = ""
    override_shared: str = ""
    steps: tuple[CanaryStep, ...] = ()
    returns: tuple[Return, ...] = ()
    pruned_at: datetime | None = None

    @property
    def held_all(self) -> bool:
        """Whether it ever held 100 %: what a rollback may go back to."""
        return self.live_at is not None
