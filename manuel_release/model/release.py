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
    LIVE = "live"  # holds 100 %
    REPLACED = "replaced"  # held 100 % until the next one did
    FAILED = "failed"  # never served, or was taken back at once
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class Release:
    """One row of `history`: folded from the ledger's entries.

    digest: SHA-256 over built tree, template and parameters without ReleaseId; what quarantine and "nothing to do" use.
    code_digest: the same without the parameters; equal for one build in every environment.
    versions: Lambda function name -> published version.
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
