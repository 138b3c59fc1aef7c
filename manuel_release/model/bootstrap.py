"""How a bootstrap ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.model.outcome import OutcomeStatus
    from manuel_release.model.progress import StepResult


@dataclass(frozen=True)
class BootstrapOutcome:
    """The end of a bootstrap: LIVE (made or updated), NOTHING_TO_DO, or PLANNED (only shown).

    guard: key of the package that the guard runs; empty while there is no guard. pipeline: its name; empty for none.
    """

    status: OutcomeStatus
    ledger: str = ""
    artifact_bucket: str = ""
    guard: str = ""
    settings: str = ""
    results: Sequence[StepResult] = ()
    pipeline: str = ""
