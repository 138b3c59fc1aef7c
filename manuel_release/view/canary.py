"""A canary on the screen: two arms, the evidence growing towards its boundaries, what comes next and who may act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.canary import CanaryStatus
    from manuel_release.verdict import Signal, Verdict
    from manuel_release.verdict.evidence import Totals
    from manuel_release.view.layout import Cell

BAR_COLUMNS = 12
_STYLE = {"bad": "red", "good": "green", "immaterial": "yellow"}


def bar(share: float, ascii_only: bool, columns: int = BAR_COLUMNS) -> str:
    """A share 0-1 as a bar of `columns`; full only when the boundary is reached."""
    filled = columns if share >= 1.0 else min(columns - 1, int(max(share, 0.0) * columns))
    if ascii_only:
        return f"[{'#' * filled}{'.' * (columns - filled)}]"
    return f"{'█' * filled}{'░' * (columns - filled)}"


@dataclass(frozen=True)
class CanaryScreen:
    """One look at a canary; `watching` when more will follow."""

    status: CanaryStatus
    watching: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """At most 24 lines at 80 columns where nothing is wrong."""
        one, verdict = self.status, self.status.verdict
        mark = symbols.verdict(one.word)
        title = f"{one.environment}: canary {one.release}, {mark.word}"
        yield headline(title, mark, ascii_only=options.ascii_only)
        yield facts(
            ("Traffic", _traffic(one)),
            ("Verdict", _sentence(one)),
            ("Missing", _missing(verdict)),
            ("Moved", (one.drift, "yellow") if one.drift else ""),
            ("In doubt", tuple((sentence, "yellow") for sentence in one.doubts)),
            ("Look at", tuple((sentence, "yellow") for sentence in (verdict.investigate if verdict else ()))),
        )
        yield ""
        yield table(("", f"stable {one.stable_release}", f"canary {one.release}"), _arms(one), keep=(0, 1, 2))
        if verdict is not None:
            yield ""
            rows = [_evidence(signal, options.ascii_only) for signal in verdict.signals if _matters(signal)]
            yield table(("evidence", "towards bad", "towards good"), rows, keep=(0, 1, 2))
        yield ""
        yield facts(
            ("Cost so far", _cost(verdict)),
            ("At worst", one.worst_case.sentence if one.worst_case else ""),
            ("Next", _next(one, self.watching)),
            ("Who", _who(one)),
            ("Run", "" if self.watching else one.next_command),
        )


def _traffic(one: CanaryStatus) -> str:
    seen = "" if one.actual_percent is None else f", {one.actual_percent:.1f} % counted"
    step = "" if one.step is None else f"; step {one.step} of {len(one.steps)}"
    judged = f"judged {words.duration(one.observed_seconds)}" if one.observed_seconds else "nothing judged yet"
    return f"{words.percent(one.desired_percent)} wanted{seen}{step}; {judged}"


def _sentence(one: CanaryStatus) -> Cell:
    if one.verdict is None:
        return "Cannot tell yet: no interval is over."
    return (one.verdict.sentence, symbols.verdict(one.word).colour)


def _missing(verdict: Verdict | None) -> str:
    if verdict is None or not verdict.missing_requests:
        return ""
    soon = "" if verdict.missing_seconds is None else f", about {words.duration(verdict.missing_seconds)} at this rate"
    return f"{verdict.missing_requests:,} canary requests until good{soon}"


def _arms(one: CanaryStatus) -> list[tuple[Cell, ...]]:
    verdict = one.verdict
    if verdict is None:
        return [("requests", "0", "0")]
    stable, canary = verdict.stable, verdict.canary
    rows: list[tuple[Cell, ...]] = [("requests", f"{stable.requests:,}", f"{canary.requests:,}")]
    for name, left, right in (
        ("5xx", stable.errors_5xx, canary.errors_5xx),
        ("4xx", stable.errors_4xx, canary.errors_4xx),
    ):
        rows.append((name, _events(left, stable), _events(right, canary)))
    rows.append(("P95", _milliseconds(one.stable_p95_ms), _milliseconds(one.canary_p95_ms)))
    return rows


def _events(events: int, totals: Totals) -> str:
    return f"{events:,} ({100.0 * events / totals.requests:.2f} %)" if totals.requests else f"{events:,}"


def _milliseconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.0f} ms"


def _matters(signal: Signal) -> bool:
    """Whether it has a part in good, or anything has happened at all: not every service has every business counter."""
    return signal.towards_good is not None or bool(signal.stable.events or signal.canary.events)


def _evidence(signal: Signal, ascii_only: bool) -> tuple[Cell, ...]:
    style = _STYLE.get(signal.finding.value, "")
    bad = f"{bar(signal.towards_bad, ascii_only)} {100.0 * signal.towards_bad:3.0f} %"
    good = ""
    if signal.finding.value == "no_data":
        good = "no data"
    elif signal.towards_good is not None:
        good = f"{bar(signal.towards_good, ascii_only)} {100.0 * signal.towards_good:3.0f} %"
    return (signal.metric, style), (bad, "red" if signal.towards_bad >= 1.0 else ""), (good, style)


def _cost(verdict: Verdict | None) -> str:
    if verdict is None:
        return "nothing counted yet"
    canary = verdict.canary
    failed = words.count(canary.errors_5xx, "failed request")
    return f"{failed} among {canary.requests:,} that the canary served"


def _next(one: CanaryStatus, watching: bool) -> str:
    if one.ended:
        return one.ended
    match one.word:
        case "bad":
            return "The canary has to go; the command below takes it back."
        case "good":
            return "It may be given more; a person decides."
    look = f"The next interval is judged at {one.next_look_at:%H:%M:%S} UTC." if watching else "Keep watching."
    held = one.verdict is not None and one.verdict.hold
    return f"A shared incident forbids promotion. {look}" if held else look


def _who(one: CanaryStatus) -> str:
    if one.held_by:
        return f"{one.held_by}, who holds the stage's lease"
    return f"Whoever may change the stage {one.api_stage}; nobody holds its lease"
