"""A canary under observation: how much it gets, what is known about it, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from manuel_release.verdict import Verdict, WorstCase

STEPS = (10.0, 50.0, 100.0)
"""A canary's shares of the traffic where the settings name no others, in percent."""


@dataclass(frozen=True)
class CanaryStatus:
    """What `canary status` answers.

    desired_percent: what the stage says; 0-100.
    actual_percent: the canary's share of the requests that were counted; None without requests.
    started_at: since when it has been observed: when it started by the ledger, else when the stage was last changed.
    observed_seconds: how much of that has been judged.
    verdict: None before the first interval is over.
    stable_p95_ms, canary_p95_ms: of the window that latency is judged in; None without latencies.
    worst_case: what the next step may cost; None without requests or when there is no next step.
    doubts: why the counts cannot be trusted, sentences; empty when they can.
    ended: how the canary came to its end under observation; empty while it runs.
    promoted: it ended because its release was given all requests.
    held_by: who holds the lease of the stage, empty when nobody does.
    steps: the environment's shares, in percent, rising to 100. extended_until: to when this step's observation was
        extended; None when it was not. step_started_at: since when it has the share that it has.
    drift: how the stage differs from the ledger's last word; empty when it does not.
    next_look_at: when the next interval can be judged.
    next_command: what a person can run now.
    """

    environment: str
    api_stage: str
    release: str
    stable_release: str
    desired_percent: float
    actual_percent: float | None
    started_at: datetime
    observed_seconds: float
    verdict: Verdict | None
    stable_p95_ms: float | None
    canary_p95_ms: float | None
    worst_case: WorstCase | None
    next_look_at: datetime
    next_command: str
    doubts: tuple[str, ...] = ()
    ended: str = ""
    promoted: bool = False
    held_by: str = ""
    steps: tuple[float, ...] = STEPS
    step_started_at: datetime | None = None
    extended_until: datetime | None = None
    drift: str = ""

    @property
    def step(self) -> int | None:
        """Number of the step among `steps`, from 1; None for a share that is none of them."""
        return self.steps.index(self.desired_percent) + 1 if self.desired_percent in self.steps else None

    @property
    def decided(self) -> bool:
        """Whether there is nothing more to wait for: good, bad, or over."""
        return bool(self.ended) or self.word in {"good", "bad"}

    @property
    def exit_code(self) -> int:
        """0 good, 5 bad, 8 neither."""
        if self.word == "bad":
            return 5
        return 0 if self.promoted or (self.word == "good" and not self.ended) else 8

    @property
    def word(self) -> str:
        """The verdict: `good`, `bad` or `cannot tell yet`."""
        return self.verdict.word if self.verdict is not None else "cannot tell yet"


def next_percent(percent: float, steps: Sequence[float] = STEPS) -> float | None:
    """The step after `percent` (0-100); None at the end."""
    return next((step for step in steps if step > percent), None)
