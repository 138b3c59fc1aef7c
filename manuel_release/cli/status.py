"""`status`: what runs where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.record.ledger import Ledger


@click.command("status")
@shared_options
@click.pass_obj
def command(app: App) -> None:
    """Show what runs where, and what needs a person.

    Every environment, or the one that --env names: the release that serves, a canary, alarms that ring, who is changing
    it now, and releases that were begun and never finished, with the command that finishes them.
    """
    from manuel_release.observe.status import observe_status  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.status import StatusScreen  # noqa: PLC0415

    environments, now = app.environments, app.now()  # a wrong name is said before AWS is asked for anything
    ledger = _ledger(app)
    found = tuple(observe_status(app.aws, ledger, one, now) for one in environments)
    app.screen.answer(as_json.status(found))
    app.screen.show(StatusScreen(found, now))


def _ledger(app: App) -> Ledger | None:
    """The ledger; None before the first bootstrap, when AWS can be asked all the same."""
    from manuel_release.errors import SettingsError  # noqa: PLC0415

    try:
        return app.ledger
    except SettingsError as error:
        app.screen.warn(f"{error.message}. {error.hint}".strip())
        return None
