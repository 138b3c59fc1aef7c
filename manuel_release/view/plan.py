"""A deploy before it is confirmed, and after it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.outcome import OutcomeStatus
from manuel_release.view import symbols, words
from manuel_release.view.changes import change_blocks, end_sentence, stack_sentence
from manuel_release.view.layout import facts, headline, indented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.caller import Caller
    from manuel_release.model.outcome import DeployOutcome
    from manuel_release.model.plan import DeployPlan


@dataclass(frozen=True)
class PlanScreen:
    """What is going to happen, for the person who is asked next; `every` lists each resource of a new stack too."""

    plan: DeployPlan
    caller: Caller
    every: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Header, changes, steps, warnings."""
        plan = self.plan
        yield headline(f"Deploy {plan.release} to {plan.environment}")
        yield facts(
            ("From", plan.previous or "nothing: this is the first release"),
            ("Commit", words.short_commit(plan.commit)),
            ("API stage", plan.api_stage),
            ("Account", f"{self.caller.account_id} in {self.caller.region}, as {self.caller.name}"),
            ("Stack", stack_sentence(plan)),
        )
        yield ""
        for block in change_blocks(plan, ascii_only=options.ascii_only, every=self.every):
            yield from block
            yield ""
        if plan.refusal is not None:
            yield indented("It is not deployed like this; the error says why, and the way out.", style="red")
            return
        yield indented("Then")
        for number, step in enumerate(plan.steps, 1):
            yield indented(f"{number}. {step.title}", 4)
        yield ""
        at_end = end_sentence(self.plan.release, self.plan.previous or "", serves=self.plan.serves_at_end)
        yield indented(f"At the end {at_end}.")
        if plan.warnings:
            yield ""
        for warning in plan.warnings:
            yield indented(f"Warning: {warning}", style="yellow")


@dataclass(frozen=True)
class OutcomeScreen:
    """How a deploy ended."""

    outcome: DeployOutcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One sentence, then what one needs next."""
        end = self.outcome
        yield headline(_sentence(end), symbols.OUTCOME[end.status], ascii_only=options.ascii_only)
        yield facts(
            ("", end.message),
            ("Before", end.previous or ""),
            ("URL", end.url),
            ("Time", words.duration(end.seconds) if end.results else ""),
            ("Next", end.next_command),
        )


def _sentence(end: DeployOutcome) -> str:
    match end.status:
        case OutcomeStatus.LIVE:
            return f"{end.release} is live in {end.environment}"
        case OutcomeStatus.STAGED:
            return f"{end.release} is deployed to {end.environment} and waits at 0 % of the traffic"
        case OutcomeStatus.NOTHING_TO_DO:
            return f"Nothing to do in {end.environment}"
        case OutcomeStatus.PLANNED:
            return f"Nothing was changed in {end.environment}"
