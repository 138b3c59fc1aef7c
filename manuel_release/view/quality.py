"""The quality gates on one screen and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols
from manuel_release.view.as_json import SCHEMA_VERSION, Document
from manuel_release.view.layout import headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.gates.quality import Gate
    from manuel_release.view.symbols import Mark


def _mark(gate: Gate) -> Mark:
    if gate.red:
        return symbols.bad(gate.state.value)
    return symbols.good(gate.state.value) if gate.state.value == "passed" else symbols.waiting(gate.state.value)


@dataclass(frozen=True)
class QualityScreen:
    """A line for each gate: what it says, and why."""

    gates: Sequence[Gate]
    summary: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The headline is the decision."""
        red = [gate for gate in self.gates if gate.red]
        mark = symbols.bad("red") if red else symbols.good("green")
        yield headline(self.summary, mark, ascii_only=options.ascii_only)
        rows = []
        for gate in self.gates:
            one = _mark(gate)
            rows.append(((one.text(options.ascii_only), one.colour), gate.name, gate.why))
        yield table(("", "GATE", "WHY"), rows, keep=(0,))
        for target in dict.fromkeys(gate.target for gate in red):
            yield indented(f"Next: `make {target}`")


def document(gates: Sequence[Gate], stage: str, summary: str) -> Document:
    """The decision; `good_enough` is what counts."""
    return {
        "schema_version": SCHEMA_VERSION,
        "stage": stage,
        "good_enough": not any(gate.red for gate in gates),
        "summary": summary,
        "gates": [
            {"name": gate.name, "state": gate.state.value, "why": gate.why, "target": gate.target} for gate in gates
        ],
    }
