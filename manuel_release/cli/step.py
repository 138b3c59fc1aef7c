"""`step`: what the pipeline's builds run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli import gates
from manuel_release.cli.options import duration, shared_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.app import App
    from manuel_release.model.canary import CanaryStatus
    from manuel_release.model.canary_change import CanaryOutcome, CanaryPlan, CanaryRequest
    from manuel_release.model.deploy import DeployRequest
    from manuel_release.model.outcome import DeployOutcome
    from manuel_release.model.plan import DeployPlan
    from manuel_release.pipeline.standing import Standing

SCHEMA_VERSION = 1
_artifact = click.option(
    "--artifact", type=click.Path(path_type=Path), required=True, help="Folder of the packaged artifact."
)
_wait = click.option(
    "--wait", type=duration, default="1h", show_default=True, help="For somebody else's lease or canary to end."
)
_gate = click.option("--gate", type=click.Choice(["canary", "final"]), required=True, help="The gate before it.")
_execution = click.option("--execution", envvar="EXECUTION_ID", metavar="ID", help="Execution of the pipeline.")


@click.group("step")
@shared_options
def command() -> None:
    """Do what a build of the pipeline does.

    As `deploy` and `canary` do it, with the patience of a machine, nobody to ask, and only for the release of the
    artifact that the pipeline built. The first release of an environment serves at once; then there is nothing to
    observe or promote, and these steps say so.
    """


@command.command("deploy")
@shared_options
@_artifact
@_wait
@click.pass_obj
def deploy(app: App, artifact: Path, wait: float) -> None:
    """Deploy the artifact. What runs already, or waits at 0 % already, is success."""
    from manuel_release import flow, steps  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.plan import OutcomeScreen, PlanScreen  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    request = _request(app, artifact)

    def do() -> DeployOutcome:
        return flow.deploy(
            app,
            request,
            progress_for(app.screen),
            lambda plan: app.screen.aside(PlanScreen(plan, app.caller)),
            lambda _: True,
        )

    outcome = steps.patiently(app, do, wait, "", app.screen.say)
    app.screen.answer(as_json.deployed(outcome))
    app.screen.show(OutcomeScreen(outcome))


@command.command("change-set")
@shared_options
@_artifact
@click.option("--to", type=click.Path(path_type=Path), required=True, help="File for the JSON document.")
@click.pass_obj
def change_set(app: App, artifact: Path, to: Path) -> None:
    """Write what the artifact would change, for people who decide; nothing is changed.

    Where AWS cannot compute it now, because a canary runs or somebody deploys, the document says that instead; before
    the first release it lists the template's resources. Ends with 3 when the change would be refused until somebody
    does something about it, such as a quarantine or a freeze; the document says that too.
    """
    from manuel_release import flow, steps  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.errors import Refused  # noqa: PLC0415
    from manuel_release.view import as_json  # noqa: PLC0415
    from manuel_release.view.plan import PlanScreen  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    request = replace(_request(app, artifact), dry_run=True, details=True)
    refused: Refused | None = None

    def show(plan: DeployPlan) -> None:
        app.screen.aside(PlanScreen(plan, app.caller))

    try:
        document = steps.everything_new(app, artifact) or as_json.deployed(
            flow.deploy(app, request, progress_for(app.screen), show, lambda _: False)
        )
    except flow.PlanRefused as error:
        document, refused = as_json.refused(error, error.plan), error
    except Refused as error:
        document = {"schema_version": SCHEMA_VERSION, "not_computed": error.message, "hint": error.hint}
        if steps.in_the_way(app, "") is None:
            refused = error
        else:
            app.screen.warn(f"what would change cannot be computed now: {error.message}")
    _write(to, document)
    if refused is not None:
        raise refused
    app.screen.answer(document)
    app.screen.say(f"Wrote {to}.")


@command.command("release")
@shared_options
@_artifact
@click.pass_obj
def release(app: App, artifact: Path) -> None:
    """Print the artifact's release, for tests that must not meet another one; refused unless it serves."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast

    stands = _standing(app, artifact)
    if not stands.serves:
        raise Refused(
            f"the artifact's release does not serve {app.environment.name}: {stands.why}",
            hint="If a newer build is there, start this execution again from the start, with `manuel-release pipeline "
            "start`; `manuel-release history` says what happened.",
        )
    app.screen.answer({"schema_version": SCHEMA_VERSION, "release": stands.release})
    app.screen.verbatim(stands.release)


@command.command("canary")
@shared_options
@_artifact
@_wait
@click.pass_obj
def canary(app: App, artifact: Path, wait: float) -> None:
    """Give the artifact's release its first share of the traffic."""
    from manuel_release import canary as moves  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.pipeline.standing import Need  # noqa: PLC0415

    stands = _standing(app, artifact)
    if stands.need in {Need.NOTHING, Need.JUDGEMENT}:
        _nothing(app, stands)
        return
    _move(app, moves.start, stands, wait)


@command.command("observe")
@shared_options
@_artifact
@click.option("--for", "seconds", type=duration, help="Instead of the settings' canary_observe_seconds.")
@click.option("--result", type=click.Path(path_type=Path), help="File for what was observed, as JSON.")
@click.pass_obj
def observe(app: App, artifact: Path, seconds: float | None, result: Path | None) -> None:
    """Observe the artifact's release to the end of its step.

    A bad one is rolled back, which ends with 5. One that is neither good nor bad when its time is over is left to the
    people at the gate; promoting it is refused until it is good.
    """
    from manuel_release import observing, steps  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.errors import Refused  # noqa: PLC0415
    from manuel_release.pipeline.standing import Need  # noqa: PLC0415
    from manuel_release.view import canary_json  # noqa: PLC0415
    from manuel_release.view.canary_change import ObservedScreen  # noqa: PLC0415
    from manuel_release.view.canary_change_json import observed  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415
    from manuel_release.view.watch import WatchScreen  # noqa: PLC0415

    stands = _standing(app, artifact)
    if stands.need is Need.NOTHING:
        _write(result, _nothing(app, stands))
        return
    if stands.need is not Need.JUDGEMENT:
        raise Refused(f"there is nothing to observe: {stands.why}", hint="`manuel-release history` says what happened.")
    if seconds is not None:
        app.settings = replace(app.settings, canary_observe_seconds=(seconds,) * len(app.settings.canary_steps))
    last: list[CanaryStatus] = []
    with WatchScreen(app.screen) as screen:

        def look(status: CanaryStatus) -> None:
            last[:] = [status]
            screen.look(status)

        end = observing.observe(app, look, screen.warn, progress_for(app.screen), stands.release)
        screen.line(observed(end))
    _write(result, {**observed(end), "canary": canary_json.canary(last[0]) if last else None})
    app.screen.show(ObservedScreen(end))
    if end.exit_code and not steps.undecided(app, end):
        raise click.exceptions.Exit(end.exit_code)
    if end.exit_code:
        app.screen.warn("nothing is decided; people at the gate may extend the observation, or go back")


@command.command("promote")
@shared_options
@click.argument("percent", type=click.FloatRange(0, 100, min_open=True))
@_artifact
@_gate
@_execution
@_wait
@click.pass_obj
def promote(app: App, /, percent: float, *, artifact: Path, gate: str, execution: str | None, wait: float) -> None:
    """Give the artifact's release PERCENT of the traffic, or what the gate before it chose instead."""
    from manuel_release import canary as moves  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.pipeline.standing import Need  # noqa: PLC0415

    _, share = gates.held(app, gate, execution, artifact, percent)
    stands = _standing(app, artifact)
    if stands.need is Need.NOTHING:
        _nothing(app, stands)
        return
    if share != percent:
        app.screen.say(f"The gate {gate} chose {share:g} % instead of {percent:g} %.")
    _move(app, moves.promote, stands, wait, percent=share, allow_step=share != percent)


def _request(app: App, artifact: Path) -> DeployRequest:
    from manuel_release.model.deploy import DeployRequest  # noqa: PLC0415 - `--help` stays fast

    return DeployRequest(artifact=artifact, reason=app.options.reason, timeout=app.options.timeout)


def _standing(app: App, artifact: Path) -> Standing:
    from manuel_release import steps  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.artifact import packaging  # noqa: PLC0415

    return steps.standing_of(app, packaging.read(artifact).code_digest)


def _nothing(app: App, stands: Standing) -> dict[str, Any]:
    """Say that there is nothing to do; the answer."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "release": stands.release,
        "status": "nothing_to_do",
        "message": stands.why,
    }
    app.screen.answer(document)
    app.screen.say(f"Nothing to do: {stands.why}.")
    return document


def _write(path: Path | None, document: dict[str, Any]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _move(app: App, do: Callable[..., CanaryOutcome], stands: Standing, wait: float, **given: Any) -> None:
    from manuel_release import steps  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.model.canary_change import CanaryRequest  # noqa: PLC0415
    from manuel_release.view.canary_change import ChangedScreen, ChangeScreen  # noqa: PLC0415
    from manuel_release.view.canary_change_json import changed  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415

    request: CanaryRequest = CanaryRequest(release=stands.release, reason=app.options.reason, **given)

    def show(plan: CanaryPlan) -> None:
        app.screen.aside(ChangeScreen(plan, app.caller))

    outcome = steps.patiently(
        app,
        lambda: do(app, request, progress_for(app.screen), show, lambda _: True),
        wait,
        stands.release,
        app.screen.say,
    )
    for note in outcome.notes:
        app.screen.warn(note)
    app.screen.answer(changed(outcome))
    app.screen.show(ChangedScreen(outcome))
