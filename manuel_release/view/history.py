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

    from manuel_release.model.release import Release
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
        whys = [_why(release) for release in self.releases]
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
            release.by.partition(" (")[0],  # the principal; JSON has user and machine too
        )


def _why(release: Release) -> Cell:
    reason: Part = (release.reason, "")
    failure: Part = (release.failure, "red")
    return tuple(part for part in (reason, failure) if part[0])
