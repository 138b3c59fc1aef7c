"""`deploy`: bring a release to an environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.plan import DeployPlan


@click.command("deploy")
@shared_options
@click.option("--artifact", type=click.Path(path_type=Path), help="Folder of a packaged artifact, instead of a build.")
@click.option("--parameters", type=click.Path(path_type=Path), help="Parameter file, instead of the environment's own.")
@click.option("--no-build", is_flag=True, help="Take the last build as it is.")
@click.pass_obj
def command(app: App, artifact: Path | None, parameters: Path | None, no_build: bool) -> None:
    """Deploy a release to an environment.

    Builds, shows what would change, asks (in production), updates the stack, publishes versions and the release's
    aliases, and tests them by direct invocation. In dev and staging CodeDeploy then moves all traffic; in production
    the release is held at 0 %.

    \b
    manuel-release deploy --env staging
    manuel-release deploy --env production --reason "faster answers"
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release import flow  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.model.deploy import DeployRequest  # noqa: PLC0415
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.plan import OutcomeScreen, PlanScreen  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    screen, asked = app.screen, app.options
    request = DeployRequest(artifact, parameters, no_build, asked.reason, asked.dry_run)

    def show(plan: DeployPlan) -> None:
        draw = screen.show if asked.dry_run else screen.aside  # a dry run's answer is the plan
        draw(PlanScreen(plan, app.caller, every=asked.verbose))

    def agree(plan: DeployPlan) -> bool:
        return asked.yes or not app.environment.asks or screen.ask(f"Deploy {plan.release} to {plan.environment}?")

    outcome = flow.deploy(app, request, progress_for(screen), show, agree)
    screen.answer(as_json.deployed(outcome))
    screen.show(OutcomeScreen(outcome))
