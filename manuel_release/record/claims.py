"""Claims: one thing is done once, however many events tell of it. Sort key: `claim#<what>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.environment import canonical
from manuel_release.record import codec

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.record.journal import Table

CLAIM = "claim#"


class Claims:
    """Claims in the ledger's table; each ends by itself, so that a claimant that died does not block for ever."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, environment: str, what: str, now: datetime, until: datetime, token: str) -> bool:
        """Claim `what` until that moment; False when another token has it now. Raises ReleaseError."""
        item = {
            "environment": canonical(environment),
            "entry": CLAIM + what,
            "at": codec.to_text(now),
            "expires_at": codec.to_text(until),
            "token": token,
        }
        return self._table.put_if_free(item, codec.to_text(now), token) is None

    def drop(self, environment: str, what: str, token: str) -> None:
        """Give a claim back, so that the next event is not too late; raises ReleaseError."""
        self._table.delete_if(canonical(environment), CLAIM + what, token)
