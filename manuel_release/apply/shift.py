"""Moving the alias `live` with CodeDeploy, one deployment per function (CodeDeploy knows no more than one each)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.release import LIVE
from manuel_release.observe.service import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.plan import ShiftLive
    from manuel_release.model.traffic import Deployment
    from manuel_release.observe.service import Service

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def shift_live(step: ShiftLive, context: Context) -> Done:
    """Move `live` of every function to the version of the release; those already there are skipped.

    Raises ReleaseError with CodeDeploy's words when a deployment fails; the others are then stopped and rolled back.
    """
    service = service_of(context.aws, step.stack)
    started = _start(step, service, context)
    if not started:
        return Done(f"`live` was on {step.release} already", skipped=True)
    _follow(started, context)
    return Done(f"{len(started)} deployments")


def _start(step: ShiftLive, service: Service, context: Context) -> dict[str, str]:
    """Function name -> id of the deployment started for it."""
    started: dict[str, str] = {}
    functions = context.aws.functions
    for name in service.functions:
        live, target = functions.alias(name, LIVE), functions.alias(name, step.release)
        if live is None or target is None:
            _stop(started.values(), context)
            missing = LIVE if live is None else step.release
            raise ReleaseError(f"{name} has no alias {missing}", hint="Deploy again; it publishes what is missing.")
        if live.version == target.version and not live.weights:
            continue
        started[name] = context.aws.deployments.create(
            application=service.application,
            group=name,
            function=name,
            alias=LIVE,
            current_version=live.version,
            target_version=target.version,
            config=ALL_AT_ONCE,
            alarms=None,
            description=f"{service.api_stage} {step.release}",
        )
    return started


def _follow(started: dict[str, str], context: Context) -> None:
    began = context.now()
    waiting = dict(started)
    failed: list[Deployment] = []
    while waiting:
        for name, deployment_id in list(waiting.items()):
            deployment = context.aws.deployments.get(deployment_id)
            if not deployment.over:
                continue
            del waiting[name]
            context.progress.note(f"{name}: {deployment_id} {deployment.status}")
            if deployment.status != "Succeeded":
                failed.append(deployment)
                _stop(waiting.values(), context)
        if waiting:
            waited = (context.now() - began).total_seconds()
            if waited > context.settings.deployment_seconds:
                raise Pending(
                    f"CodeDeploy is still moving `live` after {waited:.0f} s: {', '.join(waiting.values())}",
                    hint="Run the same command again when they have ended.",
                )
            context.sleep(min(1.0, context.settings.poll_seconds))
    if failed:
        words = "\n".join(f"  {d.group}: {d.id} {d.status}: {d.message or 'no reason given'}" for d in failed)
        raise ReleaseError(
            f"CodeDeploy did not move `live`:\n{words}",
            hint="CodeDeploy put the old version back; `manuel-release status` shows which release serves.",
        )


def _stop(deployment_ids: Iterable[str], context: Context) -> None:
    for deployment_id in tuple(deployment_ids):
        context.aws.deployments.stop(deployment_id, roll_back=True)
