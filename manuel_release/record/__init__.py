"""The ledger: what happened to each environment, and who may change it now.

Works on anything that has the methods of `record.ledger.Table`; `Aws.table` makes the real one.
"""

from __future__ import annotations

from manuel_release.record.history import releases
from manuel_release.record.ledger import Ledger, entry_id, incident_id

__all__ = ["Ledger", "entry_id", "incident_id", "releases"]
