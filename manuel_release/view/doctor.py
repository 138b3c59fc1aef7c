"""What the doctor found: this machine and the account first, then each environment."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from manuel_release.model.check import Level
from manuel_release.view import symbols, words
from manuel_release.view.console import SCHEMA_VERSION
from manuel_release.view.layout import headline, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.check import Check, Report
    from manuel_release.view.layout import Cell
    from manuel_release.view.symbols import Mark

MARK: dict[Level, Mark] = {
    Level.OK: symbols.good("ok"),
    Level.WARNING: symbols.Mark("⚠", "!", "warning", "yellow"),
    Level.ERROR: symbols.bad("error"),
    Level.SKIPPED: symbols.quiet("skipped"),
}
HERE = "This machine and this account"


@dataclass(frozen=True)
class ReportScreen:
    """Every check, what is wrong with the command that helps, and the sum at the end."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """A block for each environment."""
        for environment, checks in groupby(self.report.checks, key=lambda check: check.environment):
            yield headline(environment or HERE)
            yield table(("", "", ""), [_row(check, options.ascii_only) for check in checks], keep=(0, 1))
            yield ""
        healthy = self.report.healthy and not self.report.count(Level.WARNING)
        worst = Level.OK if healthy else Level.WARNING if self.report.healthy else Level.ERROR
        yield headline(_sum(self.report), MARK[worst], ascii_only=options.ascii_only)


def _row(check: Check, ascii_only: bool) -> tuple[Cell, Cell, Cell]:
    mark = MARK[check.level]
    colour = "" if check.level is Level.OK else mark.colour
    word = "" if check.level is Level.OK else f"{mark.word}: "
    parts = [(f"{word}{check.message}", colour)]
    if check.hint:
        parts.append((f"Next: {check.hint}", ""))
    return ((mark.sign(ascii_only), mark.colour), check.title, tuple(parts))


def _sum(report: Report) -> str:
    counts = [(report.count(level), MARK[level].word) for level in (Level.ERROR, Level.WARNING)]
    wrong = [words.count(number, word) for number, word in counts if number]
    skipped = report.count(Level.SKIPPED)
    left = f", {words.count(skipped, 'check')} could not be made" if skipped else ""
    if wrong:
        return f"{' and '.join(wrong)}{left}"
    return f"Nothing is wrong ({words.count(report.count(Level.OK), 'check')}){left}"


def as_json(report: Report) -> dict[str, Any]:
    """The document of `doctor --output json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "healthy": report.healthy,
        "counts": {level.value: report.count(level) for level in Level},
        "checks": [
            {
                "environment": check.environment or None,
                "title": check.title,
                "level": check.level.value,
                "message": check.message,
                "hint": check.hint,
            }
            for check in report.checks
        ],
    }
