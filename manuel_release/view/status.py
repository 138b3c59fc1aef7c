"""What runs where, a block for each environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.freeze import sentence
from manuel_release.view.layout import facts, headline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.status import EnvironmentStatus
    from manuel_release.view.layout import Cell, Part


@dataclass(frozen=True)
class StatusScreen:
    """The environments as they are at `now`; what is as it should be takes few lines."""

    environments: tuple[EnvironmentStatus, ...]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One block after the other."""
        for number, one in enumerate(self.environments):
            if number:
                yield ""
            mark = symbols.CONDITION[one.condition]
            yield headline(f"{one.name}: {mark.word}", mark, ascii_only=options.ascii_only)
            yield facts(
                ("Serves", _serves(one)),
                ("Canary", _canary(one)),
                ("Moved", (one.traffic_drift, "yellow") if one.traffic_drift else ""),
                ("Staged", self._staged(one)),
                ("Stack", _stack(one, options.ascii_only)),
                ("Alarms", _alarms(one, options.ascii_only)),
                ("Lease", self._lease(one)),
                ("Unfinished", self._unfinished(one)),
                ("Differs", _differs(one)),
                ("Freeze", (sentence(one.freeze, self.now), "yellow") if one.freeze is not None else ""),
                ("Approvals", ", ".join(one.pending_approvals)),
                ("Note", (one.remarks, "yellow") if one.remarks else ""),
            )

    def _staged(self, one: EnvironmentStatus) -> str:
        waiting = one.waiting
        if waiting is None or (one.canary is not None and one.canary.release == waiting.name):
            return ""
        return f"{waiting.name} waits at 0 % for a person; deployed {words.ago(waiting.started_at, self.now)}"

    def _lease(self, one: EnvironmentStatus) -> str:
        lease = one.lease
        if lease is None:
            return ""
        held = f"{lease.holder}: {lease.reason}" if lease.reason else lease.holder
        return f"{held}; since {words.ago(lease.taken_at, self.now)}, expires {words.ahead(lease.expires_at, self.now)}"

    def _unfinished(self, one: EnvironmentStatus) -> Cell:
        parts: list[Part] = []
        for release in one.unfinished:
            parts.append((f"{release.name}, begun {words.ago(release.started_at, self.now)} by {release.by}", ""))
            if release in one.abandoned:
                parts.append(("nobody works on it any more; finish it:", "yellow"))
                parts.append((f"manuel-release deploy --env {one.name}", ""))
        return tuple(parts)


def _serves(one: EnvironmentStatus) -> Cell:
    if one.serving is None:
        return "" if one.found is None or one.found.never_created else "not known"
    stage = f" ({one.api_stage})" if one.api_stage else ""
    if one.pinned_release:
        return (f"{one.pinned_release}{stage}, pinned; `live` is {one.live_release or 'not known'}", "yellow")
    return f"{one.serving}{stage}"


def _canary(one: EnvironmentStatus) -> Cell:
    canary = one.canary
    if canary is None:
        return ""
    share = words.percent(canary.percent)
    if canary.release is None:
        return (f"{share} of the requests, and it names no release: both sides run the same", "yellow")
    counted = "" if one.actual_percent is None else f"; {one.actual_percent:.1f} % counted"
    sentence = f"{canary.release} gets {share} of the requests{counted}"
    if one.interrupted is None:
        return sentence
    finish = f"its rollout was interrupted; finish it: manuel-release canary promote 100 --env {one.name}"
    return ((sentence, ""), (finish, "yellow"))


def _stack(one: EnvironmentStatus, ascii_only: bool) -> Cell:
    if one.found is None:
        return f"{one.stack} does not exist"
    mark = symbols.stack(one.found)
    state: Part = (f"{mark.text(ascii_only)}  {one.stack}", mark.colour if one.found.failed else "")
    return (state, (one.found.reason, "")) if one.found.reason and one.found.failed else state


def _alarms(one: EnvironmentStatus, ascii_only: bool) -> Cell:
    ringing = one.ringing
    fine = [alarm for alarm in one.alarms if alarm.state == "OK"]
    mute = len(one.alarms) - len(ringing) - len(fine)
    mark = symbols.alarm("ALARM")
    parts: list[Part] = [(f"{mark.sign(ascii_only)} {alarm.name} {mark.word}", mark.colour) for alarm in ringing]
    rest = [f"{words.count(len(fine), 'alarm')} OK"] if fine else []
    rest += [f"{mute} without data"] if mute else []
    if rest:
        mark = symbols.alarm("OK" if fine else "INSUFFICIENT_DATA")
        parts.append((f"{mark.sign(ascii_only)} {', '.join(rest)}", ""))
    return tuple(parts)


def _differs(one: EnvironmentStatus) -> Cell:
    return tuple(
        (f"{d.function}: `{d.alias}` is version {d.version}, {one.serving} is version {d.expected}", "yellow")
        for d in one.serving_differs
    )
