"""Incidents: a list, and one with its receipt and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.entry import Incident


@dataclass(frozen=True)
class IncidentsScreen:
    """One row for each; more: how many older ones are not shown."""

    found: tuple[Incident, ...]
    now: datetime
    more: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table, or a sentence."""
        if not self.found:
            yield "No incident."
            return
        rows = [
            (
                one.id,
                one.environment,
                f"{one.release} -> {one.to_release}",
                words.ago(one.started_at, self.now),
                _length(one),
                one.trigger,
                one.reason,
            )
            for one in self.found
        ]
        yield table(("INCIDENT", "ENVIRONMENT", "TRAFFIC", "BEGUN", "TOOK", "TRIGGER", "WHY"), rows, keep=range(5))
        if self.more:
            yield indented(f"and {self.more} older: --limit shows more")


@dataclass(frozen=True)
class IncidentScreen:
    """What began it, its receipt, and what was learnt."""

    incident: Incident
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Facts, the rollback's steps, notes, and the next command where something is left."""
        one, receipt = self.incident, self.incident.receipt
        yield headline(f"{one.id}: {one.release} was taken back in {one.environment}")
        yield facts(
            ("Traffic", f"{one.release} -> {one.to_release} ({one.api_stage})"),
            ("Trigger", one.trigger),
            ("Why", one.reason),
            ("By", one.by),
            ("Begun", f"{one.started_at:%Y-%m-%d %H:%M:%S} UTC, {words.ago(one.started_at, self.now)}"),
            ("Took", _length(one)),
            ("Restored", _after(receipt, "seconds_to_traffic_restored")),
            ("Last bad", _after(receipt, "seconds_to_last_bad_response")),
            ("Steps", tuple(_step(step, options.ascii_only) for step in receipt.get("steps") or ())),
            ("Left to do", tuple((str(each), "yellow") for each in receipt.get("left") or ())),
            ("Undo", str(receipt.get("undo_command") or "")),
            ("Notes", tuple((each, "") for each in one.notes)),
        )
        if one.ended_at is None:
            yield indented("It is not finished; finish it:")
            yield indented(f"manuel-release rollback --env {one.environment}", by=4)
        elif not one.notes:
            yield indented("What was the cause? Write it down:")
            yield indented(f'manuel-release incident note {one.id} "WHAT WAS LEARNT"', by=4)


def _length(one: Incident) -> str:
    return "not finished" if one.ended_at is None else words.duration((one.ended_at - one.started_at).total_seconds())


def _after(receipt: Mapping[str, Any], key: str) -> str:
    seconds = receipt.get(key)
    return "" if seconds is None else f"after {words.duration(float(seconds))}"


def _step(step: Mapping[str, Any], ascii_only: bool) -> tuple[str, str]:
    failed = step.get("status") == "failed"
    mark = symbols.bad("") if failed else symbols.good("")
    detail = f": {step['detail']}" if step.get("detail") else ""
    took = words.duration(float(step.get("seconds") or 0))
    return f"{mark.sign(ascii_only)} {step.get('name', '')} ({took}){detail}", mark.colour if failed else ""
