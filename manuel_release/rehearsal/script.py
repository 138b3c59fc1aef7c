"""What is rehearsed, and where the rehearsal stands that may be resumed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import Refused
from manuel_release.rehearsal import detached
from manuel_release.rehearsal.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.rehearsal.detached import Running

FILE_NAME = "script.json"
AGAIN = "Start one with `manuel-release rehearse --keep`; one that is kept can be resumed."


@dataclass(frozen=True)
class Script:
    """What is rehearsed.

    bad: the bad day; None for none. good: whether a good day comes first. by_hand: whether a finished release is
    rolled back by hand at the end. full: whole test suites instead of their smoke profiles. approve: whether the people
    of the rehearsal decide at the gates, or real ones do in another terminal. keep: leave the cloud and the logs.
    """

    bad: Fault | None
    good: bool = True
    by_hand: bool = True
    full: bool = False
    approve: bool = True
    keep: bool = False

    @property
    def days(self) -> tuple[str, ...]:
        """What a stamp says was rehearsed."""
        bad = (f"{self.bad.kind} in {self.bad.stage}",) if self.bad is not None else ()
        return (*(("good day",) if self.good else ()), *bad, *(("by hand",) if self.by_hand else ()))


@dataclass(frozen=True)
class Begun:
    """A rehearsal that is not over. folder: its own. commit: of the working tree when it began. cloud: its AWS."""

    folder: Path
    script: Script
    commit: str
    cloud: Running


def remember(folder: Path, script: Script, commit: str, cloud: Running) -> None:
    """Write down in its folder what a rehearsal needs to be resumed, and that this process is at it."""
    at_it = detached.Process.of(os.getpid())
    told = {"script": asdict(script), "commit": commit, "cloud": asdict(cloud), "at_it": asdict(at_it)}
    making = folder / f"{FILE_NAME}.part"
    making.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    making.rename(folder / FILE_NAME)


def forget(folder: Path) -> None:
    """From now on there is nothing to resume; harmless when there never was."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def interrupted(state: Path) -> Begun:
    """The rehearsal below `state` (`.manuel`) whose embedded AWS still runs.

    Raises Refused when there is none, or somebody is at it.
    """
    running = detached.find(state)
    if running is None:
        raise Refused("there is nothing to resume: no embedded AWS of a rehearsal runs", hint=AGAIN)
    for path in (state / "rehearsals").glob(f"*/{FILE_NAME}"):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["cloud"] == asdict(running):
            script, at_it = told["script"], detached.Process(**told["at_it"])
            if at_it.alive:
                raise Refused(
                    f"there is nothing to resume: process {at_it.pid} is at it", hint="Stop it with Ctrl-C first."
                )
            bad = Fault(**script["bad"]) if script["bad"] is not None else None
            return Begun(path.parent, Script(**{**script, "bad": bad}), told["commit"], running)
    raise Refused(
        f"there is nothing to resume: no rehearsal that is not over belongs to the embedded AWS at {running.endpoint}",
        hint="End it with `manuel-release cloud down`. " + AGAIN,
    )
