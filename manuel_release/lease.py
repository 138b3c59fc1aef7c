"""The right to change an environment, held while a command works and renewed while it waits."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import Refused, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.app import App
    from manuel_release.model.entry import Lease

TOKEN_VARIABLE = "MANUEL_LEASE_TOKEN"  # noqa: S105 - names a variable
"""The commands of one build may share a lease: one that was killed is gone on with by the next at once."""


@dataclass
class LeaseKeeper:
    """Holds a lease and renews it whenever a third of its time has passed; `pause` is the sleep of everything below."""

    app: App
    lease: Lease

    def __post_init__(self) -> None:
        self.renewed = time.monotonic()

    def keep(self) -> None:
        """Renew the lease when it is time; raises Refused when somebody took it over."""
        if time.monotonic() - self.renewed > self.app.settings.lease_seconds / 3:
            self.lease = self.app.ledger.renew(self.lease, self.app.settings.lease_seconds)
            self.renewed = time.monotonic()

    def confirm(self) -> None:
        """Renew the lease now: whoever can do that has it at this moment; raises Refused when somebody took it over."""
        self.lease = self.app.ledger.renew(self.lease, self.app.settings.lease_seconds)
        self.renewed = time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep, and keep the lease."""
        self.app.sleep(seconds)
        self.keep()


@contextmanager
def leased(app: App, api_stage: str, reason: str) -> Iterator[LeaseKeeper]:
    """The right to change an environment, given back at the end; raises Refused with who holds it."""
    ledger, environment = app.ledger, app.environment.name
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_hex(8)
    try:
        lease = ledger.acquire(environment, api_stage, app.holder, reason, app.settings.lease_seconds, token)
    except Refused as held:
        follow = f"`manuel-release deploy --env {environment} --attach` follows a deploy that runs."
        raise Refused(held.message, hint=f"{held.hint} {follow}") from held
    keeper = LeaseKeeper(app, lease)
    try:
        yield keeper
    finally:
        # With credentials that have expired it cannot be given back. It ends by itself, and why the command ended is
        # worth more than that.
        with suppress(ReleaseError):
            ledger.release(keeper.lease)
