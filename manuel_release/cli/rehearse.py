"""`rehearse`: a release here, on an AWS of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App


@click.command("rehearse")
@shared_options
@click.option("--keep", is_flag=True, help="Keep the copies and logs of the rehearsal.")
@click.pass_obj
def command(app: App, keep: bool) -> None:
    """Run a release here, on an AWS of its own.

    Deploys the working tree to dev, staging and production of an embedded AWS, uses it as a signed-in user over HTTP,
    replaces it in dev under traffic, and says what happened. Needs no AWS account.
    """
    from manuel_release.rehearsal.run import Rehearser  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import rehearsal as view  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    folder = app.root / ".manuel" / "rehearsals" / app.now().strftime("%Y%m%d-%H%M%S-%f")
    folder.mkdir(parents=True)
    region = app.options.region or app.settings.region
    rehearsal = Rehearser(app.root, folder, region, progress_for(app.screen)).run(keep=keep)
    app.screen.answer(view.as_json(rehearsal))
    app.screen.show(view.RehearsalScreen(rehearsal))
    if not rehearsal.ok:
        raise click.exceptions.Exit(1)
