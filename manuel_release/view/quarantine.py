"""Code in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import words
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.entry import Quarantine

DIGITS = 12


@dataclass(frozen=True)
class QuarantinesScreen:
    """One row for each."""

    found: tuple[Quarantine, ...]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table and the command that lifts one, or a sentence."""
        if not self.found:
            yield "Nothing is in quarantine."
            return
        rows = [
            (
                one.code_digest[:DIGITS],
                one.release,
                one.environment,
                words.ago(one.since, self.now),
                one.by.partition(" (")[0],
                one.reason,
            )
            for one in self.found
        ]
        yield table(("CODE", "RELEASE", "ENVIRONMENT", "SINCE", "BY", "WHY"), rows, keep=range(4))
        yield indented('manuel-release quarantine lift CODE --reason "WHY" allows one again')


@dataclass(frozen=True)
class LiftedScreen:
    """The end of `quarantine lift`; done: False for a dry run."""

    quarantine: Quarantine
    done: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """What is allowed now, and what it was in quarantine for."""
        one = self.quarantine
        yield headline(f"{one.code_digest[:DIGITS]} {'may' if self.done else 'would be allowed to'} be released again")
        yield facts(
            ("It was", f"{one.release} in {one.environment}, rolled back by {one.by}"), ("Because", one.reason or "-")
        )
