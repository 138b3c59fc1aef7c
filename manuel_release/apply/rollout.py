"""Moving `live` to a release with CodeDeploy: one deployment per function, all stopped when one fails.

A deployment that an interrupted run began is found in CodeDeploy's list of active ones, by what it says it is for, and
followed; CodeDeploy takes no second one of a group anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import GateFailed, Pending, Refused, ReleaseError
from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from manuel_release.model.canary_change import RollOut
    from manuel_release.model.traffic import Alias, Deployment
    from manuel_release.observe.service import Service

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
MOST_ALARMS = 10


class Interrupted(Refused):
    """Somebody moved the traffic meanwhile: a rollback, which goes before everything else."""


class DeploymentsFailed(GateFailed):
    """CodeDeploy did not move `live`."""


def description(service: Service, release: str) -> str:
    """What a deployment says it is for."""
    return f"{service.api_stage} {release}"


def roll_out(step: RollOut, context: Context, service: Service, unmoved: Callable[[], None]) -> Done:
    """Move `live` of every function to the release's version; those already there are skipped.

    Args:
        step: which release, how fast, and the alarms that stop it.
        context: AWS and the clock.
        service: whose functions.
        unmoved: asked before every deployment is created and at every look; raises Refused without the lease, and
            Interrupted when the stage is not as this step needs it.

    Raises:
        DeploymentsFailed: one failed; the others were stopped and are being rolled back by CodeDeploy.
        Interrupted: somebody rolled back; own deployments were stopped.
        Refused: the lease is gone, or somebody else's deployment moves an alias.
        Pending: they take longer than `deployment_seconds`.
    """
    started: dict[str, str] = {}
    try:
        for name in service.functions:
            deployment_id = _begin(step, context, service, name, unmoved)
            if deployment_id is not None:
                started[name] = deployment_id
        if not started:
            return Done(f"`live` is on {step.release} already", skipped=True)
        _follow(started, context, unmoved)
    except Interrupted:
        stop(started.values(), context)
        raise
    _arrived(step, context, service)
    return Done(f"{len(started)} deployments")


def _begin(step: RollOut, context: Context, service: Service, name: str, unmoved: Callable[[], None]) -> str | None:
    """The id of the deployment that moves this function's `live`, found or created; None when it is there already."""
    functions, deployments = context.aws.functions, context.aws.deployments
    live, target = functions.alias(name, LIVE), functions.alias(name, step.release)
    if live is None or target is None:
        missing = LIVE if live is None else step.release
        raise DeploymentsFailed(f"{name} has no alias {missing}", hint="Deploy again; it publishes what is missing.")
    active = deployments.active(service.application, name)
    if active:
        return _own(context.aws.deployments.get(active[0]), service, step.release)
    if live.version == target.version and not live.weights:
        return None
    if live.weights:
        raise DeploymentsFailed(
            f"`live` of {name} splits traffic between versions {live.version} and {', '.join(live.weights)}, and "
            "nothing is moving it",
            hint="`manuel-release rollback` puts it right.",
        )
    unmoved()
    return _create(step, context, service, live, target)


def _own(deployment: Deployment, service: Service, release: str) -> str:
    if deployment.description != description(service, release):
        raise Refused(
            f"another deployment moves `live` of {deployment.group}: {deployment.id} "
            f"({deployment.description or 'it does not say what for'})",
            hint="Wait until it has ended, or stop it; then run the command again.",
        )
    return deployment.id


def _create(step: RollOut, context: Context, service: Service, live: Alias, target: Alias) -> str:
    return context.aws.deployments.create(
        application=service.application,
        group=live.function,
        function=live.function,
        alias=LIVE,
        current_version=live.version,
        target_version=target.version,
        config=ALL_AT_ONCE if step.at_once else None,
        alarms=tuple(step.alarms)[:MOST_ALARMS] or None,
        description=description(service, step.release),
    )


def _follow(started: dict[str, str], context: Context, unmoved: Callable[[], None]) -> None:
    began = context.now()
    waiting = dict(started)
    while waiting:
        for name, deployment_id in list(waiting.items()):
            deployment = context.aws.deployments.get(deployment_id)
            if not deployment.over:
                continue
            del waiting[name]
            context.progress.note(f"{name}: {deployment_id} {deployment.status}")
            if deployment.status != "Succeeded":
                stop(waiting.values(), context)
                raise DeploymentsFailed(
                    f"CodeDeploy did not move `live` of {name}: {deployment_id} {deployment.status}: "
                    f"{deployment.message or 'it gives no reason'}"
                )
        if waiting:
            waited = (context.now() - began).total_seconds()
            if waited > context.settings.deployment_seconds:
                raise Pending(
                    f"CodeDeploy is still moving `live` after {waited:.0f} s: {', '.join(waiting.values())}",
                    hint="Run the same command again; it follows them to their end.",
                )
            context.sleep(min(2.0, context.settings.poll_seconds))
            unmoved()


def _arrived(step: RollOut, context: Context, service: Service) -> None:
    """Every `live` is where it should be: CodeDeploy may be rolling back what an alarm stopped at the end."""
    functions = context.aws.functions
    for name in service.functions:
        live, target = functions.alias(name, LIVE), functions.alias(name, step.release)
        if live is None or target is None or live.version != target.version or live.weights:
            raise DeploymentsFailed(f"`live` of {name} is not on {step.release} although CodeDeploy says so")


def stop(deployment_ids: Iterable[str], context: Context) -> None:
    """Stop deployments and have CodeDeploy move their aliases back; one that cannot be stopped does not stop this."""
    for deployment_id in tuple(deployment_ids):
        try:
            context.aws.deployments.stop(deployment_id, roll_back=True)
        except ReleaseError as error:
            context.progress.note(error.message)
