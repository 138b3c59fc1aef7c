"""What `doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # works, and somebody should look at it
    ERROR = "error"  # something does not work
    SKIPPED = "skipped"  # could not be looked at; the message says what is missing for it


@dataclass(frozen=True)
class Check:
    """The result of one check.

    message: what was found; several lines where there are several findings.
    hint: what to run or to change; empty when it is as it should be.
    environment: the environment it is about; empty for this machine and the account.
    access: an error of credentials, permissions or settings.
    """

    level: Level
    title: str
    message: str
    hint: str = ""
    environment: str = ""
    access: bool = False


@dataclass(frozen=True)
class Report:
    """Every check, in the order in which they are read."""

    checks: tuple[Check, ...]

    def count(self, level: Level) -> int:
        """How many checks ended so."""
        return sum(check.level is level for check in self.checks)

    @property
    def healthy(self) -> bool:
        """Whether no check is an error."""
        return self.count(Level.ERROR) == 0

    @property
    def exit_code(self) -> int:
        """0 without an error, 4 when all errors are of credentials, permissions or settings, else 1."""
        if self.healthy:
            return 0
        return 4 if all(check.access for check in self.checks if check.level is Level.ERROR) else 1
