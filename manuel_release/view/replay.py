"""What the judge says of recorded releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.layout import headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.verdict.replay import Replay, ReplaySummary
    from manuel_release.verdict.selftest import SelfTest


@dataclass(frozen=True)
class ReplayScreen:
    """One line for each release, and how many of the bad ones would have been stopped where somebody named them."""

    replays: tuple[Replay, ...]
    summary: ReplaySummary | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """A table, then the sum."""
        yield headline(f"{words.count(len(self.replays), 'release')} replayed")
        rows = []
        for one in self.replays:
            mark = symbols.verdict(one.verdict.word)
            rows.append(
                (
                    one.release or "-",
                    (mark.text(options.ascii_only), mark.colour),
                    _when(one),
                    f"{one.failures_before:,}",
                    f"{one.failures_after:,}",
                )
            )
        yield table(("release", "verdict", "after", "5xx before", "5xx after"), rows, keep=(0, 1, 2, 3, 4))
        for one in self.replays:
            name = f"{one.release}: " if one.release else ""
            yield indented(f"{name}{one.verdict.sentence}")
        if self.summary is not None:
            yield ""
            yield indented(self.summary.sentence, style="bold")


def _when(one: Replay) -> str:
    at = one.stopped_at if one.stopped_at is not None else one.good_at
    return words.duration(at if at is not None else one.verdict.t)


@dataclass(frozen=True)
class SelfTestScreen:
    """Whether the judge keeps its promise on one's own traffic."""

    found: SelfTest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One headline and one sentence."""
        mark = symbols.good("the judge keeps its promise") if self.found.holds else symbols.bad("too many false alarms")
        yield headline(f"Self-test: {mark.word}", mark, ascii_only=options.ascii_only)
        yield indented(self.found.sentence)
