"""`pipeline`: its files checked and drawn, and the pipeline itself watched and steered."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from manuel_release.cli import gates
from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.pipeline import PipelineState, StageState


@click.group("pipeline")
@shared_options
def command() -> None:
    """Check, draw, watch and steer the pipeline."""


@command.command("validate")
@shared_options
@click.pass_obj
def validate(app: App) -> None:
    """Check pipeline.yaml, the buildspecs and the Makefile against each other, offline.

    Ends with 0 when nothing is wrong and with 1 otherwise.
    """
    from manuel_release.pipeline.load import load  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.pipeline.validate import validate as checked  # noqa: PLC0415
    from manuel_release.view import pipeline_json  # noqa: PLC0415
    from manuel_release.view.pipeline import FindingsScreen  # noqa: PLC0415

    delivery = load(app.root)
    found = checked(delivery)
    app.screen.answer(pipeline_json.findings(found))
    app.screen.show(FindingsScreen(found, delivery.file))
    if found:
        raise click.exceptions.Exit(1)


@command.command("diagram")
@shared_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid"]),
    default="text",
    show_default=True,
    help="For a terminal, or as a Mermaid flowchart.",
)
@click.pass_obj
def diagram(app: App, form: str) -> None:
    """Draw the pipeline as pipeline.yaml declares it."""
    from manuel_release.pipeline.load import load  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import pipeline_json  # noqa: PLC0415
    from manuel_release.view.pipeline import DiagramScreen, mermaid  # noqa: PLC0415

    found = load(app.root).pipeline
    app.screen.answer(pipeline_json.declared(found))
    if form == "mermaid":
        app.screen.verbatim(mermaid(found))
    else:
        app.screen.show(DiagramScreen(found))


@command.command("status")
@shared_options
@click.pass_obj
def status(app: App) -> None:
    """Show which execution is where, what failed, and what waits for a person."""
    from manuel_release.view import pipeline_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.pipeline import PipelineScreen  # noqa: PLC0415

    found = _state(app)
    app.screen.answer(pipeline_json.state(found))
    app.screen.show(PipelineScreen(found, app.now()))


@command.command("start")
@shared_options
@click.option("--hotfix", is_flag=True, help="Reject what waits for a person first, so that it is not waited for.")
@click.pass_obj
def start(app: App, hotfix: bool) -> None:
    """Start an execution with the newest commit.

    With --hotfix and --reason, approvals that wait are rejected and their executions stopped: the queue moves on, and a
    canary that waited is taken back by the guard.
    """
    from manuel_release.view import pipeline_json  # noqa: PLC0415 - `--help` stays fast

    if hotfix and not app.options.reason.strip():
        raise click.UsageError("--hotfix needs --reason; whoever waited for the approval reads it.")
    state = _state(app)
    waiting = [stage for stage in state.stages if any(action.waits for action in stage.actions)] if hotfix else []
    stopped = [stage.execution_id for stage in waiting]
    if not gates.agreed(app, f"Start {state.name}" + (f" and stop {', '.join(stopped)}?" if stopped else "?")):
        app.screen.answer(pipeline_json.done(state.name, "planned", stopped=stopped))
        return
    for stage in waiting:
        _supersede(app, state, stage)
    variables = {"Reason": app.options.reason} if app.options.reason else {}
    execution = app.aws.pipelines.start(state.name, variables, secrets.token_hex(16))
    app.screen.answer(pipeline_json.done(state.name, "started", execution, stopped=stopped))
    app.screen.say(f"Started {execution}; `manuel-release pipeline status` follows it.")


def _supersede(app: App, state: PipelineState, stage: StageState) -> None:
    """Reject what waits in a stage and stop its execution; somebody else may have decided meanwhile."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast

    summary = f"superseded by a hotfix: {app.options.reason}"
    app.aws.pipelines.stop(state.name, stage.execution_id, summary)
    for action in stage.actions:
        if not action.waits:
            continue
        try:
            app.aws.pipelines.decide(
                state.name, stage.name, action.name, approved=False, summary=summary, token=action.token
            )
        except Refused as error:
            app.screen.warn(error.message)


@command.command("stop")
@shared_options
@click.option("--abandon", is_flag=True, help="Do not wait for the actions that run; what they do is not undone.")
@click.pass_obj
def stop(app: App, abandon: bool) -> None:
    """Stop what runs; needs --reason.

    What was done stays done: traffic that moved stays where it is until `rollback`.
    """
    from manuel_release.model.pipeline import ExecutionStatus  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import pipeline_json  # noqa: PLC0415

    reason = _reason(app)
    state = _state(app)
    running = {
        one.execution_id for one in state.stages if one.execution_id and one.status is ExecutionStatus.IN_PROGRESS
    }
    if not running:
        app.screen.answer(pipeline_json.done(state.name, "nothing to do"))
        app.screen.say(f"Nothing runs in {state.name}.")
        return
    if not gates.agreed(app, f"Stop {', '.join(sorted(running))}?"):
        app.screen.answer(pipeline_json.done(state.name, "planned", stopped=sorted(running)))
        return
    for execution in sorted(running):
        app.aws.pipelines.stop(state.name, execution, reason, abandon=abandon)
    app.screen.answer(pipeline_json.done(state.name, "stopped", stopped=sorted(running)))
    app.screen.say(f"Stopping {', '.join(sorted(running))}.")


@command.command("retry")
@shared_options
@click.argument("stage")
@click.option("--all", "every", is_flag=True, help="Run every action of the stage again, not only those that failed.")
@click.pass_obj
def retry(app: App, stage: str, every: bool) -> None:
    """Run a failed stage again, with the same artifacts."""
    from manuel_release.view import pipeline_json  # noqa: PLC0415 - `--help` stays fast

    state = _state(app)
    found = _stage(state, stage)
    if not gates.agreed(app, f"Run {stage} of {found.execution_id} again?"):
        app.screen.answer(pipeline_json.done(state.name, "planned", found.execution_id, stage))
        return
    execution = app.aws.pipelines.retry(state.name, stage, found.execution_id, every=every)
    app.screen.answer(pipeline_json.done(state.name, "retried", execution, stage))
    app.screen.say(f"{stage} of {execution} runs again.")


@command.command("pause")
@shared_options
@click.argument("stage")
@click.pass_obj
def pause(app: App, stage: str) -> None:
    """Let nothing enter a stage; needs --reason. What is in it goes on."""
    from manuel_release.view import pipeline_json  # noqa: PLC0415 - `--help` stays fast

    reason = _reason(app)
    state = _state(app)
    _stage(state, stage)
    if gates.agreed(app, f"Let nothing enter {stage}?"):
        app.aws.pipelines.pause(state.name, stage, reason)
        app.screen.answer(pipeline_json.done(state.name, "paused", stage=stage))
        app.screen.say(f"Nothing enters {stage} until `manuel-release pipeline resume {stage}`.")
    else:
        app.screen.answer(pipeline_json.done(state.name, "planned", stage=stage))


@command.command("resume")
@shared_options
@click.argument("stage")
@click.pass_obj
def resume(app: App, stage: str) -> None:
    """Let executions enter a stage again."""
    from manuel_release.view import pipeline_json  # noqa: PLC0415 - `--help` stays fast

    state = _state(app)
    _stage(state, stage)
    if gates.agreed(app, f"Let executions enter {stage} again?"):
        app.aws.pipelines.resume(state.name, stage)
        app.screen.answer(pipeline_json.done(state.name, "resumed", stage=stage))
        app.screen.say(f"Executions enter {stage} again.")
    else:
        app.screen.answer(pipeline_json.done(state.name, "planned", stage=stage))


def _state(app: App) -> PipelineState:
    return app.aws.pipelines.state(gates.pipeline_name(app))


def _stage(state: PipelineState, name: str) -> StageState:
    found = state.stage(name)
    if found is None:
        known = ", ".join(stage.name for stage in state.stages)
        raise click.UsageError(f"{state.name} has no stage {name!r}; it has {known}.")
    return found


def _reason(app: App) -> str:
    if not app.options.reason.strip():
        raise click.UsageError("this needs --reason; everybody who waits reads it.")
    return app.options.reason
