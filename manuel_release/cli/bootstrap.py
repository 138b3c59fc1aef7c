"""`bootstrap`: what an account needs before its first release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App


@click.command("bootstrap")
@shared_options
@click.pass_obj
def command(app: App) -> None:
    """Make the ledger, the artifact bucket and the settings of this account.

    Deploys operations.yaml as the stack manuel-operations, with its functions, and writes the settings file to SSM.
    Safe to run again: it changes only what differs. The first time it asks twice, because the functions lie in a bucket
    that the stack makes.
    """
    from manuel_release.bootstrap import bootstrap  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import bootstrap as view  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    screen = app.screen
    outcome = bootstrap(
        app,
        progress_for(screen),
        show=lambda found: screen.aside(view.ChangesScreen(found, app.caller)),
        agree=lambda found: app.options.yes or screen.ask(f"Change the stack {found.stack}?"),
    )
    screen.answer(view.as_json(outcome))
    screen.show(view.OutcomeScreen(outcome))
