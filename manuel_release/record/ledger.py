"""The ledger of releases: entries that are never changed, numbers that are given once, leases that expire.

One table for an account and region. Partition key `environment`, sort key `entry`:
`log#<time>#<random>` an entry, `release#<number>` a reservation, `lease#<api stage>` a lease.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, Protocol

from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.entry import Lease
from manuel_release.model.environment import canonical
from manuel_release.model.release import release_name
from manuel_release.record import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from manuel_release.model.entry import Entry

RESERVE_ATTEMPTS = 50


def entry_id(at: datetime) -> str:
    """A new id for an entry of that moment: sorts by time, and is unique."""
    return f"{codec.to_text(at)}#{secrets.token_hex(4)}"


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


class Ledger:
    """What happened, which number is next, and who may change an environment."""

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

    def lease(self, environment: str, api_stage: str) -> Lease | None:
        """The lease in force; None when nobody has one, or it has expired."""
        item = self._table.get(canonical(environment), codec.LEASE + api_stage)
        lease = codec.item_to_lease(item) if item else None
        return lease if lease and lease.expires_at >= self._clock() else None

    def acquire(  # noqa: PLR0917 - who, where, what for and how long is one question
        self, environment: str, api_stage: str, holder: str, reason: str, seconds: float, token: str
    ) -> Lease:
        """Take the lease for `seconds`; the same token gets it again, which is how a command goes on after a crash.

        Raises Refused, with who has it, since when, what for and until when.
        """
        now = self._clock()
        lease = Lease(
            environment=canonical(environment),
            api_stage=api_stage,
            holder=holder,
            reason=reason,
            token=token,
            taken_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        there = self._table.put_if_free(codec.lease_to_item(lease), codec.to_text(now), token)
        if there is not None:
            self._refuse(codec.item_to_lease(there))
        return lease

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Make the lease last `seconds` from now; raises Refused when it is not this holder's any more."""
        longer = replace(lease, expires_at=self._clock() + timedelta(seconds=seconds))
        if not self._table.replace_if(codec.lease_to_item(longer), lease.token):
            there = self.lease(lease.environment, lease.api_stage)
            if there is not None:
                self._refuse(there)
            raise Refused(
                f"{lease.holder} does not hold the lease on {lease.environment} ({lease.api_stage}) any more: "
                "it was given back, or it expired and somebody else has had it since",
                hint=f"See what happened with `manuel-release history --env {lease.environment}`, then start again.",
            )
        return longer

    def release(self, lease: Lease) -> None:
        """Give the lease back; harmless when it is gone or somebody else's."""
        self._table.delete_if(lease.environment, codec.LEASE + lease.api_stage, lease.token)

    def _refuse(self, there: Lease) -> NoReturn:
        left = max(0, round((there.expires_at - self._clock()).total_seconds()))
        raise Refused(
            f"{there.environment} ({there.api_stage}) is being changed by {there.holder} "
            f"since {_words(there.taken_at)}: {there.reason}",
            hint=f"Wait until that is done; if its process died, the lease expires by itself at "
            f"{_words(there.expires_at)} (in {left} s). Then run the command again.",
        )


def _words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
