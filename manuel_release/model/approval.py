"""Gates of the pipeline: who decides, on what, and what they may choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Choice(StrEnum):
    """What a gate decides."""

    PROCEED = "proceed"
    FULL = "full"
    EXTEND = "extend"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Gate:
    """A place where people decide.

    actions: role -> the approval action in `stage` that waits for it; all of them must approve.
    choices: what an approver may choose; a rejection is always possible.
    """

    name: str
    stage: str
    actions: Mapping[str, str]
    choices: tuple[Choice, ...] = (Choice.PROCEED,)


GATES: Mapping[str, Gate] = {
    gate.name: gate
    for gate in (
        Gate("production", "ProductionApproval", {"devops": "DevOps", "product": "Product"}),
        Gate("canary", "CanaryApproval", {"devops": "DevOps"}, (Choice.PROCEED, Choice.FULL, Choice.EXTEND)),
        Gate("final", "FullProduction", {"devops": "FinalApproval"}, (Choice.PROCEED, Choice.EXTEND)),
    )
}


@dataclass(frozen=True)
class Package:
    """What people decide on.

    execution_id: of the pipeline. author: e-mail of the commit's author, empty when it is not known.
    code_digest: of the build. parts: tests, performance, security, change_set, verdict and the like, as JSON.
    """

    gate: str
    execution_id: str
    commit: str
    author: str
    code_digest: str
    summary: str
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What the ledger keeps of somebody's decision at a gate; `role` is empty for the request itself."""

    gate: str
    decision: str
    role: str
    package_hash: str
    choice: str
    execution_id: str
    by: str
    at: datetime


@dataclass(frozen=True)
class PendingApproval:
    """An approval action that waits."""

    gate: Gate
    role: str
    action: str
    execution_id: str
    token: str
    since: datetime | None = None
