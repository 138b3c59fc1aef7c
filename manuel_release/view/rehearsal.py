"""What a rehearsal did, as a report that a person understands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from manuel_release.view import symbols, words
from manuel_release.view.console import SCHEMA_VERSION
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.rehearsal import Rehearsal, RehearsedStage


WIDTH = 30
CELLS = "█░▓▒"
ASCII_CELLS = "#.=+"


@dataclass(frozen=True)
class RehearsalScreen:
    """The report at the end of a rehearsal."""

    rehearsal: Rehearsal

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The stages with their times, who serves what, and what this was evidence for."""
        done, ascii_only = self.rehearsal, options.ascii_only
        mark = symbols.step("done" if done.ok else "failed")
        end = "Rehearsed" if done.ok else "The rehearsal failed"
        yield headline(f"{end} in {words.duration(done.seconds)}", mark, ascii_only=ascii_only)
        yield ""
        yield table(("", "STAGE", "TIME", "WHAT RAN"), [_row(stage, ascii_only) for stage in done.stages], keep=(1, 2))
        if done.releases:
            yield ""
            yield facts(*((name, f"{release} serves") for name, release in done.releases.items()))
        if done.traffic:
            yield ""
            yield "Who answered production's users"
            yield from _traffic(done, ascii_only=ascii_only)
        if done.decided:
            yield ""
            yield "Decided"
            yield from (indented(one) for one in done.decided)
        for receipt in done.receipts:
            yield ""
            yield _receipt(receipt)
        for fact in done.facts:
            yield ""
            yield indented(fact)
        if done.failure:
            yield ""
            yield indented(done.failure, style="red")
        if done.kept:
            yield ""
            yield indented(f"Copies and logs: {done.kept}")


def _row(stage: RehearsedStage, ascii_only: bool) -> tuple[tuple[str, str], str, str, tuple[tuple[str, str], ...]]:
    mark = symbols.step(stage.status)
    ran = tuple(
        (f"{action.name} ({words.duration(action.seconds)})", "red" if action.status == "failed" else "")
        for action in stage.actions
    )
    return ((mark.sign(ascii_only), mark.colour), stage.name, words.duration(stage.seconds), ran)


def _traffic(done: Rehearsal, *, ascii_only: bool) -> Iterator[RenderableType]:
    """One line for each span: when, a bar of WIDTH cells with a part for each release, and the shares in words."""
    names = sorted({name for span in done.traffic for name in span.answers if name.startswith("r-")}, key=_number)
    start = done.traffic[0].at
    cells = dict(zip(names, (ASCII_CELLS if ascii_only else CELLS) * len(names), strict=False))
    for span in done.traffic:
        bar = "".join(cells[name] * round(WIDTH * span.percent(name) / 100) for name in names)
        shares = ", ".join(f"{name} {span.percent(name):.0f} %" for name in names if span.answers.get(name))
        failed = f", {span.failed} failed" if span.failed else ""
        yield f"  {words.duration(span.at - start):>11}  {bar[:WIDTH]:<{WIDTH}}  {shares}{failed}"


def _number(release: str) -> int:
    return int(release.removeprefix("r-"))


def _receipt(receipt: Mapping[str, Any]) -> RenderableType:
    """What a rollback did, as one block of facts."""
    gone = receipt.get("seconds_to_last_bad_response")
    calls = receipt.get("api_calls_before_restored")
    restored = receipt.get("seconds_to_traffic_restored")
    return facts(
        ("Rolled back", f"{receipt.get('from_release')} -> {receipt.get('to_release')}"),
        ("By", f"{receipt.get('by', '')} ({receipt.get('trigger', '')})"),
        ("Why", str(receipt.get("why") or "")),
        ("Restored", "" if restored is None else f"after {words.duration(restored)}, {calls} API calls"),
        ("Last bad", "" if gone is None else f"after {words.duration(gone)}"),
        ("Undo", str(receipt.get("undo_command") or "")),
    )


def as_json(done: Rehearsal) -> dict[str, Any]:
    """The document of `rehearse --output json` (DESIGN.md, section 4)."""
    return {
        "schema_version": SCHEMA_VERSION,
        "ok": done.ok,
        "seconds": round(done.seconds, 3),
        "stages": [
            {
                "name": stage.name,
                "status": stage.status,
                "seconds": round(stage.seconds, 3),
                "actions": [
                    {"name": action.name, "status": action.status, "seconds": round(action.seconds, 3)}
                    for action in stage.actions
                ],
            }
            for stage in done.stages
        ],
        "release": done.releases.get("production"),
        "releases": dict(done.releases),
        "rollback": dict(done.receipts[-1]) if done.receipts else None,
        "rollbacks": [dict(one) for one in done.receipts],
        "decided": list(done.decided),
        "traffic": [
            {
                "at": datetime.fromtimestamp(span.at, UTC).isoformat(),
                "seconds": span.seconds,
                "answers": dict(span.answers),
                "failed": span.failed,
            }
            for span in done.traffic
        ],
        "facts": list(done.facts),
        "failure": done.failure or None,
        "kept": done.kept or None,
    }
