"""The command line: options in, one App to one command, every error to one exit code.

A command is a module here with a click command or group named `command`; it is imported when it is run, so that
`--help` reads neither rich nor boto3.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli.options import shared_options
from manuel_release.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.view.console import Screen

COMMANDS = {  # in the order of a user's life
    "bootstrap": "Make the ledger, the artifact bucket, the settings and the pipeline of this account",
    "deploy": "Deploy a release to an environment",
    "status": "Show what runs where, and what needs a person",
    "history": "List releases, newest first",
    "canary": "Give a release a share of the traffic, watch it, and decide",
    "rollback": "Take traffic back, in one call",
    "approval": "See what waits for a person, and decide",
    "pipeline": "Check, draw, watch and steer the pipeline",
    "incident": "List rollbacks, look into one, and write down what was learnt",
    "freeze": "Stop all changes of an environment but rollbacks, or allow them again",
    "lease": "See who is changing an environment, and take that over",
    "quarantine": "See which code may not be released again, and lift that",
    "doctor": "Check this machine, the account and the environments",
    "package": "Build, upload the code, and write an artifact that can be deployed without the source",
    "step": "Do what a build of the pipeline does",
    "quality": "Decide whether a build is good enough, from its reports",
    "parameters": "Print an environment's parameters in another form",
    "rehearse": "Run the whole pipeline here, on an AWS of its own",
    "cloud": "Start, stop and use the embedded AWS",
    "completion": "Print the completion script of a shell",
}

EXIT_CODES = """\b
Exit codes:
  0    done, also when there was nothing to do
  1    failed, and nothing is half-done
  2    wrong usage
  3    refused by a guard; nothing was changed
  4    credentials, permissions or settings
  5    a gate failed, and the traffic went back
  6    some of it is done, and the rest needs a person
  8    not finished yet
  130  interrupted
"""


class Root(click.Group):
    """Knows its commands by name, and turns whatever happens into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, in the order of a user's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now; None for a name that is not one."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; fails with what may have been meant instead."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415 - `--help` does without

            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"There is no command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Commands first: they are what people look for."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        click.Command.format_options(self, ctx, formatter)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; ends the process with its exit code, or returns the code when not in standalone mode."""
        given = list(sys.argv[1:] if args is None else args)
        extra.setdefault("terminal_width", _help_width())
        try:
            code = super().main(given, prog_name or "manuel-release", complete_var, standalone_mode=False, **extra)
        except BaseException as error:
            code = _end(error, given)
        if not standalone_mode:
            return code
        sys.exit(code)


@click.group("manuel-release", cls=Root, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@shared_options
def root() -> None:
    """Deploy Manuel and see what runs where.

    The options are accepted before and after the command.
    """


def _help_width() -> int:
    """Columns of a help page, 50 to 78; click would import shutil to find out, which takes longer than the page."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (ValueError, OSError):
        columns = 80
    return max(50, min(columns, 80) - 2)


class Interrupted(ReleaseError):  # noqa: N818
    """Ctrl-C."""

    code = "interrupted"
    exit_code = 130


class Fault(ReleaseError):  # noqa: N818
    """Something that should not happen: a mistake in this program."""

    code = "internal"


def _end(error: BaseException, args: Sequence[str]) -> int:
    """Tell an error on the right stream and answer its exit code; SystemExit goes on."""
    match error:
        case SystemExit():
            raise error
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return error.exit_code
        case ReleaseError():
            told = error
        case click.ClickException():
            told = _usage(error)
        case click.Abort() | KeyboardInterrupt():
            told = _interrupted(error)
        case _:
            told = _fault(error)
    _screen(args).error(told)
    if isinstance(told, Fault) and "--verbose" in args:
        import traceback  # noqa: PLC0415 - for the rare case

        traceback.print_exception(error)
    return told.exit_code


def _usage(error: click.ClickException) -> ReleaseError:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"`{ctx.command_path} --help` shows what it accepts." if ctx is not None else ""
    return UsageError(error.format_message(), hint=hint)


def _interrupted(error: BaseException) -> ReleaseError:
    """What the command knows of the state of things is in the notes of its KeyboardInterrupt (PEP 678)."""
    notes = [note for one in (error, error.__cause__) for note in getattr(one, "__notes__", ())]
    return Interrupted(
        " ".join(("interrupted.", *notes)),
        hint="`manuel-release status` shows what is unfinished and how to finish it.",
    )


def _fault(error: BaseException) -> ReleaseError:
    return Fault(
        f"a fault in manuel-release itself: {type(error).__name__}: {error}",
        hint="Run it again with --verbose to see where, and report it; `manuel-release status` shows how things are.",
    )


def _screen(args: Sequence[str]) -> Screen:
    """A screen for an error; it may have come before the options were read, so they are looked for by name."""
    from manuel_release.model.options import GlobalOptions, Output  # noqa: PLC0415 - `--help` meets no errors
    from manuel_release.view.console import Screen  # noqa: PLC0415

    output = ""
    for before, arg in zip(("", *args), args, strict=False):
        if before == "--output" or arg.startswith("--output="):
            output = arg.removeprefix("--output=")
    options = GlobalOptions(output=Output.JSON if output == "json" else Output.TABLE, no_color="--no-color" in args)
    return Screen.from_options(options, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environ=os.environ)


__all__ = ["COMMANDS", "root"]
