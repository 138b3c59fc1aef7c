"""The releases, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.layout import indented, listing, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.release import CanaryStep, Release, Return
    from manuel_release.view.layout import Cell, Part

_NARROW = 100  # columns; below, reasons stand under their release
_BELOW = 11  # under its state


@dataclass(frozen=True)
class HistoryScreen:
    """One row for each release; a column for the environment where there are several.

    more: how many older releases are not shown.
    """

    releases: tuple[Release, ...]
    now: datetime
    more: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table, or a sentence when there is nothing to show."""
        if not self.releases:
            yield "No release yet."
            return
        several = len({release.environment for release in self.releases}) > 1
        place = ("ENVIRONMENT",) if several else ()
        headings = (*place, "RELEASE", "STATE", "COMMIT", "BEGUN", "BY")
        rows = [self._row(release, options.ascii_only, several=several) for release in self.releases]
        whys = [self._why(release) for release in self.releases]
        if options.max_width < _NARROW:
            yield listing(headings, rows, whys, by=_BELOW)
        else:
            whole = [(*row, why) for row, why in zip(rows, whys, strict=True)]
            yield table((*headings, "WHY"), whole, keep=range(len(headings) - 1))
        if self.more:
            yield indented(f"and {self.more} older: --limit shows more")

    def _row(self, release: Release, ascii_only: bool, *, several: bool) -> tuple[Cell, ...]:
        mark = symbols.RELEASE[release.state]
        return (
            *((release.environment,) if several else ()),
            release.name,
            (mark.text(ascii_only), mark.colour),
            words.short_commit(release.commit) or "-",
            words.ago(release.started_at, self.now),
            _name(release.by),
        )

    def _why(self, release: Release) -> Cell:
        """The reason, what became of the release and when, and whatever was out of the ordinary."""
        parts: list[Part] = [("; ".join(filter(None, (release.reason, self._times(release)))), "")]
        if release.override_shared:
            parts.append((f"shared changes were allowed to break: {release.override_shared}", "yellow"))
        parts += [
            (f"verdict overridden at {words.percent(step.percent)} by {_name(step.by)}: {step.override}", "yellow")
            for step in release.steps
            if step.override
        ]
        parts += [(self._return(one, release.environment), "yellow") for one in release.returns]
        parts.append((release.failure, "red"))
        return tuple(part for part in parts if part[0])

    def _times(self, release: Release) -> str:
        """`10 % 09:15, 50 % 09:30, 100 % 09:45, live 09:50 UTC`: since when it had each share; empty without any."""
        told = [f"{words.percent(step.percent)} {self._at(step.at)}{self._until(step)}" for step in release.steps]
        if release.live_at is not None:
            told.append(f"live {self._at(release.live_at)}")
        if release.pruned_at is not None:
            told.append(f"deleted {self._at(release.pruned_at)}")
        return f"{', '.join(told)} UTC" if told else ""

    def _until(self, step: CanaryStep) -> str:
        return "" if step.until is None else f" (until {self._at(step.until)})"

    def _return(self, one: Return, environment: str) -> str:
        to = f" to {one.to}" if one.to else ""
        why = f": {one.reason}" if one.reason else ""
        trigger = "" if one.trigger in {"", "person"} else f" for {one.trigger}"
        more = [] if one.done else [f"not finished: manuel-release rollback --env {environment}"]
        more += [one.incident] if one.incident else []
        tail = f" ({', '.join(more)})" if more else ""
        return f"rolled back{to} at {self._at(one.at)} UTC by {_name(one.by)}{trigger}{why}{tail}"

    def _at(self, at: datetime) -> str:
        return f"{at:%H:%M}" if at.date() == self.now.date() else f"{at:%Y-%m-%d %H:%M}"


def _name(by: str) -> str:
    """The principal; JSON has user and machine too."""
    return by.partition(" (")[0]
