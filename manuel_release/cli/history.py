"""`history`: the releases of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App

MOST = 20


@click.command("history")
@shared_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=MOST, show_default=True, help="How many releases, newest first."
)
@click.pass_obj
def command(app: App, limit: int) -> None:
    """List releases, newest first.

    What became of each, when, who and why; of every environment, or of the one that --env names.
    """
    from manuel_release.record.history import releases  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.history import HistoryScreen  # noqa: PLC0415

    found = [
        release for one in app.environments for release in releases(app.ledger.entries(one.name, None, limit=None))
    ]
    found.sort(key=lambda release: release.started_at, reverse=True)
    shown = tuple(found[:limit])
    app.screen.answer(as_json.history(shown))
    app.screen.show(HistoryScreen(shown, app.now(), more=len(found) - len(shown)))
