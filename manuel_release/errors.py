"""Every error that a person can meet: what happened, why, and the next command to run.

    ReleaseError                exit 1   failed, nothing half-done
    |-- UsageError              exit 2   the command line is wrong
    |-- Refused                 exit 3   a guard said no: lease, freeze, quarantine, canary, verdict, approval
    |-- AccessError             exit 4   credentials or permissions
    |-- SettingsError           exit 4   settings, tools or bootstrap missing
    |-- GateFailed              exit 5   a gate failed and traffic was rolled back
    |-- Partial                 exit 6   something needs a person, and the message says what
    |-- Pending                 exit 8   not finished yet, or timed out
    `-- EmulatorError           exit 1   the embedded AWS does not do what it should

Exit 0 is done (also: nothing to do), 130 is Ctrl-C.
"""

from __future__ import annotations

from typing import ClassVar


class ReleaseError(Exception):
    """Something failed and nothing is half-done; `message` is `{what happened}: {why}`, `hint` what to run next."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReleaseError):
    """The command line or a file given on it is wrong."""

    code = "usage"
    exit_code = 2


class Refused(ReleaseError):  # noqa: N818 - a refusal is an answer, not an error
    """A guard said no; nothing was changed. `passing`: more requests of users alone may end it."""

    code = "refused"
    exit_code = 3
    passing = False


class AccessError(ReleaseError):
    """Credentials are missing or expired, or a permission is."""

    code = "access"
    exit_code = 4


class SettingsError(ReleaseError):
    """Settings, a tool, or the bootstrap is missing or wrong."""

    code = "settings"
    exit_code = 4


class GateFailed(ReleaseError):  # noqa: N818
    """A gate failed and traffic was rolled back."""

    code = "gate_failed"
    exit_code = 5


class Partial(ReleaseError):  # noqa: N818
    """Some of it is done and the rest needs a person; the message says what."""

    code = "partial"
    exit_code = 6


class Pending(ReleaseError):  # noqa: N818
    """Not finished yet, or timed out; nothing is lost and the command can be run again."""

    code = "pending"
    exit_code = 8


class EmulatorError(ReleaseError):
    """The embedded AWS did not start or does not do what it should."""

    code = "emulator"
