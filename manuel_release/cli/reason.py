"""Commands that are not done without a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.app import App


def reason_of(app: App, what: str) -> str:
    """The reason that was given, for `what` (`a freeze`); raises UsageError when there is none."""
    from manuel_release.errors import UsageError  # noqa: PLC0415 - `--help` stays fast

    reason = app.options.reason.strip()
    if not reason:
        raise UsageError(f"{what} needs a reason: the next person reads it", hint='Add --reason "WHY".')
    return reason
