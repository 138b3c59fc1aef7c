"""`freeze`: no changes for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import duration, shared_options
from manuel_release.cli.reason import reason_of

if TYPE_CHECKING:
    from manuel_release.app import App


@click.group("freeze")
@shared_options
def command() -> None:
    """Stop all changes of an environment but rollbacks, or allow them again.

    \b
    manuel-release freeze on --env production --for 48h --reason "Black Friday"
    manuel-release freeze off --env production --reason "it is over"
    """  # noqa: D301 - click's mark for lines that are not wrapped


@command.command("on")
@shared_options
@click.option(
    "--for", "seconds", type=duration, metavar="DURATION", help="Ends by itself then: 2h, 48h. Without: when lifted."
)
@click.pass_obj
def on(app: App, seconds: float | None) -> None:
    """Stop all changes of the environment; needs --reason.

    Deploys and canaries are refused until it ends; what is under way comes to its end, and a rollback is always
    possible. A freeze that is there already is replaced.
    """
    from datetime import timedelta  # noqa: PLC0415 - `--help` stays fast

    from manuel_release.model.entry import Freeze  # noqa: PLC0415
    from manuel_release.view import ledger_json  # noqa: PLC0415
    from manuel_release.view.freeze import FreezeScreen  # noqa: PLC0415

    reason, now, name = reason_of(app, "a freeze"), app.now(), app.environment.name
    until = None if seconds is None else now + timedelta(seconds=seconds)
    freeze, before = Freeze(name, app.holder, reason, now, until), app.ledger.frozen(name)
    done = not app.options.dry_run
    if done:
        app.ledger.freeze(freeze)
    app.screen.answer(ledger_json.frozen(name, freeze, before, changed=done))
    app.screen.show(FreezeScreen(name, freeze, before, now, done=done))


@command.command("off")
@shared_options
@click.pass_obj
def off(app: App) -> None:
    """Allow changes again; needs --reason."""
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.freeze import FreezeScreen  # noqa: PLC0415

    reason, name = reason_of(app, "the end of a freeze"), app.environment.name
    done = not app.options.dry_run
    before = app.ledger.unfreeze(name, app.holder, reason) if done else app.ledger.frozen(name)
    left = None if done else before
    app.screen.answer(ledger_json.frozen(name, left, before, changed=done and before is not None))
    app.screen.show(FreezeScreen(name, None, before, app.now(), done=done))
