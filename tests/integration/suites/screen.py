"""The results on a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integration.suites.results import Results

WIDTH = 80
SYMBOLS = {True: "✓", False: "✗"}


def text(results: Results, folder: str) -> str:
    """What a person reads at the end of a run: what was tested, what failed, what the contract's coverage missed."""
    config = results.config
    passed, failed, skipped = (len(results.of(*kind)) for kind in (("passed",), ("failed", "error"), ("skipped",)))
    counted = f"{passed} passed, {failed} failed, {skipped} not shown in {results.seconds:.0f} s"
    lines = [f"{SYMBOLS[results.ok]} {config.environment}, {config.profile} profile: {counted}", ""]
    for name in results.categories:
        good, bad, unseen = (
            len(results.of(*kind, category=name)) for kind in (("passed",), ("failed", "error"), ("skipped",))
        )
        seconds = sum(case.seconds for case in results.cases if case.category == name)
        lines.append(
            f"  {SYMBOLS[not bad]} {name:<20}{good:>4} passed {bad:>4} failed {unseen:>4} not shown {seconds:>8.1f} s"
        )
    lines.append("")
    for case in results.of("failed", "error"):
        lines += _wrapped(f"✗ {case.category}: {case.name}", "  ")
        lines += _wrapped(case.message, "      ")
    for gate in results.gates:
        lines += _wrapped(f"{SYMBOLS[gate.passed]} {gate.name}: {gate.sentence}", "  ")
    lines += _coverage(results)
    reasons = sorted({case.message for case in results.of("skipped")})
    if reasons:
        lines += ["", "  Not shown, because:", *_items(reasons)]
    return "\n".join([*lines, "", f"  Reports: {folder}"])


def _coverage(results: Results) -> list[str]:
    coverage = results.coverage
    total = len(coverage.exercised) + len(coverage.missed)
    lines = ["", f"  The API's contract: {len(coverage.exercised)} of {total} answers exercised"]
    if results.config.profile == "smoke":
        return lines
    if coverage.missed:
        lines += ["  Missed:", *_items(str(answer) for answer in coverage.missed)]
    if coverage.apart:
        lines += ["  Only with a failing dependency:", *_items(str(answer) for answer in coverage.apart)]
    if coverage.undocumented:
        told = (f"{name} ({count})" for name, count in coverage.undocumented.items())
        lines += ["  Answered and not documented:", *_items(told)]
    return lines


def _items(lines: Iterable[str]) -> list[str]:
    return [one for line in lines for one in _wrapped(f"- {line}", "    ")]


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
