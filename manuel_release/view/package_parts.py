"""The parts of an approval's package as screens; what is not of a known shape is shown as the JSON that it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from manuel_release.view import package_changes, package_observation, symbols, words
from manuel_release.view.layout import headline, indented, table
from manuel_release.view.members import Members, Unexpected, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from manuel_release.view.layout import Cell
    from manuel_release.view.symbols import Mark

    Block = list[RenderableType]

_GATES = {"passed": symbols.good, "failed": symbols.bad, "missing": symbols.bad}
_QUALITY = frozenset({"stage", "good_enough", "summary", "gates"})
_NUMBERS = ("tests", "failed", "skipped")


def blocks(parts: object, *, ascii_only: bool) -> Iterator[Block]:
    """A block for each part: first what is known, in the order in which one decides, then the others by name."""
    if not isinstance(parts, Mapping):
        yield [indented(_json(parts))]
        return
    for name, draw in _KNOWN.items():
        if name in parts:
            try:
                yield draw(parts[name], ascii_only)
            except Unexpected:
                yield _as_it_is(name, parts[name])
    for name in sorted(set(parts) - set(_KNOWN)):
        yield _as_it_is(name, parts[name])


def _as_it_is(name: str, part: object) -> Block:
    return [headline(printable(name)), indented(_json(part))]


def _json(value: object) -> str:
    return printable(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def _others(rest: Mapping[str, object]) -> Block:
    """What a newer version wrote and this one has no words for."""
    return [indented("Also in it:"), indented(_json(rest))] if rest else []


def _quality(part: object, ascii_only: bool) -> Block:
    found = Members.of(part)
    gates, summary, enough = found.several("gates"), found.text("summary"), found.flag("good_enough")
    if not gates and not summary:
        raise Unexpected
    rows: list[tuple[Cell, ...]] = []
    marks = []
    for gate in gates:
        mark = _GATES.get(gate.needed("state"), symbols.waiting)(gate.text("state"))
        style = "" if mark.colour == "green" else mark.colour
        rows.append(((mark.text(ascii_only), mark.colour), (gate.needed("name"), style), gate.text("why")))
        marks.append(mark)
    red = enough is False or any(mark.colour == "red" for mark in marks)
    told = enough is None or any(mark.colour != "green" for mark in marks)
    decided = symbols.bad("red") if red else (symbols.waiting("told") if told else symbols.good("green"))
    text = summary or words.count(len(gates), "gate")
    drawn = [headline(f"Quality: {text}", decided, ascii_only=ascii_only)]
    drawn += [table(("", "GATE", "WHY"), rows, keep=(0,))] if rows else []
    return drawn + _others(found.rest(_QUALITY))


def _tests(part: object, ascii_only: bool) -> Block:
    """A row for each report, what failed first; a report in which nothing ran proves nothing and is marked."""
    if not isinstance(part, Mapping):
        raise Unexpected
    reports = [(printable(name), tuple(map(Members.of(one).count, _NUMBERS))) for name, one in part.items()]
    if not reports:
        return [headline("Tests: there is no report", symbols.waiting("none"), ascii_only=ascii_only)]
    totals = tuple(map(sum, zip(*(numbers for _, numbers in reports), strict=True)))
    mark = _ran(totals)
    said = ", ".join(f"{number:,} {what}" for what, number in zip(_NUMBERS[1:], totals[1:], strict=True))
    text = f"Tests: {totals[0]:,} in {words.count(len(reports), 'report')}, {said}"
    rows = [
        _counted(_ran(numbers), name, numbers, ascii_only)
        for name, numbers in sorted(reports, key=lambda one: (not one[1][1], one[0]))
    ]
    rows.append(_counted(mark, "total", totals, ascii_only))
    headings = ("", "REPORT", *(what.upper() for what in _NUMBERS))
    return [headline(text, mark, ascii_only=ascii_only), table(headings, rows, keep=(0, 2, 3, 4))]


def _ran(numbers: tuple[int, ...]) -> Mark:
    tests, failed, skipped = numbers
    if failed:
        return symbols.bad("failed")
    return symbols.good("passed") if tests > skipped else symbols.waiting("nothing ran")


def _counted(mark: Mark, name: str, numbers: tuple[int, ...], ascii_only: bool) -> tuple[Cell, ...]:
    style = "red" if mark.colour == "red" else ""
    counts = [(f"{number:>{len(what)},}", style) for number, what in zip(numbers, _NUMBERS, strict=True)]
    return ((mark.text(ascii_only), mark.colour), (name, style), *counts)


def _change_set(part: object, ascii_only: bool) -> Block:
    found = Members.of(part)
    return [*package_changes.drawn(found, ascii_only), *_others(package_changes.rest(found))]


def _observation(part: object, ascii_only: bool) -> Block:
    found = Members.of(part)
    return [*package_observation.drawn(found, ascii_only), *_others(found.rest(package_observation.KNOWN))]


_KNOWN: Mapping[str, Callable[[object, bool], Block]] = {
    "quality": _quality,
    "tests": _tests,
    "change-set": _change_set,
    "observation": _observation,
}
