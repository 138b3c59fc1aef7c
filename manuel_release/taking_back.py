"""A release that is found to be bad while somebody works with it is rolled back by the same code as by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.errors import Partial, ReleaseError

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.progress import Progress
    from manuel_release.model.rollback import Receipt


def take_back(app: App, release: str, trigger: str, why: str, progress: Progress) -> Receipt:
    """Roll that release back, and no other that came meanwhile; the receipt.

    Its `from_release` is None when somebody else had taken the release back already.

    Args:
        app: whose environment it is.
        release: the bad one.
        trigger: what found it: `verdict`, `rollout`, or an alarm's name.
        why: one sentence, for the incident.
        progress: told what happens.

    Raises:
        Partial: the traffic could not be taken back, or something that is left needs a person.
    """
    from manuel_release.model.rollback import RollbackRequest  # noqa: PLC0415 - only a bad release pays for it
    from manuel_release.rollback import roll_back  # noqa: PLC0415

    again = f"manuel-release rollback --env {app.environment.name}"
    request = RollbackRequest(reason=why, trigger=trigger, began=time.monotonic(), only=release)
    try:
        receipt = roll_back(app, request, progress, lambda *_: None, lambda *_: True)
    except ReleaseError as error:
        raise Partial(
            f"{release} is bad ({why}) and could not be taken back: {error.message}", hint=f"Run `{again}` at once."
        ) from error
    if receipt.left:
        raise Partial(
            f"{release} is bad ({why}) and {receipt.to_release} serves again; left for a person: "
            f"{'; '.join(receipt.left)}",
            hint=f"`{again}` finishes what it can.",
        )
    return receipt
