"""The people of a run: made and deleted again where that is allowed, the given accounts elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING

from integration.performance.plans import MANUAL, MANUAL_NAME, QUESTION
from integration.suites.person import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.performance.plans import Scenario
    from integration.suites.accounts import Accounts
    from integration.suites.client import Client
    from integration.suites.config import Config


class NotReadyError(Exception):
    """Nobody can be measured: why, in one sentence."""


@dataclass
class Cohort:
    """People who are signed in. leftovers: what could not be deleted, as sentences."""

    config: Config
    accounts: Accounts
    client: Client
    people: list[Person] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    _kept: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def tokens(self) -> list[str]:
        """An id token of each."""
        return [one.account.id_token for one in self.people]

    def gather(self, wanted: int) -> None:
        """Sign in as many people as wanted, or all that were given; raises NotReadyError without any."""
        given = [] if self.config.make_users else self.accounts.given()
        while len(self.people) < (wanted if self.config.make_users else len(given)):
            account = self.accounts.make() if self.config.make_users else given[len(self.people)]
            self.people.append(Person(self.client, account, self.config.learning_seconds))
        if not self.people:
            raise NotReadyError(
                f"{self.config.environment} makes no users for tests: give accounts in MANUEL_TEST_ACCOUNTS"
            )

    def learn(self) -> None:
        """Give everybody the manual that the question is about; raises NotReadyError when it answers nothing.

        One after the other: a knowledge base reads its bucket once at a time, and uploads that find it busy are tried
        again only minutes later.
        """
        try:
            for one in self.people:
                self._kept[one.account.email] = frozenset(manual["manual_id"] for manual in one.manuals())
                one.upload(MANUAL_NAME, MANUAL)
                one.knows(QUESTION)
        except AssertionError as error:
            raise NotReadyError(f"the question cannot be asked: {error}") from None

    def warm_up(self, scenarios: Sequence[Scenario]) -> None:
        """Have each function answer once: a crowd that meets only cold ones makes many start at the same time."""
        for one in scenarios:
            self.people[0].ask(one.method, one.path, one.body)

    def leave(self) -> None:
        """Delete what was made; never raises."""
        for one in self.people:
            if one.uploads:
                try:
                    self.leftovers += one.tidy(self._kept[one.account.email])
                except (OSError, HTTPException, AssertionError) as error:
                    self.leftovers.append(f"manuals of {one.account.email}: {error}")
        self.accounts.close()
        self.leftovers += self.accounts.leftovers
