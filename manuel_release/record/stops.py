"""What stops changes: a freeze of an environment, and code in quarantine.

Keys: `freeze` in the environment's partition; `quarantine#<code digest>` in the partition `*`, for all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.model.entry import Entry, EntryKind, Freeze, Quarantine
from manuel_release.model.environment import canonical
from manuel_release.record import codec
from manuel_release.record.journal import Journal, entry_id

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class Stops(Journal):
    """Freezes and quarantines; what is set and lifted is in the journal too."""

    def freeze(self, freeze: Freeze) -> None:
        """Stop all changes of an environment but rollbacks; takes the place of a freeze that is there."""
        freeze = replace(freeze, environment=canonical(freeze.environment))
        token = codec.FREEZE
        self._table.put_if_free(codec.freeze_to_item(freeze, token), codec.to_text(freeze.since), token)
        until = None if freeze.until is None else codec.to_text(freeze.until)
        self._write_down(
            EntryKind.FROZEN, freeze.since, freeze.environment, by=freeze.by, reason=freeze.reason, until=until
        )

    def frozen(self, environment: str) -> Freeze | None:
        """The freeze in force; None when there is none, or its time is over."""
        item = self._table.get(canonical(environment), codec.FREEZE)
        freeze = codec.item_to_freeze(item) if item else None
        over = freeze is None or (freeze.until is not None and freeze.until <= self._clock())
        return None if over else freeze

    def unfreeze(self, environment: str, by: str, reason: str) -> Freeze | None:
        """Allow changes again; the freeze that was in force, None when there was none and nothing was done."""
        freeze = self.frozen(environment)
        if freeze is not None:
            self._write_down(EntryKind.UNFROZEN, self._clock(), freeze.environment, by=by, reason=reason)
            self._table.delete_if(freeze.environment, codec.FREEZE, codec.FREEZE)
        return freeze

    def quarantine(self, quarantine: Quarantine) -> Quarantine:
        """Refuse this code in every environment until it is lifted; the quarantine in force.

        That is an older one when the code was in quarantine already.
        """
        item = codec.quarantine_to_item(replace(quarantine, environment=canonical(quarantine.environment)))
        if not self._table.put_new(item):
            item = self._table.get(codec.EVERYWHERE, str(item["entry"])) or item
        found = codec.item_to_quarantine(item)
        self._about(found, EntryKind.QUARANTINED, found.since, by=found.by, reason=found.reason)
        return found

    def quarantined(self, code_digest: str) -> Quarantine | None:
        """The quarantine of this code; None when it may be released."""
        item = self._table.get(codec.EVERYWHERE, codec.QUARANTINE + code_digest) if code_digest else None
        return codec.item_to_quarantine(item) if item else None

    def quarantines(self) -> tuple[Quarantine, ...]:
        """Everything in quarantine, newest first."""
        found = map(codec.item_to_quarantine, self._table.query(codec.EVERYWHERE, codec.QUARANTINE))
        return tuple(sorted(found, key=lambda one: one.since, reverse=True))

    def lift(self, code_digest: str, by: str, reason: str) -> Quarantine | None:
        """Let this code be released again; the quarantine that was in force, None when there was none."""
        found = self.quarantined(code_digest)
        if found is not None:
            self._about(found, EntryKind.QUARANTINE_LIFTED, self._clock(), by=by, reason=reason)
            self._table.delete_if(codec.EVERYWHERE, codec.QUARANTINE + code_digest, code_digest)
        return found

    def _about(self, quarantine: Quarantine, kind: EntryKind, at: datetime, *, by: str, reason: str) -> None:
        self._write_down(
            kind,
            at,
            quarantine.environment,
            by=by,
            reason=reason,
            release=quarantine.release,
            api_stage=self.api_stage_of(quarantine.environment, quarantine.release),
            code_digest=quarantine.code_digest,
        )

    def _write_down(
        self,
        kind: EntryKind,
        at: datetime,
        environment: str,
        *,
        by: str,
        reason: str,
        release: str = "",
        api_stage: str = "",
        **details: Any,
    ) -> None:
        """Append an entry, once: the same fact has the same id."""
        said = f"{kind} {details.get('code_digest', '')} {by}"
        self.append(
            Entry(
                id=entry_id(at, said),
                environment=environment,
                api_stage=api_stage,
                at=at,
                kind=kind,
                release=release,
                by=by,
                reason=reason,
                details=details,
            )
        )
