"""`completion`: what makes a shell complete commands, options and environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App

SCHEMA_VERSION = 1
VARIABLE = "_MANUEL_RELEASE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@shared_options
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash, in ~/.bashrc:  eval "$(manuel-release completion bash)"
    zsh, in ~/.zshrc:    eval "$(manuel-release completion zsh)"
    fish:                manuel-release completion fish > ~/.config/fish/completions/manuel-release.fish
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - `--help` stays fast

    app: App = ctx.obj
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows all of SHELLS
    root = ctx.find_root()
    script = kind(root.command, {}, "manuel-release", VARIABLE).source()
    app.screen.answer({"schema_version": SCHEMA_VERSION, "shell": shell, "script": script})
    app.screen.verbatim(script)
