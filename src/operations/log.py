"""What the functions write to their log: lines of JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manuel_release.model.progress import StepResult


def say(**what: Any) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps(what, default=str) + "\n")


class Log:
    """A progress whose every line is one of the log."""

    def start(self, title: str) -> None:
        """A step begins."""
        say(step=title)

    def note(self, text: str) -> None:
        """Something happened inside the step."""
        say(note=text)

    def end(self, result: StepResult) -> None:
        """The step is over."""
        say(step=result.title, status=result.status, seconds=round(result.seconds, 3), detail=result.detail)
