"""Moving `live` to a release with CodeDeploy: one deployment per function, all stopped when one fails.

A deployment that an interrupted run began is found in CodeDeploy's list of active ones, by what it says it is for, and
followed; CodeDeploy takes no second one of a group anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.apply.deployments import description, ended, move_live, stop
from manuel_release.errors import GateFailed, Refused
from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.canary_change import RollOut
    from manuel_release.model.traffic import Deployment
    from manuel_release.observe.service import Service

MOST_ALARMS = 10


class Interrupted(Refused):
    """Somebody moved the traffic meanwhile: a rollback, which goes before everything else."""


class DeploymentsFailed(GateFailed):
    """CodeDeploy did not move `live`."""


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
    alarms = tuple(step.alarms)[:MOST_ALARMS]
    return move_live(context, service, live, target, at_once=step.at_once, alarms=alarms)


def _own(deployment: Deployment, service: Service, release: str) -> str:
    if deployment.description != description(service, release):
        raise Refused(
            f"another deployment moves `live` of {deployment.group}: {deployment.id} "
            f"({deployment.description or 'it does not say what for'})",
            hint="Wait until it has ended, or stop it; then run the command again.",
        )
    return deployment.id


def _follow(started: dict[str, str], context: Context, unmoved: Callable[[], None]) -> None:
    running = list(started.values())
    still, hint = "CodeDeploy is still moving `live`", "Run the same command again; it follows them to their end."
    for deployment in ended(started.values(), context, still=still, hint=hint, pause=2.0, after_pause=unmoved):
        running.remove(deployment.id)
        if deployment.status != "Succeeded":
            stop(running, context)
            raise DeploymentsFailed(
                f"CodeDeploy did not move `live` of {deployment.group}: {deployment.id} {deployment.status}: "
                f"{deployment.message or 'it gives no reason'}"
            )


def _arrived(step: RollOut, context: Context, service: Service) -> None:
    """Every `live` is where it should be: CodeDeploy may be rolling back what an alarm stopped at the end."""
    functions = context.aws.functions
    for name in service.functions:
        live, target = functions.alias(name, LIVE), functions.alias(name, step.release)
        if live is None or target is None or live.version != target.version or live.weights:
            raise DeploymentsFailed(f"`live` of {name} is not on {step.release} although CodeDeploy says so")
