"""What a rollback writes down and tells: lease, entries, incident, quarantine, notices."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from manuel_release.apply.context import Done
from manuel_release.errors import ReleaseError, SettingsError
from manuel_release.model.entry import Entry, EntryKind, Incident, Quarantine
from manuel_release.model.notice import NoticeKind
from manuel_release.model.rollback import PERSON
from manuel_release.notify import NEXT, notify
from manuel_release.observe.rollback import observe_past
from manuel_release.record.ledger import entry_id, incident_id
from manuel_release.view.rollback_json import document

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.entry import Lease
    from manuel_release.model.environment import Environment
    from manuel_release.model.rollback import Past, Receipt, Restored, RollbackRequest


class Books:
    """The ledger's part of one rollback.

    past: the releases, None until `open` worked. quarantined: digest of the code that it put into quarantine.
    """

    def __init__(self, app: App, environment: Environment, restored: Restored, request: RollbackRequest) -> None:
        self._app, self._environment, self._request = app, environment, request
        self._restored, self._target = restored, restored.target
        self.past: Past | None = None
        self.lease: Lease | None = None
        self.incident_id = ""
        self.quarantined = ""
        self._began_at = restored.at
        nothing_moved = self._target.bad is None and restored.stage.current == self._target.to
        self._blames = not (self._target.forward or nothing_moved)
        self._trigger, self._reason = request.trigger, request.reason or self._target.why

    @property
    def quarantine_title(self) -> str:
        """What `quarantine` is going to do."""
        if self._target.forward:
            return f"Lift the quarantine of {self._target.to}"
        return f"Quarantine the code of {self._target.bad or 'the bad release'}"

    def code_digest(self, release: str | None) -> str:
        """Digest of a release's code; empty when the ledger does not know it."""
        known = self.past.release(release) if self.past is not None else None
        return known.code_digest if known is not None else ""

    def open(self, *, resumed: bool) -> Done:
        """Take the lease from whoever has it, and write down that the rollback began, once."""
        app, stage = self._app, self._restored.location.api_stage
        try:
            past = observe_past(lambda: app.ledger, self._environment)
        except SettingsError:  # the remembered table is not there any more
            app.hurried = False
            app.__dict__.pop("ledger", None)
            past = observe_past(lambda: app.ledger, self._environment)
        token, target = secrets.token_hex(8), self._target
        words = f"rollback to {target.to}: {self._reason}"
        self.lease, before = app.ledger.take(
            self._environment.name, stage, app.holder, words, app.settings.lease_seconds, token
        )
        begun = past.unfinished
        if begun is not None and (begun[0].name, begun[1].to) == (target.bad, target.to):
            self.incident_id, self._began_at = begun[1].incident, begun[1].at
            if resumed:
                self._trigger, self._reason = begun[1].trigger, begun[1].reason
        elif self._blames:
            self.incident_id = incident_id(app.now())
            self._append(EntryKind.ROLLBACK_STARTED, to=target.to, trigger=self._trigger, incident=self.incident_id)
            app.ledger.put_incident(self._incident())
            self._notice(NoticeKind.ROLLBACK_TRIGGERED, f"{target.to} serves again: {target.why}.", {})
        self.past = past
        taken = f"; the lease was taken from {before.holder} ({before.reason})" if before is not None else ""
        return Done((self.incident_id or "no incident") + taken)

    def quarantine(self) -> Done:
        """Refuse the bad release's code everywhere; going forward, allow the target's again."""
        ledger, target = self._app.ledger, self._target
        good, bad = self.code_digest(target.to), self.code_digest(target.bad)
        if target.forward:
            lifted = ledger.lift(good, self._app.holder, self._reason) if good else None
            return Done(good[:12] if lifted else "it was not in quarantine", skipped=lifted is None)
        if not bad:
            return Done(f"the ledger does not know the code of {target.bad or 'the bad release'}", skipped=True)
        if bad == good:
            return Done(f"it is the code of {target.to}: only parameters differ", skipped=True)
        now, held = self._app.now(), ledger.quarantined(bad)
        if held is None:
            ledger.quarantine(
                Quarantine(bad, target.bad or "", self._environment.name, self._app.holder, self._reason, now)
            )
        self.quarantined = bad
        return Done(bad[:12], skipped=held is not None)

    def close(self, receipt: Receipt) -> Done:
        """Write down how it ended."""
        target, told = self._target, document(receipt)
        if not self._blames:
            if target.forward and not receipt.left:
                self._live(receipt)
            return Done(f"{target.to} holds 100 %")
        details: dict[str, Any] = {"to": target.to, "trigger": self._trigger, "incident": self.incident_id}
        ended = None if receipt.left else self._app.now()
        self._app.ledger.put_incident(replace(self._incident(), ended_at=ended, receipt=told))
        if receipt.left:
            self._append(EntryKind.ROLLBACK_UNFINISHED, **details, left=list(receipt.left))
        else:
            self._append(EntryKind.ROLLED_BACK, **details, receipt=told, quarantined=self.quarantined)
        return Done(f"`manuel-release incident show {self.incident_id}`")

    def tell(self, receipt: Receipt) -> Done:
        """Send a notice; raises ReleaseError when nobody was told."""
        kind = NoticeKind.PERSON_NEEDED if receipt.left else NoticeKind.ROLLBACK_COMPLETED
        text = f"{receipt.to_release} serves {receipt.environment} instead of {receipt.from_release or 'what did'}."
        left = {f"left_{number}": one for number, one in enumerate(receipt.left, 1)}
        after = f"manuel-release rollback --env {receipt.environment}" if receipt.left else receipt.undo_command
        problem = self._notice(kind, text, {"why": receipt.why, "incident": self.incident_id, **left, NEXT: after})
        if problem:
            raise ReleaseError(problem)
        return Done(kind.value)

    def give_back(self) -> None:
        """Give the lease back."""
        if self.lease is not None:
            self._app.ledger.release(self.lease)

    def _notice(self, kind: NoticeKind, text: str, details: dict[str, str]) -> str:
        known = {"trigger": self._trigger or PERSON, "reason": self._reason, **details}
        release = self._target.bad or self._target.to
        return notify(self._app, kind, self._environment.name, release, text, {k: v for k, v in known.items() if v})

    def _live(self, receipt: Receipt) -> None:
        known = self.past.release(self._target.to) if self.past is not None else None
        versions = dict(known.versions) if known is not None else {}
        self._append(EntryKind.RELEASE_LIVE, self._target.to, previous=receipt.from_release or "", versions=versions)

    def _append(self, kind: EntryKind, release: str | None = None, **details: Any) -> None:
        now = self._app.now()
        self._app.ledger.append(
            Entry(
                id=entry_id(now),
                environment=self._environment.name,
                api_stage=self._restored.location.api_stage,
                at=now,
                kind=kind,
                release=self._target.bad or "" if release is None else release,
                by=self._app.holder,
                reason=self._reason,
                details=details,
            )
        )

    def _incident(self) -> Incident:
        return Incident(
            id=self.incident_id,
            environment=self._environment.name,
            api_stage=self._restored.location.api_stage,
            release=self._target.bad or "",
            to_release=self._target.to,
            trigger=self._trigger or PERSON,
            reason=self._reason,
            by=self._app.holder,
            started_at=self._began_at,
        )
