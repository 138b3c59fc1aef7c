"""The ledger of releases: one DynamoDB table for an account and region, partition key `environment`, sort key `entry`.

docs/ledger.md lists every kind of item.
"""

from __future__ import annotations

from manuel_release.record.incidents import Incidents, incident_id
from manuel_release.record.journal import RESERVE_ATTEMPTS, Table, entry_id
from manuel_release.record.leases import Leases
from manuel_release.record.observations import Observations
from manuel_release.record.stops import Stops

__all__ = ["RESERVE_ATTEMPTS", "Ledger", "Table", "entry_id", "incident_id"]


class Ledger(Leases, Stops, Incidents, Observations):
    """What happened, which number is next, who may change an environment, what stops changes, what was observed."""
