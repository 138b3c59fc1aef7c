"""One thing is done once, however many events tell of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.record.claims import Claims
from manuel_release.settings import LEDGER_PARAMETER
from operations.log import say

if TYPE_CHECKING:
    from manuel_release.app import App


@dataclass(frozen=True)
class Claim:
    """The right to do one thing in the App's environment."""

    app: App
    what: str
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def take(self, seconds: float) -> bool:
        """Whether it is this run's to do, for so long; where the ledger does not answer it is: twice is harmless."""
        now = self.app.now()
        try:
            until = now + timedelta(seconds=seconds)
            return self._claims().take(self.app.environment.name, self.what, now, until, self.token)
        except ReleaseError as error:
            say(problem=error.message)
            return True

    def drop(self) -> None:
        """Let the next event do it."""
        try:
            self._claims().drop(self.app.environment.name, self.what, self.token)
        except ReleaseError as error:
            say(problem=error.message)

    def _claims(self) -> Claims:
        table = self.app.aws.parameters.get(LEDGER_PARAMETER)
        if table is None:
            raise ReleaseError(f"there is no ledger: SSM {LEDGER_PARAMETER} does not exist")
        return Claims(self.app.aws.table(table))
