"""What the ledger keeps as items of its table, and back.

An item written by an older version of the tool is read with defaults for what it lacks; one written by a newer version
is refused, because guessing what it means is how a rollback goes to the wrong release.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from manuel_release.errors import ReleaseError
from manuel_release.model.entry import SCHEMA_VERSION, Entry, EntryKind, Freeze, Incident, Lease, Quarantine
from manuel_release.model.heartbeat import Heartbeat

Item = dict[str, Any]

LOG = "log#"
RELEASE = "release#"
LEASE = "lease#"
FREEZE = "freeze"
QUARANTINE = "quarantine#"
INCIDENT = "incident#"
COUNTS = "counts#"
HEARTBEAT = "heartbeat#"
EVERYWHERE = "*"
"""The partition of what concerns every environment: quarantines, and incidents, which are looked up by their id."""
UPDATE_HINT = "A newer version of the tool wrote it: update this one (`git pull`, then `make setup`)."


def to_text(at: datetime) -> str:
    """A moment as `2026-11-23T12:00:00.000000Z`: always the same length, so that text sorts by time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_moment(text: str) -> datetime:
    """The moment of `to_text`."""
    return datetime.fromisoformat(text)


def plain(value: Any) -> Any:
    """The value as the table gives it back: dicts and lists, so that what was written can be compared."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _readable(item: Item) -> int:
    """The item's schema version; raises ReleaseError when a newer version of the tool wrote it."""
    version = int(item.get("schema_version", 1))
    if version > SCHEMA_VERSION:
        raise ReleaseError(
            f"cannot read {item['entry']} of {item['environment']}: its schema version is {version}, "
            f"this tool knows {SCHEMA_VERSION}",
            hint=UPDATE_HINT,
        )
    return version


def _moment_or_none(item: Item, name: str) -> datetime | None:
    return to_moment(item[name]) if item.get(name) else None


def _text_or_none(at: datetime | None) -> str | None:
    return to_text(at) if at is not None else None


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
        "details": plain(entry.details),
        "schema_version": entry.schema_version,
    }


def item_to_entry(item: Item) -> Entry:
    """The entry of an item; raises ReleaseError when a newer version of the tool wrote it."""
    key, version, kind = str(item["entry"]), _readable(item), str(item["kind"])
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


def freeze_to_item(freeze: Freeze, token: str) -> Item:
    """The item of a freeze; its attribute is not `expires_at`, so that DynamoDB never deletes it."""
    return {
        "environment": freeze.environment,
        "entry": FREEZE,
        "by": freeze.by,
        "reason": freeze.reason,
        "since": to_text(freeze.since),
        "until": _text_or_none(freeze.until),
        "token": token,
        "schema_version": SCHEMA_VERSION,
    }


def item_to_freeze(item: Item) -> Freeze:
    """The freeze of an item; raises ReleaseError when a newer version of the tool wrote it."""
    _readable(item)
    return Freeze(
        environment=str(item["environment"]),
        by=str(item["by"]),
        reason=str(item["reason"]),
        since=to_moment(item["since"]),
        until=_moment_or_none(item, "until"),
    )


def quarantine_to_item(quarantine: Quarantine) -> Item:
    """The item of a quarantine, kept where every environment looks."""
    return {
        "environment": EVERYWHERE,
        "entry": QUARANTINE + quarantine.code_digest,
        "release": quarantine.release,
        "release_environment": quarantine.environment,
        "by": quarantine.by,
        "reason": quarantine.reason,
        "since": to_text(quarantine.since),
        "token": quarantine.code_digest,
        "schema_version": SCHEMA_VERSION,
    }


def item_to_quarantine(item: Item) -> Quarantine:
    """The quarantine of an item; raises ReleaseError when a newer version of the tool wrote it."""
    _readable(item)
    return Quarantine(
        code_digest=str(item["entry"]).removeprefix(QUARANTINE),
        release=str(item["release"]),
        environment=str(item["release_environment"]),
        by=str(item["by"]),
        reason=str(item["reason"]),
        since=to_moment(item["since"]),
    )


def incident_to_item(incident: Incident, token: str) -> Item:
    """The item of an incident."""
    return {
        "environment": EVERYWHERE,
        "entry": INCIDENT + incident.id,
        "release_environment": incident.environment,
        "api_stage": incident.api_stage,
        "release": incident.release,
        "to_release": incident.to_release,
        "trigger": incident.trigger,
        "reason": incident.reason,
        "by": incident.by,
        "started_at": to_text(incident.started_at),
        "ended_at": _text_or_none(incident.ended_at),
        "receipt": plain(incident.receipt),
        "notes": list(incident.notes),
        "token": token,
        "schema_version": SCHEMA_VERSION,
    }


def item_to_incident(item: Item) -> Incident:
    """The incident of an item; raises ReleaseError when a newer version of the tool wrote it."""
    _readable(item)
    return Incident(
        id=str(item["entry"]).removeprefix(INCIDENT),
        environment=str(item["release_environment"]),
        api_stage=str(item["api_stage"]),
        release=str(item["release"]),
        to_release=str(item["to_release"]),
        trigger=str(item["trigger"]),
        reason=str(item["reason"]),
        by=str(item["by"]),
        started_at=to_moment(item["started_at"]),
        ended_at=_moment_or_none(item, "ended_at"),
        receipt=dict(item.get("receipt") or {}),
        notes=tuple(map(str, item.get("notes") or ())),
    )


def counts_key(release: str, t: float) -> str:
    """Sort key of a judged interval that ends at `t`, to a tenth of a second."""
    return f"{counts_key_prefix(release)}{t:+012.1f}"


def counts_key_prefix(release: str) -> str:
    """What the sort keys of a release's intervals begin with."""
    return f"{COUNTS}{release}#"


def item_to_counts(item: Item) -> tuple[float, Item]:
    """When an interval ended and its payload; raises ReleaseError when a newer version of the tool wrote it."""
    _readable(item)
    return float(item["t"]), dict(item["payload"])


def heartbeat_to_item(heartbeat: Heartbeat) -> Item:
    """The item of a heartbeat."""
    return {
        "environment": heartbeat.environment,
        "entry": HEARTBEAT + heartbeat.api_stage,
        "api_stage": heartbeat.api_stage,
        "release": heartbeat.release,
        "at": to_text(heartbeat.at),
        "until": to_text(heartbeat.until),
        "by": heartbeat.by,
        "token": HEARTBEAT,
        "schema_version": SCHEMA_VERSION,
    }


def item_to_heartbeat(item: Item) -> Heartbeat:
    """The heartbeat of an item; raises ReleaseError when a newer version of the tool wrote it."""
    _readable(item)
    return Heartbeat(
        environment=str(item["environment"]),
        api_stage=str(item["api_stage"]),
        release=str(item["release"]),
        at=to_moment(item["at"]),
        until=to_moment(item["until"]),
        by=str(item["by"]),
    )
