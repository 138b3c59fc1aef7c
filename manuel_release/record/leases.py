"""Leases: one writer for each API stage of an environment. Sort key: `lease#<api stage>`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.entry import Entry, EntryKind, Lease
from manuel_release.model.environment import canonical
from manuel_release.record import codec
from manuel_release.record.journal import Journal, entry_id

if TYPE_CHECKING:
    from datetime import datetime

TAKE_ATTEMPTS = 10


class Leases(Journal):
    """Who may change an environment now."""

    def lease(self, environment: str, api_stage: str) -> Lease | None:
        """The lease in force; None when nobody has one, or it has expired."""
        return self._in_force(self._table.get(canonical(environment), codec.LEASE + api_stage))

    def leases(self, environment: str) -> tuple[Lease, ...]:
        """The leases in force on all API stages of the environment."""
        found = map(self._in_force, self._table.query(canonical(environment), codec.LEASE))
        return tuple(lease for lease in found if lease is not None)

    def _in_force(self, item: codec.Item | None) -> Lease | None:
        lease = codec.item_to_lease(item) if item else None
        return lease if lease and lease.expires_at >= self._clock() else None

    def acquire(  # noqa: PLR0917 - who, where, what for and how long is one question
        self, environment: str, api_stage: str, holder: str, reason: str, seconds: float, token: str
    ) -> Lease:
        """Take the lease for `seconds`; the same token gets it again, which is how a command goes on after a crash.

        A lease that its holder reserved by hand (`take`) is used up by the next command of that holder.

        Raises Refused, with who has it, since when, what for, until when, and how to take it over.
        """
        lease = self._new(environment, api_stage, holder, reason, seconds, token)
        item = codec.lease_to_item(lease)
        there = self._table.put_if_free(item, codec.to_text(lease.taken_at), token)
        if there is None:
            return lease
        mine = bool(there.get("reserved")) and there["holder"] == holder
        if not (mine and self._table.replace_if(item, str(there["token"]))):
            self._refuse(codec.item_to_lease(there))
        return lease

    def take(  # noqa: PLR0917 - as `acquire`
        self,
        environment: str,
        api_stage: str,
        by: str,
        reason: str,
        seconds: float,
        token: str,
        *,
        reserve: bool = False,
    ) -> tuple[Lease, Lease | None]:
        """Take the lease for `seconds`, whoever has it; the new lease, and the one that was in force before.

        Whoever had it is refused when they renew it. The journal keeps from whom it was taken.

        Args:
            environment: its name.
            api_stage: of the API.
            by: the new holder.
            reason: what for.
            seconds: how long.
            token: the new holder's; with the token of the lease in force nothing is taken from anybody.
            reserve: keep it for the next command of the same holder, which has another token.

        Raises:
            ReleaseError: the lease changed hands all the time.
        """
        for _ in range(TAKE_ATTEMPTS):
            lease = self._new(environment, api_stage, by, reason, seconds, token)
            item = codec.lease_to_item(lease) | ({"reserved": True} if reserve else {})
            there = self._table.put_if_free(item, codec.to_text(lease.taken_at), token)
            if there is None:
                return lease, None
            old = codec.item_to_lease(there)
            if self._table.replace_if(item, old.token):
                self.append(_taken(lease, old))
                return lease, old
        raise ReleaseError(
            f"the lease on {environment} ({api_stage}) is not taken: it changed hands {TAKE_ATTEMPTS} times meanwhile",
            hint=f"Find out what else works there: `manuel-release lease show --env {environment}`.",
        )

    def _new(  # noqa: PLR0917 - as `acquire`
        self, environment: str, api_stage: str, holder: str, reason: str, seconds: float, token: str
    ) -> Lease:
        now = self._clock()
        return Lease(
            environment=canonical(environment),
            api_stage=api_stage,
            holder=holder,
            reason=reason,
            token=token,
            taken_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Make the lease last `seconds` from now; raises Refused when it is not this holder's any more."""
        longer = replace(lease, expires_at=self._clock() + timedelta(seconds=seconds))
        if not self._table.replace_if(codec.lease_to_item(longer), lease.token):
            there = self.lease(lease.environment, lease.api_stage)
            if there is not None:
                self._refuse(there)
            raise Refused(
                f"{lease.holder} does not hold the lease on {lease.environment} ({lease.api_stage}) any more: "
                "it was given back, or it expired or was taken over and somebody else has had it since",
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
            f"{_words(there.expires_at)} (in {left} s), or take it over: "
            f'`manuel-release lease take --env {there.environment} --reason "WHY"`. Then run the command again.',
        )


def _taken(lease: Lease, old: Lease) -> Entry:
    return Entry(
        id=entry_id(lease.taken_at, f"{EntryKind.LEASE_TAKEN} {lease.token}"),
        environment=lease.environment,
        api_stage=lease.api_stage,
        at=lease.taken_at,
        kind=EntryKind.LEASE_TAKEN,
        release="",
        by=lease.holder,
        reason=lease.reason,
        details={"holder": old.holder, "since": codec.to_text(old.taken_at), "was_for": old.reason},
    )


def _words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
