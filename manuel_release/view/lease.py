"""Who may change what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, indented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.entry import Lease


def _facts(lease: Lease, now: datetime) -> RenderableType:
    since = f"{lease.taken_at:%Y-%m-%d %H:%M:%S} UTC, {words.ago(lease.taken_at, now)}"
    until = f"{lease.expires_at:%Y-%m-%d %H:%M:%S} UTC, {words.ahead(lease.expires_at, now)}"
    return facts(("Holder", lease.holder), ("For", lease.reason or "-"), ("Since", since), ("Until", until))


@dataclass(frozen=True)
class LeasesScreen:
    """A block for each lease that is held; environments: the names that were asked about."""

    found: tuple[Lease, ...]
    environments: tuple[str, ...]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The leases, and how to take one over."""
        for lease in self.found:
            title = f"{lease.environment} ({lease.api_stage}) is being changed"
            yield headline(title, symbols.running(""), ascii_only=options.ascii_only)
            yield _facts(lease, self.now)
            yield indented("It ends by itself unless its holder renews it. To take it over:")
            yield indented(f'manuel-release lease take --env {lease.environment} --reason "WHY"', by=4)
        free = [name for name in self.environments if name not in {lease.environment for lease in self.found}]
        if free:
            yield f"Nobody is changing {', '.join(free)}."


@dataclass(frozen=True)
class TakenScreen:
    """The end of `lease take`, and what is shown before it is asked about; new: None while it is not taken."""

    environment: str
    new: Lease | None
    old: Lease | None
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """From whom it is taken, and what that means."""
        if self.new is None and self.old is None:
            yield headline(f"Nobody has the lease on {self.environment}: it would only be reserved")
            return
        if self.old is not None:
            verb = "was taken from" if self.new is not None else "is held by"
            yield headline(f"The lease on {self.environment} ({self.old.api_stage}) {verb} {self.old.holder}")
            yield _facts(self.old, self.now)
            yield indented(
                "Its next step is refused; what AWS does for it goes on by itself "
                f"(`manuel-release status --env {self.environment}` shows it)."
            )
        if self.new is not None:
            until = f"{self.new.expires_at:%Y-%m-%d %H:%M:%S} UTC"
            yield indented(f"It is reserved for the next command of {self.new.holder}, until {until}.")
