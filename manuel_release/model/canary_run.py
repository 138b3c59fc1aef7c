"""One canary from its start to its end, as the ledger's entries tell it; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from manuel_release.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.entry import Entry

_TAKES_BACK = frozenset(
    {
        EntryKind.CANARY_ENDED,
        EntryKind.TRAFFIC_RETURNED,
        EntryKind.ROLLBACK_STARTED,
        EntryKind.ROLLED_BACK,
        EntryKind.ROLLBACK_UNFINISHED,
    }
)
ALL = 100.0


@dataclass(frozen=True)
class Share:
    """A share of the traffic that the canary was given: percent 0-100, since when, by whom and in which kind of step.

    until: to when its observation was extended; None when it was not.
    """

    percent: float
    at: datetime
    by: str
    kind: EntryKind
    until: datetime | None = None


@dataclass(frozen=True)
class CanaryRun:
    """The newest canary of a stage.

    stable: the release that it was compared with. shares: what it was given, oldest first; a rollout is not among them.
    rollout: what began to move `live` to it. done: what gave it 100 %. ended: what took it back.
    """

    release: str
    stable: str
    shares: tuple[Share, ...] = ()
    rollout: Entry | None = None
    done: Entry | None = None
    ended: Entry | None = None

    @property
    def started_at(self) -> datetime | None:
        """When it was given its first share; None when only its rollout is known."""
        return self.shares[0].at if self.shares else None

    @property
    def active(self) -> bool:
        """Whether it has a share below 100 %, or is on its way to all."""
        return self.done is None and self.ended is None

    @property
    def rolling_out(self) -> bool:
        """Whether a rollout began and did not end."""
        return self.active and self.rollout is not None

    @property
    def percent(self) -> float | None:
        """The share that the stage's canary should have by the ledger's last word; None for no canary at all."""
        if not self.active:
            return None
        if self.rollout is not None and self.rollout.details.get("order") == "flip":
            return ALL
        return self.shares[-1].percent if self.shares else None

    @property
    def last(self) -> Share | None:
        """The share that it was given last."""
        return self.shares[-1] if self.shares else None


def newest_run(entries: Iterable[Entry]) -> CanaryRun | None:
    """The newest canary that entries of one API stage (oldest first) tell of; None when there never was one."""
    run: CanaryRun | None = None
    for entry in entries:
        match entry.kind:
            case EntryKind.CANARY_STARTED:
                run = CanaryRun(entry.release, str(entry.details.get("stable") or ""), (_share(entry),))
            case EntryKind.CANARY_PROMOTED if _of(run, entry):
                run = replace(_known(run), shares=(*_known(run).shares, _share(entry)))
            case EntryKind.CANARY_EXTENDED if _of(run, entry) and _known(run).shares:
                shares = _known(run).shares
                until = datetime.fromisoformat(str(entry.details["until"]))
                run = replace(_known(run), shares=(*shares[:-1], replace(shares[-1], until=until)))
            case EntryKind.ROLLOUT_STARTED:
                if not _of(run, entry):
                    run = CanaryRun(entry.release, str(entry.details.get("stable") or ""))
                run = replace(_known(run), rollout=entry)
            case EntryKind.RELEASE_LIVE:
                if run is not None and run.active:
                    run = replace(run, done=entry) if run.release == entry.release else replace(run, ended=entry)
            case kind if kind in _TAKES_BACK and _of(run, entry):
                run = replace(_known(run), ended=entry)
    return run


def _of(run: CanaryRun | None, entry: Entry) -> bool:
    return run is not None and run.active and run.release == entry.release


def _known(run: CanaryRun | None) -> CanaryRun:
    if run is None:
        message = "there is no canary yet"
        raise ValueError(message)
    return run


def _share(entry: Entry) -> Share:
    return Share(float(entry.details.get("percent") or 0.0), entry.at, entry.by, entry.kind)
