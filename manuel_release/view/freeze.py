"""A freeze that was put on, or lifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, indented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.entry import Freeze


def sentence(freeze: Freeze, now: datetime) -> str:
    """`Black Friday; by jane since 5 min ago, ends in 3 h`."""
    end = "until it is lifted" if freeze.until is None else f"ends {words.ahead(freeze.until, now)}"
    return f"{freeze.reason}; by {freeze.by}, {words.ago(freeze.since, now)}, {end}"


@dataclass(frozen=True)
class FreezeScreen:
    """The end of `freeze on` (with a freeze) and `freeze off` (without).

    before: the freeze that there was. done: False for a dry run.
    """

    environment: str
    freeze: Freeze | None
    before: Freeze | None
    now: datetime
    done: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """What is true now, and the command that goes the other way."""
        yield headline(self._title(), symbols.waiting("") if self.freeze else None, ascii_only=options.ascii_only)
        yield facts(
            ("Freeze", sentence(self.freeze, self.now) if self.freeze is not None else ""),
            ("Before", sentence(self.before, self.now) if self.before is not None else ""),
        )
        if self.freeze is not None and self.done:
            yield indented("A rollback is possible all the time. To allow changes again:")
            yield indented(f'manuel-release freeze off --env {self.environment} --reason "WHY"', by=4)

    def _title(self) -> str:
        if self.freeze is None and self.before is None:
            return f"{self.environment} is not frozen: nothing to do"
        if self.freeze is not None:
            return f"{self.environment} {'is' if self.done else 'would be'} frozen"
        return f"{self.environment} {'is not frozen any more' if self.done else 'would not be frozen any more'}"
