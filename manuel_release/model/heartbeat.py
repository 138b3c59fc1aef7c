"""The sign of life of whoever observes a canary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Heartbeat:
    """Somebody observes a release in one API stage of an environment.

    at: the last sign of life. until: to when they mean to observe it; `at` itself when they have found it proven.
    """

    environment: str
    api_stage: str
    release: str
    at: datetime
    until: datetime
    by: str
