"""What a step gets to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from manuel_release.aws import Aws
    from manuel_release.model.progress import Progress
    from manuel_release.settings import Settings


@dataclass(frozen=True)
class Context:
    """AWS, settings, the clock, and whom to tell.

    sleep: pauses for that many seconds; the executor's also keeps the lease alive.
    deadline: when the steps give up waiting, in the time of `now`; None leaves it to the settings' own limits.
    """

    aws: Aws
    settings: Settings
    progress: Progress
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    region: str
    deadline: datetime | None = None


@dataclass(frozen=True)
class Done:
    """What a step did; `skipped` when the world was so already."""

    detail: str = ""
    skipped: bool = False
