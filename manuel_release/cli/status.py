"""`status`: what runs where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.status import EnvironmentStatus
    from manuel_release.record.ledger import Ledger


@click.command("status")
@shared_options
@click.pass_obj
def command(app: App) -> None:
    """Show what runs where, and what needs a person.

    Every environment, or the one that --env names: the release that serves, a canary, alarms that ring, who is changing
    it now, and releases that were begun and never finished, with the command that finishes them.
    """
    from manuel_release.observe import location as locations  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.observe.status import observe_status  # noqa: PLC0415
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.status import StatusScreen  # noqa: PLC0415

    environments, now = app.environments, app.now()  # a wrong name is said before AWS is asked for anything
    ledger = _ledger(app)
    found = tuple(_gated(app, observe_status(app.aws, ledger, one, now)) for one in environments)
    for environment, status in zip(environments, found, strict=True):
        where = locations.in_outputs(status.found)
        if where is not None:
            locations.remember(app.memory, environment, where)
    app.screen.answer(as_json.status(found))
    app.screen.show(StatusScreen(found, now))


def _gated(app: App, status: EnvironmentStatus) -> EnvironmentStatus:
    """The status with what the pipeline's gates wait for, where they are this environment's; raises nothing of AWS's.

    An account without a pipeline has none that could wait, and one that cannot be asked is a note.
    """
    from dataclasses import replace  # noqa: PLC0415 - `--help` stays fast

    from manuel_release.cli.gates import ENVIRONMENT  # noqa: PLC0415
    from manuel_release.errors import ReleaseError  # noqa: PLC0415
    from manuel_release.plan.approval import pending  # noqa: PLC0415
    from manuel_release.settings import PIPELINE_PARAMETER  # noqa: PLC0415

    if status.name != ENVIRONMENT:
        return status
    try:
        name = app.aws.parameters.get(PIPELINE_PARAMETER)
        waiting = pending(app.aws.pipelines.state(name)) if name else ()
    except ReleaseError as error:
        return replace(status, approvals_note=f"pending approvals are not known: {error.message}")
    return replace(status, pending_approvals=tuple(f"{one.gate.stage}/{one.action}" for one in waiting))


def _ledger(app: App) -> Ledger | None:
    """The ledger; None before the first bootstrap, when AWS can be asked all the same."""
    from manuel_release.errors import SettingsError  # noqa: PLC0415

    try:
        return app.ledger
    except SettingsError as error:
        app.screen.warn(f"{error.message}. {error.hint}".strip())
        return None
