"""The guard as an observer: while people decide, nobody else judges the canary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operations.log import say

if TYPE_CHECKING:
    from manuel_release.app import App


def bad(app: App) -> str:
    """Why the environment's canary is bad, over all that was counted since its start; empty when it is not said to be.

    It goes on where the last observer ended, with the same judge and settings (docs/verdict.md), and keeps in the
    ledger what it judges newly. Raises ReleaseError when the stage, the ledger or the counts cannot be read.
    """
    from manuel_release.judging import keep, observation  # noqa: PLC0415 - most looks end before it is needed

    found = observation(app, app.environment, lambda text: say(problem=text))
    status = found.observer.look(app.now())
    keep(app, app.environment.name, found.subject.release, found.observer.fresh())
    return status.verdict.sentence if status.word == "bad" and status.verdict is not None else ""
