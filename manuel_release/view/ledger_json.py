"""Leases, freezes, quarantines and incidents as documents for scripts; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.view.as_json import SCHEMA_VERSION, Document, freeze_of, lease_of, time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.entry import Freeze, Incident, Lease, Quarantine


def frozen(environment: str, freeze: Freeze | None, before: Freeze | None, *, changed: bool) -> Document:
    """The answer of `freeze on` and `freeze off`: the freeze in force (or asked for), and the one before."""
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": environment,
        "changed": changed,
        "freeze": freeze_of(freeze),
        "previous_freeze": freeze_of(before),
    }


def leases(found: Iterable[Lease]) -> Document:
    """The answer of `lease show`."""
    return {"schema_version": SCHEMA_VERSION, "leases": [_lease(one) for one in found]}


def taken(new: Lease | None, old: Lease | None) -> Document:
    """The answer of `lease take`: the new lease, None when it was not taken, and whom it was taken from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "changed": new is not None,
        "lease": None if new is None else _lease(new),
        "previous_lease": None if old is None else _lease(old),
    }


def _lease(lease: Lease) -> Document:
    return {"environment": lease.environment, "api_stage": lease.api_stage, **(lease_of(lease) or {})}


def quarantines(found: Iterable[Quarantine]) -> Document:
    """The answer of `quarantine list`."""
    return {"schema_version": SCHEMA_VERSION, "quarantines": [_quarantine(one) for one in found]}


def lifted(quarantine: Quarantine, *, changed: bool) -> Document:
    """The answer of `quarantine lift`."""
    return {"schema_version": SCHEMA_VERSION, "changed": changed, "quarantine": _quarantine(quarantine)}


def _quarantine(one: Quarantine) -> Document:
    return {
        "code_digest": one.code_digest,
        "release": one.release,
        "environment": one.environment,
        "by": one.by,
        "reason": one.reason,
        "since": time(one.since),
    }


def incidents(found: Iterable[Incident]) -> Document:
    """The answer of `incident list`; receipts are in `incident show`."""
    return {"schema_version": SCHEMA_VERSION, "incidents": [_incident(one) for one in found]}


def incident(one: Incident) -> Document:
    """The answer of `incident show` and `incident note`; `receipt`: the document of `rollback`, None while it runs."""
    return {"schema_version": SCHEMA_VERSION, **_incident(one), "receipt": dict(one.receipt) or None}


def _incident(one: Incident) -> Document:
    return {
        "incident_id": one.id,
        "environment": one.environment,
        "api_stage": one.api_stage,
        "release": one.release,
        "to_release": one.to_release,
        "trigger": one.trigger,
        "reason": one.reason,
        "by": one.by,
        "started_at": time(one.started_at),
        "ended_at": time(one.ended_at),
        "seconds": None if one.ended_at is None else round((one.ended_at - one.started_at).total_seconds(), 3),
        "notes": list(one.notes),
    }
