"""What is true after a day: who serves, what the ledger says, and what users saw."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.errors import EmulatorError
from manuel_release.model.rehearsal import TrafficSpan
from manuel_release.model.release import release_number

if TYPE_CHECKING:
    from manuel_release.rehearsal.faults import Fault
    from manuel_release.rehearsal.recorder import Recorder
    from manuel_release.rehearsal.traffic import Load, Second

SETTLE_SECONDS = 90.0
QUIET_SECONDS = 3
SPANS = 24


@dataclass
class Aftermath:
    """Reads with the tool what a person would read. receipts: of the rollbacks, oldest first."""

    recorder: Recorder
    load: Load
    receipts: list[dict[str, Any]] = field(default_factory=list)
    status: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> None:
        """Ask for the status of every environment, and keep it."""
        self.status = list(self.recorder.ask("v1", "status")["environments"])

    def production(self) -> dict[str, Any]:
        """The status of production now."""
        answer = self.recorder.ask("v1", "status", "--env", "production")
        return dict(answer["environments"][0])

    def live(self) -> str:
        """The release that serves production."""
        return str(self.production()["live_release"])

    def serves(self, release: str) -> None:
        """Raise EmulatorError unless that release serves production."""
        found = self.live()
        if found != release:
            raise EmulatorError(f"production is served by {found}, expected {release}")

    def settled(self, release: str, fault: Fault) -> list[dict[str, Any]]:
        """Wait until a bad day has ended as it should; raises EmulatorError when it does not. Receipts of rollbacks.

        `release` serves alone, without canary or pin; what was taken back is in the history and has an incident.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while wrong := self._wrong(release, fault):
            if time.monotonic() > deadline:
                raise EmulatorError(f"{fault.sentence}, and {SETTLE_SECONDS:.0f} s later {wrong}")
            time.sleep(1.0)
        return [self.receipt()] if fault.taken_back else []

    def _wrong(self, release: str, fault: Fault) -> str:
        found = self.production()
        if found["live_release"] != release or found["canary"] or found["pinned_release"]:
            canary, pinned = found["canary"], found["pinned_release"]
            return f"production has {found['live_release']}, canary {canary}, pinned {pinned}"
        others = {name for second in self.load.seconds[-QUIET_SECONDS:] for name, _ in second.answers} - {release}
        if bad := {name for name in others if name.startswith("r-")}:
            return f"users are still answered by {', '.join(sorted(bad))}"
        if fault.taken_back:
            newest = self.recorder.ask("v1", "history", "--env", "production")["releases"][0]
            if newest["state"] != "rolled_back":
                return f"the history says that {newest['release']} is {newest['state']}"
            if not any(one["ended_at"] for one in self._incidents() if one["release"] == newest["release"]):
                return f"no finished incident of {newest['release']} is in the ledger"
        return ""

    def _incidents(self) -> list[dict[str, Any]]:
        return list(self.recorder.ask("v1", "incident", "list", "--env", "production")["incidents"])

    def quarantined(self, after: str) -> list[dict[str, Any]]:
        """What is in quarantine of releases newer than `after`."""
        number = release_number(after) or 0
        found = self.recorder.ask("v1", "quarantine", "list")["quarantines"]
        return [one for one in found if (release_number(str(one["release"])) or 0) > number]

    def receipt(self) -> dict[str, Any]:
        """Of the newest rollback, with what began it and who did it."""
        newest = self._incidents()[0]
        whole = self.recorder.ask("v1", "incident", "show", str(newest["incident_id"]))
        return {**(whole["receipt"] or {}), "trigger": newest["trigger"], "by": newest["by"]}

    def traffic(self) -> tuple[TrafficSpan, ...]:
        """Who answered production's users, in at most SPANS spans of equal length."""
        seconds = tuple(self.load.seconds)
        if not seconds:
            return ()
        size = max(1, -(-len(seconds) // SPANS))
        return tuple(_span(seconds[at : at + size]) for at in range(0, len(seconds), size))


def _span(seconds: tuple[Second, ...]) -> TrafficSpan:
    answers: dict[str, int] = {}
    for second in seconds:
        for (release, _status), count in second.answers.items():
            answers[release] = answers.get(release, 0) + count
    return TrafficSpan(seconds[0].at, float(len(seconds)), answers, sum(second.failed for second in seconds))
