"""What was observed of a canary: every judged interval, and the observer's sign of life.

CloudWatch forgets data finer than a minute after three hours; these stay. Sort keys: `counts#<release>#<t>` and
`heartbeat#<api stage>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.model.entry import SCHEMA_VERSION
from manuel_release.model.environment import canonical
from manuel_release.model.heartbeat import Heartbeat
from manuel_release.record import codec
from manuel_release.record.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Counts = tuple[float, dict[str, Any]]
"""When an interval ended, in seconds, and its payload."""


class Observations(Journal):
    """Judged intervals and heartbeats."""

    def put_counts(self, environment: str, release: str, t: float, payload: Mapping[str, Any]) -> bool:
        """Keep a judged interval of a release for good; whoever is first counts.

        Args:
            environment: its name.
            release: the canary's.
            t: when the interval ended, in seconds on a clock that does not change while the canary runs.
            payload: plain values, lists and dicts.

        Returns:
            False when another interval is kept for this `t`.
        """
        return self._table.put_new(
            {
                "environment": canonical(environment),
                "entry": codec.counts_key(release, t),
                "release": release,
                "t": float(t),
                "payload": codec.plain(payload),
                "schema_version": SCHEMA_VERSION,
            }
        )

    def counts(self, environment: str, release: str) -> tuple[Counts, ...]:
        """The judged intervals of a release, oldest first."""
        items = self._table.query(canonical(environment), codec.counts_key_prefix(release))
        found = [codec.item_to_counts(item) for item in items]
        return tuple(sorted(found, key=lambda one: one[0]))

    def beat(  # noqa: PLR0917 - one fact
        self, environment: str, api_stage: str, release: str, at: datetime, until: datetime, by: str
    ) -> None:
        """Say that a release is being observed, and until when it will be; the last one to say so counts."""
        heartbeat = Heartbeat(canonical(environment), api_stage, release, at, until, by)
        self._table.put_if_free(codec.heartbeat_to_item(heartbeat), codec.to_text(at), codec.HEARTBEAT)

    def heartbeat(self, environment: str, api_stage: str) -> Heartbeat | None:
        """The last sign of life; None when nothing was ever observed there."""
        item = self._table.get(canonical(environment), codec.HEARTBEAT + api_stage)
        return codec.item_to_heartbeat(item) if item else None
