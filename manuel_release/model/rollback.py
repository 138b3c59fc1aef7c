"""A rollback: what was asked for, which way traffic goes, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.release import release_number

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.model.location import Location
    from manuel_release.model.progress import StepResult
    from manuel_release.model.release import Release, Return
    from manuel_release.model.traffic import ApiStage

PERSON = "person"


@dataclass(frozen=True)
class RollbackRequest:
    """What was asked for.

    to: the release to go back to; None for the last one that held 100 %.
    only: the release that is to lose the traffic, and no other; None for whichever is new. Whether it still has any,
        and where the traffic goes, is then decided on one reading of the stage, the last one before the change: what
        the caller saw before may have been moved since. Not together with `to`.
    infrastructure: restore that release's template and parameters too, after the traffic.
    trigger: `person`, or the name of the alarm or event.
    probe: ask the public URL meanwhile who answers.
    insist: go to a release although it was rolled back or is quarantined.
    began: when the key was pressed or the event arrived, in the time of `time.monotonic`; None for when the rollback is
        called.
    """

    to: str | None = None
    infrastructure: bool = False
    reason: str = ""
    trigger: str = PERSON
    dry_run: bool = False
    probe: bool = True
    insist: bool = False
    began: float | None = None
    only: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a request that means two things."""
        if self.to is not None and self.only is not None:
            raise ValueError("`to` names where the traffic goes, `only` leaves that to the stage")


@dataclass(frozen=True)
class Target:
    """Which way traffic goes.

    bad: the release that loses it; None while it is not known. to: the alias that gets it (`live` where no release is
    known). why: one sentence without its full stop.
    """

    bad: str | None
    to: str
    why: str

    @property
    def forward(self) -> bool:
        """Whether it goes to a newer release, which takes an earlier rollback back and blames nobody."""
        bad, to = release_number(self.bad or ""), release_number(self.to)
        return bad is not None and to is not None and to > bad


@dataclass(frozen=True)
class Past:
    """The releases of an environment, newest first, as the ledger tells them."""

    releases: tuple[Release, ...] = ()

    def release(self, name: str | None) -> Release | None:
        """A release by name; None when the ledger does not know it."""
        return next((one for one in self.releases if one.name == name), None)

    @property
    def unfinished(self) -> tuple[Release, Return] | None:
        """The newest rollback that was begun and is not done, and the release that it is about."""
        found = [(one, one.returns[-1]) for one in self.releases if one.returns and not one.returns[-1].done]
        return max(found, key=lambda pair: pair[1].at, default=None)


@dataclass(frozen=True)
class Restored:
    """Traffic is on the target.

    stage: as UpdateStage answered. seconds: from the key. api_calls: all of them until then. read: what the target was
    read from. note: what went wrong before, empty when nothing did.
    """

    target: Target
    location: Location
    stage: ApiStage
    at: datetime
    seconds: float
    api_calls: int
    read: str
    note: str = ""


@dataclass(frozen=True)
class Counted:
    """What a client of the public URL saw from the key on.

    bad, good: answers of the release that was taken back, and of all others. failed: without an answer or with a 5xx.
    last_bad_seconds: from the key to the last answer of the bad release; None when there was none. quiet: whether so
    many answers in a row came from others afterwards that it is gone.
    """

    bad: int = 0
    good: int = 0
    failed: int = 0
    last_bad_seconds: float | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Receipt:
    """The end of a rollback.

    seconds_to_traffic_restored: from the key until UpdateStage had answered; None when there was nothing to restore.
    steps: everything after that. left: what needs a person, a sentence each. not_rolled_back: what a rollback does not
    touch. undo_command: what undoes exactly this; empty when nothing was done.
    """

    environment: str
    api_stage: str
    from_release: str | None
    to_release: str
    why: str
    traffic_restored: bool
    seconds_to_traffic_restored: float | None = None
    api_calls_before_restored: int = 0
    counted: Counted | None = None
    bad_requests: int | None = None
    steps: tuple[StepResult, ...] = ()
    left: tuple[str, ...] = ()
    not_rolled_back: tuple[str, ...] = ()
    undo_command: str = ""
    incident_id: str = ""
    message: str = ""

    @property
    def bad_responses(self) -> int | None:
        """Answers of the bad release that the probe saw; None without a probe."""
        return self.counted.bad if self.counted is not None else None

    @property
    def good_responses(self) -> int | None:
        """Answers of other releases that the probe saw; None without a probe."""
        return self.counted.good if self.counted is not None else None

    @property
    def seconds_to_last_bad_response(self) -> float | None:
        """From the key to the last answer of the bad release that the probe saw; None when it saw none."""
        return self.counted.last_bad_seconds if self.counted is not None else None
