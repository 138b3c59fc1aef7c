"""docs/commands.md, made of the commands' own help; `make docs` writes it, and a test fails while it is out of date."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli import COMMANDS, EXIT_CODES, root
from manuel_release.cli.options import parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD = """# Commands

Written by `make docs` from what `manuel-release COMMAND --help` says; change it there.

Every command also accepts the [options of every command](#options-of-every-command), before or after its name. stdout
is the answer and stderr everything else; with `--output json` stdout is exactly one JSON document, errors too.
"""


def document() -> str:
    """The whole page."""
    top = click.Context(root, info_name="manuel-release")
    parts = [HEAD]
    for name in COMMANDS:
        command = root.get_command(top, name)
        assert command is not None  # noqa: S101 - COMMANDS are its names
        parts.extend(_command(command, click.Context(command, info_name=name, parent=top), 2))
    parts.append("## Options of every command\n")
    parts.append(_options(parameters(), top))
    parts.append("## Exit codes\n")
    parts.append(_text(EXIT_CODES.replace("Exit codes:\n", "")))
    return "\n".join(parts)


def _command(command: click.Command, ctx: click.Context, depth: int) -> Iterator[str]:
    """A section for a command, and one for each command in it."""
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    yield f"{'#' * depth} {ctx.command_path.partition(' ')[2]}\n\n    {usage}\n"
    yield _text(command.help or "")
    shared = {param.name for param in parameters()}
    own = [param for param in command.params if isinstance(param, click.Option) and param.name not in shared]
    if own:
        yield _options(own, ctx)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, click.Context(inner, info_name=name, parent=ctx), depth + 1)


def _text(text: str) -> str:
    r"""Help as Markdown: paragraphs stay as they are, those behind click's `\b` are kept line by line."""
    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        parts.append("\n".join(f"    {line}" for line in lines[1:]) if lines[0] == "\b" else paragraph)
    return "\n\n".join(parts) + "\n"


def _options(options: Iterable[click.Option], ctx: click.Context) -> str:
    rows = ["| option | meaning |", "|---|---|"]
    for option in options:
        record = option.get_help_record(ctx)
        if record is not None:
            names, meaning = (text.replace("|", "\\|") for text in record)
            rows.append(f"| `{names}` | {meaning} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
