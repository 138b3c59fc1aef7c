"""`cloud`: the embedded AWS by itself, for people who want to poke at it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.app import App

SCHEMA_VERSION = 1


@click.group("cloud")
@shared_options
def command() -> None:
    """Start, stop and use the embedded AWS.

    \b
    manuel-release cloud up
    eval "$(manuel-release cloud env)"
    aws s3 ls
    manuel-release cloud down
    """  # noqa: D301 - click's mark for lines that are not wrapped


def _folder(app: App) -> Path:
    return app.root / ".manuel"


@command.command("up")
@shared_options
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="TCP port on 127.0.0.1; 0 chooses a free one.")
@click.option("--enforce-iam", is_flag=True, help="Evaluate IAM policies as AWS does.")
@click.pass_obj
def up(app: App, port: int, enforce_iam: bool) -> None:
    """Start an embedded AWS for this repository; it goes on until `cloud down`."""
    from manuel_release.rehearsal import detached  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.rehearsal.process import Options  # noqa: PLC0415

    region = app.options.region or app.settings.region
    running = detached.up(_folder(app), Options(region=region, port=port, auth=enforce_iam, tied=False))
    app.screen.answer({"schema_version": SCHEMA_VERSION, "endpoint": running.endpoint, "pid": running.pid})
    app.screen.show(f"The embedded AWS answers at {running.endpoint} (process {running.pid}).")
    app.screen.say('Use it: eval "$(manuel-release cloud env)"\nStop it: manuel-release cloud down')


@command.command("down")
@shared_options
@click.pass_obj
def down(app: App) -> None:
    """Stop the embedded AWS of this repository and remove its files; nothing running is fine."""
    from manuel_release.rehearsal import detached  # noqa: PLC0415

    running = detached.down(_folder(app))
    app.screen.answer({"schema_version": SCHEMA_VERSION, "stopped": running is not None})
    app.screen.show(f"Stopped {running.endpoint}." if running else "No embedded AWS runs here.")


@command.command("env")
@shared_options
@click.pass_obj
def env(app: App) -> None:
    """Print the variables that point AWS clients at the embedded AWS, for `eval`."""
    from manuel_release.errors import ReleaseError  # noqa: PLC0415
    from manuel_release.rehearsal import detached  # noqa: PLC0415

    running = detached.find(_folder(app))
    if running is None:
        raise ReleaseError("no embedded AWS runs here", hint="Start one with `manuel-release cloud up`.")
    variables = running.environment()
    app.screen.answer({"schema_version": SCHEMA_VERSION, "environment": variables})
    app.screen.show("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
