"""Entries and leases as items of the ledger's table, and back.

An item written by an older version of the tool is read with defaults for what it lacks; one written by a newer version
is refused, because guessing what it means is how a rollback goes to the wrong release.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from manuel_release.errors import ReleaseError
from manuel_release.model.entry import SCHEMA_VERSION, Entry, EntryKind, Lease

Item = dict[str, Any]

LOG = "log#"
RELEASE = "release#"
LEASE = "lease#"
UPDATE_HINT = "A newer version of the tool wrote it: update this one (`git pull`, then `make setup`)."


def to_text(at: datetime) -> str:
    """A moment as `2026-11-23T12:00:00.000000Z`: always the same length, so that text sorts by time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_moment(text: str) -> datetime:
    """The moment of `to_text`."""
    return datetime.fromisoformat(text)


def release_key(number: int) -> str:
    """Sort key of a release's reservation; six digits, so that it sorts by number."""
    return f"{RELEASE}{number:06d}"


def release_number(item: Item) -> int:
    """The number that a reservation holds."""
    return int(str(item["entry"]).removeprefix(RELEASE))


def entry_to_item(entry: Entry) -> Item:
    """The item of an entry."""
    return {
        "environment": entry.environment,
        "entry": LOG + entry.id,
        "api_stage": entry.api_stage,
        "at": to_text(entry.at),
        "kind": entry.kind.value,
        "release": entry.release,
        "by": entry.by,
        "reason": entry.reason,
        "details": dict(entry.details),
        "schema_version": entry.schema_version,
    }


def item_to_entry(item: Item) -> Entry:
    """The entry of an item; raises ReleaseError when a newer version of the tool wrote it."""
    key, version, kind = str(item["entry"]), int(item.get("schema_version", 1)), str(item["kind"])
    if version > SCHEMA_VERSION:
        raise ReleaseError(
            f"cannot read {key} of {item['environment']}: its schema version is {version}, "
            f"this tool knows {SCHEMA_VERSION}",
            hint=UPDATE_HINT,
        )
    try:
        known = EntryKind(kind)
    except ValueError as error:
        raise ReleaseError(
            f"cannot read {key} of {item['environment']}: this tool does not know what `{kind}` means", hint=UPDATE_HINT
        ) from error
    return Entry(
        id=key.removeprefix(LOG),
        environment=str(item["environment"]),
        api_stage=str(item["api_stage"]),
        at=to_moment(item["at"]),
        kind=known,
        release=str(item.get("release", "")),
        by=str(item.get("by", "")),
        reason=str(item.get("reason", "")),
        details=dict(item.get("details") or {}),
        schema_version=version,
    )


def lease_to_item(lease: Lease) -> Item:
    """The item of a lease."""
    return {
        "environment": lease.environment,
        "entry": LEASE + lease.api_stage,
        "api_stage": lease.api_stage,
        "holder": lease.holder,
        "reason": lease.reason,
        "token": lease.token,
        "taken_at": to_text(lease.taken_at),
        "expires_at": to_text(lease.expires_at),
    }


def item_to_lease(item: Item) -> Lease:
    """The lease of an item."""
    return Lease(
        environment=str(item["environment"]),
        api_stage=str(item["api_stage"]),
        holder=str(item["holder"]),
        reason=str(item["reason"]),
        token=str(item["token"]),
        taken_at=to_moment(item["taken_at"]),
        expires_at=to_moment(item["expires_at"]),
    )
