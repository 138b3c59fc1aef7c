"""What a running command tells about itself; the screen and the log decide how it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepResult:
    """How a step of a plan ended: `done`, `skipped` (it was so already) or `failed`; seconds of wall clock."""

    title: str
    status: str
    seconds: float
    detail: str = ""


class Progress(Protocol):
    """Told what happens while it happens."""

    def start(self, title: str) -> None:
        """A step begins."""

    def note(self, text: str) -> None:
        """Something happened inside the step: a resource changed, a deployment went on."""

    def end(self, result: StepResult) -> None:
        """The step is over."""
