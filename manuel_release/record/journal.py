"""The journal: entries that are never changed, and numbers that are given once.

Sort keys: `log#<time>#<random>` an entry, `release#<number>` a reservation.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from manuel_release.errors import ReleaseError
from manuel_release.model.environment import canonical
from manuel_release.model.release import release_name, release_number
from manuel_release.record import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from manuel_release.model.entry import Entry

RESERVE_ATTEMPTS = 50


def entry_id(at: datetime, of: str = "") -> str:
    """An id for an entry of that moment: sorts by time, and is unique.

    of: what the entry says; the same text always gets the same id, so that it is written once however often its writer
    is run again. Empty: a new id.
    """
    mark = hashlib.sha256(of.encode()).hexdigest()[:8] if of else secrets.token_hex(4)
    return f"{codec.to_text(at)}#{mark}"


class Table(Protocol):
    """What the ledger needs of a table; every read sees every finished write."""

    def put_new(self, item: codec.Item) -> bool:
        """Write an item whose key is free; False when another item has it."""

    def put_if_free(self, item: codec.Item, now: str | float, token: str) -> codec.Item | None:
        """Write where there is no item, one with `expires_at` before `now`, or this token; else what is there."""

    def replace_if(self, item: codec.Item, token: str) -> bool:
        """Write over an item that has this token; False when it has another one or is gone."""

    def delete_if(self, pk: str, sk: str, token: str) -> bool:
        """Delete an item that has this token; False when it has another one or is gone."""

    def get(self, pk: str, sk: str) -> codec.Item | None:
        """One item."""

    def query(self, pk: str, prefix: str, newest_first: bool = False, limit: int | None = None) -> Iterator[codec.Item]:
        """Items whose sort key begins with `prefix`, in its order."""


class Journal:
    """What happened, and which number is next."""

    def __init__(self, table: Table, clock: Callable[[], datetime]) -> None:
        """`clock` tells the time in UTC, with its zone."""
        self._table = table
        self._clock = clock

    def last_number(self, environment: str) -> int:
        """The highest release number given in the environment so far; 0 when there is none."""
        last = next(self._table.query(canonical(environment), codec.RELEASE, newest_first=True, limit=1), None)
        return 0 if last is None else codec.release_number(last)

    def reserve(self, environment: str, api_stage: str, by: str, now: datetime) -> str:
        """The next release's name, which nobody else gets, even when several ask at the same time.

        A number whose deploy never begins is lost; numbers only ever grow.
        """
        environment = canonical(environment)
        for _ in range(RESERVE_ATTEMPTS):
            number = self.last_number(environment) + 1
            item = {
                "environment": environment,
                "entry": codec.release_key(number),
                "api_stage": api_stage,
                "at": codec.to_text(now),
                "by": by,
                "token": secrets.token_hex(8),  # two people in the same microsecond stay two
            }
            if self._table.put_new(item):
                return release_name(number)
        raise ReleaseError(
            f"no release number in {environment}: others took {RESERVE_ATTEMPTS} of them first",
            hint="Find out what deploys so often, then run the command again.",
        )

    def api_stage_of(self, environment: str, release: str) -> str:
        """The API stage that a release's number was given for; empty when it never was."""
        number = release_number(release)
        item = self._table.get(canonical(environment), codec.release_key(number)) if number else None
        return str(item["api_stage"]) if item else ""

    def append(self, entry: Entry) -> None:
        """Append an entry; its id is one of `entry_id`. Raises ReleaseError when another entry has the id."""
        item = codec.entry_to_item(replace(entry, environment=canonical(entry.environment)))
        if not self._table.put_new(item):
            raise ReleaseError(f"entry {entry.id} of {entry.environment} is not written: another one has this id")

    def entries(self, environment: str, api_stage: str | None = None, limit: int | None = None) -> tuple[Entry, ...]:
        """Entries of the environment, oldest first.

        Args:
            environment: its name.
            api_stage: only those of this stage of the API; None for all.
            limit: the newest so many at the most; None for all.

        Raises:
            ReleaseError: a newer version of the tool wrote one of them.
        """
        newest_first = limit is not None
        enough = limit if api_stage is None else None  # what the table counts, it counts before the stage is looked at
        items = self._table.query(canonical(environment), codec.LOG, newest_first=newest_first, limit=enough)
        wanted = (item for item in items if api_stage in {None, item["api_stage"]})
        found = [codec.item_to_entry(item) for item in itertools.islice(wanted, limit)]
        return tuple(reversed(found) if newest_first else found)
