"""`bootstrap`: what an account needs before its first release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App


_PARAMETERS = {
    "repository": "RepositoryId",
    "branch": "BranchName",
    "connection": "ConnectionId",
    "mirror": "MirrorToCodeCommit",
}
"""Option -> parameter of pipeline.yaml."""


def _text(value: str | bool) -> str:  # as CloudFormation writes booleans
    return str(value).lower() if isinstance(value, bool) else value


@click.command("bootstrap")
@shared_options
@click.option("--repository", metavar="OWNER/NAME", help="Repository on GitHub; makes the pipeline that releases it.")
@click.option("--branch", help="The branch whose pushes are released; main by default.")
@click.option("--connection", metavar="ID", help="Connection to GitHub that is there already.")
@click.option("--mirror/--no-mirror", default=None, help="Copy every push to CodeCommit, too.")
@click.pass_obj
def command(app: App, /, **given: str | bool | None) -> None:
    """Make the ledger, the artifact bucket, the settings and the pipeline of this account.

    Deploys operations.yaml as the stack manuel-operations, with its functions, and writes the settings file to SSM.
    Safe to run again: it changes only what differs. The first time it asks twice, because the functions lie in a bucket
    that the stack makes.

    With --repository, pipeline.yaml is deployed as the stack manuel-pipeline; from then on every bootstrap updates it,
    and what is not given stays as it is. Without --connection it makes a connection to GitHub, which somebody has to
    complete in the console: Developer Tools, Settings, Connections.

    \b
    manuel-release bootstrap
    manuel-release bootstrap --repository manuel/manuel-backend
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.bootstrap import bootstrap  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import bootstrap as view  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    screen = app.screen
    outcome = bootstrap(
        app,
        progress_for(screen),
        show=lambda found: screen.aside(view.ChangesScreen(found, app.caller)),
        agree=lambda found: app.options.yes or screen.ask(f"Change the stack {found.stack}?"),
        pipeline={_PARAMETERS[name]: _text(value) for name, value in given.items() if value is not None},
    )
    screen.answer(view.as_json(outcome))
    screen.show(view.OutcomeScreen(outcome))
