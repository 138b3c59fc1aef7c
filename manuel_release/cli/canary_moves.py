"""`canary start`, `promote`, `extend` and `abort`: what changes the traffic, or who looks at it for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli.options import duration, settle_environment, shared_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.app import App
    from manuel_release.model.canary_change import CanaryOutcome, CanaryPlan, CanaryRequest

PERCENT = click.FloatRange(0, 100, min_open=True)


@click.command("start")
@shared_options
@click.option("--release", metavar="RELEASE", help="Such as r-13; the one that was deployed last, by default.")
@click.option("--percent", type=PERCENT, help="Of the requests; the settings' first step, by default.")
@click.option("--allow-step", is_flag=True, help="Allow a share that is not the next step.")
@click.pass_obj
def start(app: App, /, **given: Any) -> None:
    """Give a deployed release its first share of the traffic.

    One call of AWS sends 10 % of the requests to it. Whoever starts a canary has it observed: a canary that nobody
    observes is taken back.

    \b
    manuel-release canary start
    manuel-release canary start --release r-13 --reason "faster answers"
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release import canary  # noqa: PLC0415 - `--help` stays fast

    _change(app, canary.start, _request(app, **given))


@click.command("promote")
@shared_options
@click.argument("percent", type=PERCENT, required=False)
@click.option("--override", metavar="REASON", default="", help="Go on without the verdict; needs the on-call role.")
@click.option("--allow-step", is_flag=True, help="Allow a share that is not the next step.")
@click.pass_obj
def promote(app: App, /, **given: Any) -> None:
    """Give the canary its next share, or all requests.

    PERCENT is the next step (50, then 100) and may be left out. It is refused unless the verdict on the canary is good
    and a rollback would find what it needs.

    To 100 %, CodeDeploy moves the functions' alias `live` in two steps, with the release's alarms; when one deployment
    fails, everything is rolled back. Run again after it was interrupted, it goes on.

    \b
    manuel-release canary promote 50
    manuel-release canary promote 100 --yes
    """  # noqa: D301
    from manuel_release import canary  # noqa: PLC0415 - `--help` stays fast

    if given["override"] and not given["override"].strip():
        raise click.UsageError("--override needs a reason; it is kept in the ledger.")
    _change(app, canary.promote, _request(app, **given))


@click.command("extend")
@shared_options
@click.argument("time", type=duration, metavar="DURATION")
@click.pass_obj
def extend(app: App, /, time: float) -> None:
    """Have the present step observed longer: 90s, 15m, 2h.

    `canary watch --observe` takes it up at its next look. The traffic stays as it is.
    """
    from manuel_release import canary  # noqa: PLC0415 - `--help` stays fast

    _tell(app, canary.extend(app, _request(app), time))


@click.command("abort")
@shared_options
@click.option("--release", metavar="RELEASE", help="Refused when the canary is another one.")
@click.pass_obj
def abort(app: App, /, **given: Any) -> None:
    """End the canary without blaming its release.

    All requests get the stable release, and the other one waits at 0 % again. `rollback` also ends it, and keeps its
    code from being released again.
    """
    from manuel_release import canary  # noqa: PLC0415 - `--help` stays fast

    _change(app, canary.abort, _request(app, **given))


def _request(app: App, **given: Any) -> CanaryRequest:
    from manuel_release.model.canary_change import CanaryRequest  # noqa: PLC0415 - `--help` stays fast

    settle_environment(app)
    return CanaryRequest(**given, reason=app.options.reason or "", dry_run=app.options.dry_run)


def _change(app: App, do: Callable[..., CanaryOutcome], request: CanaryRequest) -> None:
    from manuel_release.view.canary_change import QUESTION, ChangeScreen  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    screen = app.screen

    def show(plan: CanaryPlan) -> None:
        draw = screen.show if request.dry_run else screen.aside  # a dry run's answer is the plan
        draw(ChangeScreen(plan, app.caller))

    def agree(plan: CanaryPlan) -> bool:
        return app.options.yes or not app.environment.asks or screen.ask(QUESTION[plan.move].format(plan=plan))

    _tell(app, do(app, request, progress_for(screen), show, agree))


def _tell(app: App, outcome: CanaryOutcome) -> None:
    from manuel_release.view.canary_change import ChangedScreen  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.canary_change_json import changed  # noqa: PLC0415

    for note in outcome.notes:
        app.screen.warn(note)
    app.screen.answer(changed(outcome))
    app.screen.show(ChangedScreen(outcome))
