"""Incidents: rollbacks as something that people look into afterwards.

Key: `incident#<id>` in the partition `*`, so that an id alone finds one.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.environment import canonical
from manuel_release.record import codec
from manuel_release.record.journal import Journal

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.model.entry import Incident

WRITE_ATTEMPTS = 10


def incident_id(at: datetime) -> str:
    """A new id such as `i-20261123-0600-1f3a`: sorts by time."""
    return f"i-{at:%Y%m%d-%H%M}-{secrets.token_hex(2)}"


class Incidents(Journal):
    """Incidents; what is known of one only ever grows."""

    def put_incident(self, incident: Incident) -> Incident:
        """Write an incident, or what is new about it; it as it is then.

        Notes that are there already stay, and so do its end and its receipt unless there are newer ones: two who write
        at the same time both find their words in it.
        """
        incident = replace(incident, environment=canonical(incident.environment))
        for _ in range(WRITE_ATTEMPTS):
            there = self._table.get(codec.EVERYWHERE, codec.INCIDENT + incident.id)
            known = codec.item_to_incident(there) if there else None
            whole = _joined(known, incident) if known else incident
            item = codec.incident_to_item(whole, secrets.token_hex(8))
            if self._table.replace_if(item, str(there["token"])) if there else self._table.put_new(item):
                return whole
        raise ReleaseError(
            f"incident {incident.id} is not written: others wrote it {WRITE_ATTEMPTS} times meanwhile",
            hint="Run the command again.",
        )

    def incident(self, name: str) -> Incident | None:
        """The incident of that id; None when there is none."""
        item = self._table.get(codec.EVERYWHERE, codec.INCIDENT + name)
        return codec.item_to_incident(item) if item else None

    def incidents(self, environment: str | None = None) -> tuple[Incident, ...]:
        """Incidents of an environment, or of all, newest first."""
        items = self._table.query(codec.EVERYWHERE, codec.INCIDENT)
        wanted = None if environment is None else canonical(environment)
        found = [codec.item_to_incident(item) for item in items if wanted in {None, item["release_environment"]}]
        return tuple(sorted(found, key=lambda one: one.started_at, reverse=True))

    def note(self, name: str, by: str, text: str) -> Incident | None:
        """Add what was learnt, with who says so and when; None when there is no such incident."""
        known = self.incident(name)
        if known is None:
            return None
        line = f"{self._clock():%Y-%m-%d %H:%M} UTC, {by}: {text}"
        return self.put_incident(replace(known, notes=(*known.notes, line)))


def _joined(known: Incident, told: Incident) -> Incident:
    return replace(
        told,
        started_at=min(known.started_at, told.started_at),
        ended_at=told.ended_at or known.ended_at,
        receipt=told.receipt or known.receipt,
        notes=(*known.notes, *(note for note in told.notes if note not in known.notes)),
    )
