"""`lease`: who is changing an environment, and taking that over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import duration, shared_options
from manuel_release.cli.reason import reason_of

if TYPE_CHECKING:
    from manuel_release.app import App


@click.group("lease")
@shared_options
def command() -> None:
    """See who is changing an environment, and take that over."""


@command.command("show")
@shared_options
@click.pass_obj
def show(app: App) -> None:
    """Show who is changing what, since when, why and until when.

    Of every environment, or of the one that --env names.
    """
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.lease import LeasesScreen  # noqa: PLC0415

    found = tuple(lease for one in app.environments for lease in app.ledger.leases(one.name))
    app.screen.answer(ledger_json.leases(found))
    app.screen.show(LeasesScreen(found, tuple(one.name for one in app.environments), app.now()))


@command.command("take")
@shared_options
@click.option("--api-stage", metavar="STAGE", help="Of the API, such as v1; the one that is in use when left out.")
@click.option(
    "--for",
    "seconds",
    type=duration,
    default="15m",
    metavar="DURATION",
    help="How long your next command may take to begin.",
    show_default=True,
)
@click.pass_obj
def take(app: App, api_stage: str | None, seconds: float) -> None:
    """Take the lease from whoever has it; needs --reason.

    For when its process died or does harm. Whoever had it is refused at its next step, and what AWS does for it goes on
    by itself. Your next command (the same principal, user and machine) uses the lease up.
    """
    import os  # noqa: PLC0415 - `--help` stays fast
    import secrets  # noqa: PLC0415

    from manuel_release.lease import TOKEN_VARIABLE  # noqa: PLC0415
    from manuel_release.view import ledger_json  # noqa: PLC0415
    from manuel_release.view.lease import TakenScreen  # noqa: PLC0415

    reason, name, ledger, now = reason_of(app, "taking a lease over"), app.environment.name, app.ledger, app.now()
    stage = _api_stage(app, name, api_stage)
    there = ledger.lease(name, stage)
    if app.options.dry_run:
        app.screen.answer(ledger_json.taken(None, there))
        app.screen.show(TakenScreen(name, None, there, now))
        return
    if there is not None and not app.options.yes:
        app.screen.aside(TakenScreen(name, None, there, now))
        if not app.screen.ask(f"Take the lease on {name} ({stage}) from {there.holder}?"):
            app.screen.answer(ledger_json.taken(None, there))
            return
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_hex(8)
    new, old = ledger.take(name, stage, app.holder, reason, seconds, token, reserve=True)
    app.screen.answer(ledger_json.taken(new, old))
    app.screen.show(TakenScreen(name, new, old, now))


def _api_stage(app: App, name: str, asked: str | None) -> str:
    """The API stage that is meant; raises UsageError when several could be, or none is known."""
    from manuel_release.errors import UsageError  # noqa: PLC0415 - `--help` stays fast

    if asked:
        return asked
    leased = {lease.api_stage for lease in app.ledger.leases(name)}
    if not leased:
        leased = {entry.api_stage for entry in app.ledger.entries(name, limit=1)} - {""}
    if len(leased) == 1:
        return leased.pop()
    why = f"leases are held on {', '.join(sorted(leased))}" if leased else f"nothing was ever changed in {name}"
    raise UsageError(f"which API stage is not clear: {why}", hint="Name it with --api-stage, such as v1.")
