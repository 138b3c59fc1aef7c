"""What a rehearsal did, as a report that a person understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.view import symbols, words
from manuel_release.view.console import SCHEMA_VERSION
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.rehearsal import Rehearsal, RehearsedStage


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
        "release": done.releases.get("dev"),
        "releases": dict(done.releases),
        "rollback": None,
        "facts": list(done.facts),
        "failure": done.failure or None,
        "kept": done.kept or None,
    }
