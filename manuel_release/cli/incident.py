"""`incident`: rollbacks, for the people who look into them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.entry import Incident

MOST = 20


@click.group("incident")
@shared_options
def command() -> None:
    """List rollbacks, look into one, and write down what was learnt."""


@command.command("list")
@shared_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=MOST, show_default=True, help="How many incidents, newest first."
)
@click.pass_obj
def list_(app: App, limit: int) -> None:
    """List the incidents, newest first.

    Of every environment, or of the one that --env names.
    """
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.incident import IncidentsScreen  # noqa: PLC0415

    named = app.options.environment
    found = app.ledger.incidents(None if named is None else app.environment.name)
    shown = found[:limit]
    app.screen.answer(ledger_json.incidents(shown))
    app.screen.show(IncidentsScreen(shown, app.now(), more=len(found) - len(shown)))


@command.command("show")
@shared_options
@click.argument("incident_id", metavar="ID")
@click.pass_obj
def show(app: App, incident_id: str) -> None:
    """Show one incident: what began it, the receipt of its rollback, and the notes."""
    _tell(app, _found(app.ledger.incident(incident_id), incident_id))


@command.command("note")
@shared_options
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@click.pass_obj
def note(app: App, incident_id: str, text: str) -> None:
    """Write down what was learnt about an incident; nothing is ever taken away.

    \b
    manuel-release incident note i-20261123-0600-1f3a "the connection pool was too small"
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.errors import UsageError  # noqa: PLC0415 - `--help` stays fast

    if not text.strip():
        raise UsageError("the note is empty", hint='`manuel-release incident note ID "WHAT WAS LEARNT"`')
    ledger, dry = app.ledger, app.options.dry_run
    known = ledger.incident(incident_id) if dry else ledger.note(incident_id, app.holder, text.strip())
    if dry:
        app.screen.say("Dry run: nothing was written.")
    _tell(app, _found(known, incident_id))


def _found(incident: Incident | None, incident_id: str) -> Incident:
    """The incident; raises UsageError when there is none."""
    from manuel_release.errors import UsageError  # noqa: PLC0415 - `--help` stays fast

    if incident is None:
        raise UsageError(f"there is no incident {incident_id}", hint="`manuel-release incident list` lists them.")
    return incident


def _tell(app: App, incident: Incident) -> None:
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.incident import IncidentScreen  # noqa: PLC0415

    app.screen.answer(ledger_json.incident(incident))
    app.screen.show(IncidentScreen(incident, app.now()))
