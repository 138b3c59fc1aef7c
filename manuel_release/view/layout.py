"""The few forms that every screen is made of: a headline, facts with labels, a table, an indented line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.text import Text

    from manuel_release.view.symbols import Mark

Part = tuple[str, str]
"""Text and its style."""

Cell = str | Part | Sequence[Part]
"""What stands in a table: text, text with a style, or several of those below each other."""

_LABEL = 12
_INDENT = 2


def headline(text: str, mark: Mark | None = None, *, ascii_only: bool = False) -> RenderableType:
    """The first line of a block, bold, behind its status symbol."""
    from rich.text import Text  # noqa: PLC0415 - rich is loaded when something is drawn

    if mark is None:
        return Text(text, "bold")
    return Text.assemble((mark.sign(ascii_only), mark.colour), " ", (text, "bold"))


def indented(text: str, by: int = _INDENT, style: str = "") -> RenderableType:
    """A line of text that keeps its indentation when it wraps."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    return Padding(Text(text, style), (0, 0, 0, by), expand=False)


def facts(*rows: tuple[str, Cell]) -> RenderableType:
    """Label and value below each other; a fact without a value is left out."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_LABEL - 1, no_wrap=True, style="bright_black")
    grid.add_column(overflow="fold")
    for label, value in rows:
        if value:
            grid.add_row(label, _drawn(value))
    return Padding(grid, (0, 0, 0, _INDENT), expand=False)


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, keep: Sequence[int] = ()) -> RenderableType:
    """Rows without lines; columns in `keep` never wrap, the others share what is left and fold long words."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(heading, no_wrap=number in keep, overflow="fold")
    for row in rows:
        drawn.add_row(*(_drawn(cell) for cell in row))
    return Padding(drawn, (0, 0, 0, _INDENT), expand=False)


def listing(headings: Sequence[str], rows: Sequence[Sequence[Cell]], notes: Sequence[Cell], by: int) -> RenderableType:
    """As `table`, for narrow screens: a long note stands below its row over the whole width, indented `by` columns."""
    from rich.console import Group  # noqa: PLC0415
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = [[_drawn(cell) for cell in row] for row in (tuple((name, "bold") for name in headings), *rows)]
    widths = [max(cell.cell_len for cell in column) for column in zip(*drawn, strict=True)]
    parts: list[RenderableType] = []
    for row, note in zip(drawn, (Text(), *map(_drawn, notes)), strict=True):
        line = Table.grid(padding=(0, 2, 0, 0))
        for width in widths[:-1]:
            line.add_column(width=width)
        line.add_column(overflow="fold")
        line.add_row(*row)
        parts.append(Padding(line, (0, 0, 0, _INDENT), expand=False))
        if note.plain:
            parts.append(Padding(note, (0, 0, 0, by), expand=False))
    return Group(*parts)


def _drawn(cell: Cell) -> Text:
    from rich.text import Text  # noqa: PLC0415

    match cell:
        case str():
            return Text(cell)
        case (str() as text, str() as style):
            return Text(text, style)
        case _:
            return Text("\n").join(Text(text, style) for text, style in cell)
