"""How a deploy ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.model.plan import DeployPlan
    from manuel_release.model.progress import StepResult


class OutcomeStatus(StrEnum):
    """What is true after the command; failures are errors and not outcomes."""

    LIVE = "live"  # the release holds 100 %
    STAGED = "staged"  # proven, 0 % of traffic
    NOTHING_TO_DO = "nothing_to_do"  # the world was as asked already
    PLANNED = "planned"  # shown and not done: --dry-run, or a person said no


@dataclass(frozen=True)
class DeployOutcome:
    """The end of a deploy.

    previous: the release that held 100 % before; None at the first release.
    url: public address of the API, without a slash at the end; empty when it is not known.
    message: one sentence where the status alone does not tell enough (why there was nothing to do).
    next_command: what to run next; empty when nothing is left to do.
    plan: what was done, or would have been; None when there was nothing to do.
    """

    environment: str
    api_stage: str
    release: str
    status: OutcomeStatus
    previous: str | None = None
    results: Sequence[StepResult] = ()
    url: str = ""
    message: str = ""
    next_command: str = ""
    plan: DeployPlan | None = None

    @property
    def seconds(self) -> float:
        """Wall clock of all steps, in seconds."""
        return sum(result.seconds for result in self.results)
