"""`rehearse`: the whole pipeline here, on an AWS of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli.options import shared_options
from manuel_release.rehearsal import faults

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.rehearsal.script import Script


@click.command("rehearse")
@shared_options
@click.option("--quick", is_flag=True, help="Only the good day, from push to 100 %.")
@click.option("--full", is_flag=True, help="Whole test suites instead of their smoke profiles; takes much longer.")
@click.option("--fail-at", metavar="STAGE", help="Only the bad day, which goes wrong in this stage.")
@click.option("--fault", type=click.Choice(faults.KINDS), help="Only the bad day, on which this goes wrong.")
@click.option("--approve", is_flag=True, help="Have people of the rehearsal decide at the gates.")
@click.option("--keep", is_flag=True, help="Leave the embedded AWS running, and the copies and logs.")
@click.option("--resume", is_flag=True, help="Go on with the one that was interrupted; it must have had --keep.")
@click.pass_obj
def command(app: App, /, *, resume: bool, **given: Any) -> None:
    """Run the whole pipeline here, on an AWS of its own.

    The working tree goes to three environments of an embedded AWS. A push then goes through every stage of
    pipeline.yaml, under real HTTP traffic, with its gates, canary and tests; a bad release is taken back, and at the
    end one is rolled back by hand. Needs no AWS account.

    \b
    manuel-release rehearse --approve
    manuel-release rehearse --approve --fail-at DeployCanary --fault observer
    manuel-release rehearse --resume
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.artifact import source  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.errors import Refused  # noqa: PLC0415
    from manuel_release.rehearsal import stamp  # noqa: PLC0415
    from manuel_release.rehearsal.run import Rehearser  # noqa: PLC0415
    from manuel_release.rehearsal.script import interrupted  # noqa: PLC0415
    from manuel_release.view import rehearsal as view  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    state = app.root / ".manuel"
    if resume:
        if any(value for name, value in given.items() if name != "approve"):  # `make rehearse` always passes it
            raise click.UsageError("--resume goes on with what was begun; it takes no other option of `rehearse`.")
        begun = interrupted(state)
        if source.commit(app.root) != begun.commit:
            raise Refused(
                f"the rehearsal was begun with {begun.commit or 'no commit'}, and something else is checked out now",
                hint="Check that out, or end it with `manuel-release cloud down` and begin anew.",
            )
        folder, script, commit, endpoint = begun.folder, begun.script, begun.commit, begun.cloud.endpoint
        region = begun.cloud.region
    else:
        region = app.options.region or app.settings.region
        folder = state / "rehearsals" / app.now().strftime("%Y%m%d-%H%M%S-%f")
        script, commit, endpoint = _script(**given), source.commit(app.root), ""
    done = Rehearser(
        app.root, folder, region, progress_for(app.screen), app.screen.line, script, commit, endpoint
    ).run()
    stamped = stamp.put(app.root, script.days, app.now()) if done.ok and source.commit(app.root) == commit else ""
    app.screen.answer(view.as_json(done))
    app.screen.show(view.RehearsalScreen(done))
    if stamped:
        app.screen.say(f"Commit {stamped[:12]} has its stamp: {', '.join(script.days)}.")
    if not done.ok:
        raise click.exceptions.Exit(1)


def _script(*, quick: bool, full: bool, keep: bool, approve: bool, **bad: str | None) -> Script:
    from manuel_release.rehearsal.script import Script  # noqa: PLC0415 - `--help` stays fast

    asked = bad["fault"] is not None or bad["fail_at"] is not None
    if asked and quick:
        raise click.UsageError("--quick is the good day; leave it out to rehearse a fault.")
    usual = faults.chosen("errors", None)
    return Script(
        bad=faults.chosen(bad["fault"], bad["fail_at"]) if asked else (None if quick else usual),
        good=not asked,
        by_hand=not asked and not quick,
        full=full,
        approve=approve,
        keep=keep,
    )
