"""The bootstrap before it is confirmed, and after it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.model.outcome import OutcomeStatus
from manuel_release.view import symbols, words
from manuel_release.view.console import SCHEMA_VERSION
from manuel_release.view.layout import facts, headline, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.bootstrap import BootstrapOutcome
    from manuel_release.model.caller import Caller
    from manuel_release.model.stack import ChangeSet

_NO_PIPELINE = "none: `manuel-release bootstrap --repository OWNER/NAME` makes it"
_SENTENCE = {
    OutcomeStatus.LIVE: "This account is ready for releases",
    OutcomeStatus.NOTHING_TO_DO: "This account is ready for releases already",
    OutcomeStatus.PLANNED: "Nothing was changed",
}


@dataclass(frozen=True)
class ChangesScreen:
    """What the operations stack is going to get."""

    found: ChangeSet
    caller: Caller

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Where, and a line for each change."""
        yield headline("Make what releases need")
        yield facts(
            ("Account", f"{self.caller.account_id} in {self.caller.region}, as {self.caller.name}"),
            ("Stack", f"{self.found.stack}: {words.count(len(self.found.changes), 'change')}"),
        )
        rows = []
        for change in self.found.changes:
            mark = symbols.ACTION[change.action]
            sign = (mark.sign(options.ascii_only), mark.colour)
            rows.append((sign, change.description or change.type, change.logical_id))
        yield ""
        yield table(("", "CHANGE", "LOGICAL ID"), rows)


@dataclass(frozen=True)
class OutcomeScreen:
    """How a bootstrap ended."""

    outcome: BootstrapOutcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One sentence and where things are."""
        end = self.outcome
        yield headline(_SENTENCE[end.status], symbols.OUTCOME[end.status], ascii_only=options.ascii_only)
        ready = end.status is not OutcomeStatus.PLANNED
        yield facts(
            ("Ledger", end.ledger),
            ("Artifacts", end.artifact_bucket),
            ("Guard", end.guard or ("not installed: `manuel-release bootstrap` makes it" if ready else "")),
            ("Pipeline", end.pipeline or (_NO_PIPELINE if ready else "")),
            ("Settings", end.settings),
            ("Next", "manuel-release deploy --env dev" if ready else ""),
        )


def as_json(end: BootstrapOutcome) -> dict[str, Any]:
    """The document of `bootstrap --output json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "status": "ready" if end.status is OutcomeStatus.LIVE else str(end.status),
        "ledger": end.ledger or None,
        "artifact_bucket": end.artifact_bucket or None,
        "guard": end.guard or None,
        "pipeline": end.pipeline or None,
        "settings": end.settings or None,
        "seconds": round(sum(result.seconds for result in end.results), 3),
    }
