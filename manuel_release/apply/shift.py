"""Moving the alias `live` with CodeDeploy, one deployment per function (CodeDeploy knows no more than one each)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.apply.deployments import ended, move_live, stop
from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.release import LIVE
from manuel_release.observe.service import observe_stage, service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import ShiftLive
    from manuel_release.model.traffic import Deployment
    from manuel_release.observe.service import Service


def shift_live(step: ShiftLive, context: Context) -> Done:
    """Move `live` of every function to the version of the release; those already there are skipped.

    Raises ReleaseError with CodeDeploy's words when a deployment fails; the others are then stopped and rolled back.
    Raises Refused when somebody rolled back meanwhile.
    """
    service = service_of(context.aws, step.stack)
    if not step.back:
        _still_wanted(step, service, context)
    started = _start(step, service, context)
    if not started:
        return Done(f"`live` was on {step.release} already", skipped=True)
    _follow(started, context)
    return Done(f"{len(started)} deployments")


def _still_wanted(step: ShiftLive, service: Service, context: Context) -> None:
    """Raise Refused when the stage does not name the release as its candidate any more: a rollback takes no lease."""
    stage = observe_stage(context.aws, service)
    if stage is None or (stage.variables.get("candidate") == step.release and stage.pinned is None):
        return
    raise Refused(
        f"the stage was changed meanwhile, and `live` is not moved to {step.release}: {stage.serving} serves",
        hint="`manuel-release history` shows who did what; then run the command again if it is still wanted.",
    )


def _start(step: ShiftLive, service: Service, context: Context) -> dict[str, str]:
    """Function name -> id of the deployment started for it.

    When one cannot be started, those before it are stopped and have ended before this raises: CodeDeploy takes no
    second deployment of a group, so nothing could be taken back while they move.
    """
    started: dict[str, str] = {}
    try:
        for name in service.functions:
            deployment_id = _begin(step, service, name, context)
            if deployment_id is not None:
                started[name] = deployment_id
    except ReleaseError as error:
        context.progress.note(error.message)
        stop(started.values(), context)
        hint = "Run the same command again when they have ended."
        for _ in ended(started.values(), context, still="CodeDeploy is still moving `live` back", hint=hint):
            pass
        raise
    return started


def _begin(step: ShiftLive, service: Service, name: str, context: Context) -> str | None:
    """The deployment started for a function; None when its `live` is there already."""
    live, target = context.aws.functions.alias(name, LIVE), context.aws.functions.alias(name, step.release)
    if live is None or target is None:
        missing = LIVE if live is None else step.release
        raise ReleaseError(f"{name} has no alias {missing}", hint="Deploy again; it publishes what is missing.")
    if live.version == target.version and not live.weights:
        return None
    return move_live(context, service, live, target, at_once=True)


def _follow(started: dict[str, str], context: Context) -> None:
    running = list(started.values())
    failed: list[Deployment] = []
    hint = "Run the same command again when they have ended."
    for deployment in ended(started.values(), context, still="CodeDeploy is still moving `live`", hint=hint):
        running.remove(deployment.id)
        if deployment.status != "Succeeded":
            failed.append(deployment)
            stop(running, context)
    if failed:
        words = "\n".join(f"  {d.group}: {d.id} {d.status}: {d.message or 'no reason given'}" for d in failed)
        raise ReleaseError(
            f"CodeDeploy did not move `live`:\n{words}",
            hint="CodeDeploy put the old version back; `manuel-release status` shows which release serves.",
        )
