"""A change of a canary before it is confirmed, and after it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from manuel_release.model.canary_change import Answer, ChangeStatus, Move
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, indented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.caller import Caller
    from manuel_release.model.canary_change import CanaryOutcome, CanaryPlan, WayBack
    from manuel_release.view.layout import Cell


QUESTION = {
    Move.START: "Give {plan.release} {plan.percent:g} % of the requests of {plan.environment}?",
    Move.PROMOTE: "Give {plan.release} {plan.percent:g} % of the requests of {plan.environment}?",
    Move.EXTEND: "Observe {plan.release} longer?",
    Move.ABORT: "End the canary of {plan.release} in {plan.environment}?",
}
"""What a person is asked before anything is changed."""

_MARKS = {
    ChangeStatus.DONE: symbols.OUTCOME[OutcomeStatus.LIVE],
    ChangeStatus.NOTHING_TO_DO: symbols.OUTCOME[OutcomeStatus.NOTHING_TO_DO],
    ChangeStatus.PLANNED: symbols.OUTCOME[OutcomeStatus.PLANNED],
}


class _End(Protocol):
    """How an observation ended."""

    @property
    def message(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def next_command(self) -> str: ...


@dataclass(frozen=True)
class ChangeScreen:
    """What is going to happen, for the person who is asked next."""

    plan: CanaryPlan
    caller: Caller

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """From where to where, why one may, what it may cost, how one gets back."""
        plan = self.plan
        yield headline(f"{plan.environment}: {_heading(plan)}")
        yield facts(
            ("From", f"{words.percent(plan.before)} of the requests; {plan.stable} gets the others"),
            ("Verdict", _verdict(plan)),
            ("At worst", plan.risk),
            ("Way back", _way_back(plan.way_back)),
            ("Account", f"{self.caller.account_id} in {self.caller.region}, as {self.caller.name}"),
        )
        yield ""
        yield indented("Then")
        for number, step in enumerate(plan.steps, 1):
            yield indented(f"{number}. {step.title}", 4)
        for note in plan.notes:
            yield indented(f"Note: {note}.", style="yellow")


def _heading(plan: CanaryPlan) -> str:
    if plan.move is Move.ABORT:
        return f"end the canary of {plan.release}"
    verb = "go on with the rollout of" if plan.resumed else "give"
    return f"{verb} {plan.release} {words.percent(plan.percent)} of the requests"


def _verdict(plan: CanaryPlan) -> Cell:
    if plan.override:
        return (f"{plan.verdict}, overridden: {plan.override}", "yellow")
    return plan.verdict


def _way_back(found: WayBack | None) -> Cell:
    if found is None:
        return ""
    if not found.unknown:
        return f"to {found.stable}: {len(found.checks)} things looked at, and all are there"
    known = len(found.checks) - len(found.unknown)
    return (
        (f"to {found.stable}: {known} things looked at are there", ""),
        *((f"not known: {check.sentence}", "yellow") for check in found.checks if check.answer is Answer.UNKNOWN),
    )


@dataclass(frozen=True)
class ChangedScreen:
    """How a change ended."""

    outcome: CanaryOutcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One sentence, then what one needs next."""
        end = self.outcome
        yield headline(_sentence(end), _MARKS[end.status], ascii_only=options.ascii_only)
        yield facts(
            ("", end.message),
            ("Stable", end.stable if end.percent < 100 and end.stable != end.release else ""),
            ("Time", words.duration(end.seconds) if end.results else ""),
            ("Next", end.next_command),
        )


def _sentence(end: CanaryOutcome) -> str:
    if end.status is ChangeStatus.NOTHING_TO_DO:
        return f"Nothing to do in {end.environment}"
    if end.status is ChangeStatus.PLANNED:
        return f"Nothing was changed in {end.environment}"
    match end.move:
        case Move.ABORT:
            return f"The canary of {end.release} in {end.environment} was ended"
        case Move.EXTEND:
            return f"{end.release} is observed longer in {end.environment}"
        case _:
            share = "all requests" if end.percent == 100 else f"{words.percent(end.percent)} of the requests"
            return f"{end.release} gets {share} of {end.environment}"


@dataclass(frozen=True)
class ObservedScreen:
    """How an observation ended."""

    end: _End

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One sentence, and what one needs next."""
        good = self.end.exit_code == 0
        mark = symbols.OUTCOME[OutcomeStatus.LIVE] if good else symbols.verdict("bad")
        if self.end.exit_code == 8:
            mark = symbols.verdict("cannot tell yet")
        yield headline(self.end.message, mark, ascii_only=options.ascii_only)
        yield facts(("Next", self.end.next_command))
