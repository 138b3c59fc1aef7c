"""`doctor`: what is wrong with this machine, the account and the environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App


@click.command("doctor")
@shared_options
@click.pass_obj
def command(app: App) -> None:
    """Check this machine, the account and the environments.

    Tools, settings, template and parameter files; credentials, region, clock and what bootstrap made; and for each
    environment, or the one that --env names, its stack, aliases, public URL and drift. Without credentials the checks
    of this machine run all the same. --timeout is how long drift detection is waited for (90s).

    Changes nothing. Ends with 0 when no check is an error, with 4 when credentials, permissions, settings or tools are
    all that is wrong, and with 1 otherwise.
    """
    from manuel_release.doctor.run import examine  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import doctor as view  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    report = examine(app, progress_for(app.screen))
    app.screen.answer(view.as_json(report))
    app.screen.show(view.ReportScreen(report))
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)
