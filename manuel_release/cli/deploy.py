"""`deploy`: bring a release to an environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.deploy import DeployRequest
    from manuel_release.model.options import GlobalOptions
    from manuel_release.model.plan import DeployPlan


@click.command("deploy")
@shared_options
@click.option("--artifact", type=click.Path(path_type=Path), help="Folder of a packaged artifact, instead of a build.")
@click.option("--parameters", type=click.Path(path_type=Path), help="Parameter file, instead of the environment's own.")
@click.option("--no-build", is_flag=True, help="Take the last build as it is.")
@click.option("--details", is_flag=True, help="Show the values of properties before and after, where AWS gives them.")
@click.option("--override-shared", metavar="REASON", default="", help="Allow shared changes that are not additive.")
@click.option("--attach", is_flag=True, help="Only follow the deploy that runs in the environment, to its end.")
@click.pass_obj
def command(app: App, /, attach: bool, **given: Any) -> None:
    """Deploy a release to an environment.

    Builds, shows what would change, asks (in production), updates the stack, publishes versions and the release's
    aliases, and tests them by direct invocation. In dev and staging CodeDeploy then moves all traffic; in production
    the release is held at 0 %.

    Run again after it was interrupted or timed out, it goes on with the same release, from another machine too.

    \b
    manuel-release deploy --env staging
    manuel-release deploy --env production --reason "faster answers"
    manuel-release deploy --env production --attach
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release import attach as watching  # noqa: PLC0415 - `--help` stays fast
    from manuel_release import flow  # noqa: PLC0415
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.plan import OutcomeScreen, PlanScreen  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    screen, asked = app.screen, app.options
    request = _request(asked, attach, **given)

    def show(plan: DeployPlan) -> None:
        draw = screen.show if asked.dry_run else screen.aside  # a dry run's answer is the plan
        draw(PlanScreen(plan, app.caller, every=request.details))

    def agree(plan: DeployPlan) -> bool:
        return asked.yes or not app.environment.asks or screen.ask(f"Deploy {plan.release} to {plan.environment}?")

    progress = progress_for(screen)
    try:
        if attach:
            outcome = watching.attach(app, progress, asked.timeout)
        else:
            outcome = flow.deploy(app, request, progress, show, agree)
    except flow.PlanRefused as refused:
        if not screen.json_output:
            raise
        screen.answer(as_json.refused(refused, refused.plan))
        raise click.exceptions.Exit(refused.exit_code) from refused
    screen.answer(as_json.deployed(outcome))
    screen.show(OutcomeScreen(outcome))


def _request(asked: GlobalOptions, attach: bool, **given: Any) -> DeployRequest:
    from manuel_release.model.deploy import DeployRequest  # noqa: PLC0415

    more = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if attach and (more or asked.dry_run):
        raise click.UsageError(f"--attach changes nothing, so {more[0] if more else '--dry-run'} means nothing to it.")
    if given["override_shared"] and not given["override_shared"].strip():
        raise click.UsageError("--override-shared needs a reason; it is kept in the ledger.")
    details = given.pop("details") or asked.verbose
    return DeployRequest(**given, reason=asked.reason, dry_run=asked.dry_run, details=details, timeout=asked.timeout)
