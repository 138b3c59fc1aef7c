"""What every command accepts, before or after its name, and the App that it gets in return."""

from __future__ import annotations

import functools
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    from manuel_release.app import App
    from manuel_release.model.options import GlobalOptions
    from manuel_release.view.console import Screen

    P = ParamSpec("P")
    T = TypeVar("T")
    AppBuilder = Callable[[GlobalOptions, Screen], App]

_GIVEN = "manuel_release.given"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


def duration(text: str) -> float:
    """Seconds in `90s`, `15m`, `2h` or `1h30m`; for `type=` of an option.

    Raises:
        click.BadParameter: there is no unit, or it is no time at all.
    """
    match = _DURATION.match(text.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise click.BadParameter(f"{text!r} is not a duration; write 90s, 15m, 2h or 1h30m.")
    return float(total)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep what was given; all contexts of an invocation share `meta`, and the innermost is parsed last, so it wins."""
    if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
        ctx.meta.setdefault(_GIVEN, {})[param.name] = value


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from manuel_release import __version__  # noqa: PLC0415

        click.echo(f"manuel-release {__version__}")
        ctx.exit()


def _option(*names: str, help: str, **attributes: Any) -> click.Option:  # noqa: A002 - click's word
    return click.Option(names, help=help, expose_value=False, callback=_remember, **attributes)


def _environments(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The environments that a shell offers; settings can rename their stacks and add none."""
    return [name for name in ("dev", "staging", "production") if name.startswith(incomplete)]


def parameters() -> list[click.Option]:
    """The shared options, in the order of the help."""
    output = click.Choice(["table", "json"])
    return [
        _option(
            *("--env", "environment"),
            metavar="ENV",
            shell_complete=_environments,
            help="dev, staging or production (prod is the same).",
        ),
        _option("--region", metavar="REGION", help="AWS region; before AWS_REGION, the profile's and the settings'."),
        _option("--profile", metavar="PROFILE", help="Profile of the AWS configuration; before AWS_PROFILE."),
        _option("--output", type=output, help="table for people (the default), or one JSON document on stdout."),
        _option("--yes", "-y", is_flag=True, help="Do not ask."),
        _option("--dry-run", is_flag=True, help="Show what would be done and change nothing."),
        _option("--reason", metavar="TEXT", help="Why; kept in the ledger."),
        _option("--timeout", type=duration, metavar="DURATION", help="How long to wait: 90s, 15m, 2h."),
        _option("--quiet", is_flag=True, help="Nothing on stderr but warnings and errors."),
        _option("--verbose", is_flag=True, help="More on stderr: what happens, and where a fault is."),
        _option("--no-color", is_flag=True, help="No colours; the variable NO_COLOR does the same."),
        _option(
            "--config",
            type=click.Path(),
            metavar="FILE",
            help="Settings file; before MANUEL_CONFIG and the search for one.",
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Print the version and end.",
        ),
    ]


def chosen() -> GlobalOptions:
    """The shared options of the running invocation.

    Raises:
        click.UsageError: they contradict each other.
    """
    from manuel_release.model.environment import canonical  # noqa: PLC0415 - `--help` needs no model
    from manuel_release.model.options import GlobalOptions, Output  # noqa: PLC0415

    given = dict(click.get_current_context().meta.get(_GIVEN, {}))
    if given.get("quiet") and given.get("verbose"):
        raise click.UsageError("--quiet and --verbose contradict each other.")
    if "environment" in given:
        given["environment"] = canonical(given["environment"])
    if "output" in given:
        given["output"] = Output(given["output"])
    return GlobalOptions(**given)


def settle_environment(app: App) -> None:
    """Have the App mean production where neither --env nor MANUEL_ENV names an environment."""
    from manuel_release.settings import FALLBACK_ENVIRONMENT  # noqa: PLC0415 - `--help` stays fast

    if app.options.environment is None and not os.environ.get("MANUEL_ENV"):
        app.options = replace(app.options, environment=FALLBACK_ENVIRONMENT)


def shared_options(function: Callable[P, T]) -> Callable[P, T]:
    """Put directly below `@click.command` or `@click.group`: adds the shared options behind the command's own.

    A command finds an `App` in `click.pass_obj`; a group does not, its commands do. Whatever is in the root context's
    `obj` is called to make it, `App.build` where there is nothing.
    """

    @functools.wraps(function)
    def with_app(*args: P.args, **kwargs: P.kwargs) -> T:
        ctx = click.get_current_context()
        if not isinstance(ctx.command, click.Group):
            ctx.obj = _app(ctx)
        return function(*args, **kwargs)

    own: list[click.Parameter] = getattr(function, "__click_params__", [])
    with_app.__click_params__ = [*reversed(parameters()), *own]  # type: ignore[attr-defined]
    return with_app


def _app(ctx: click.Context) -> App:
    from manuel_release.view.console import Screen  # noqa: PLC0415

    options = chosen()
    screen = Screen.from_options(options, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environ=os.environ)
    ctx.call_on_close(screen.close)
    build: AppBuilder | None = ctx.find_root().obj
    if build is None:
        from manuel_release.app import App  # noqa: PLC0415 - a command's own work begins here

        build = App.build
    return build(options, screen)
