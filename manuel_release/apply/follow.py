"""Waiting for CodeDeploy deployments that somebody else's run of the same deploy started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import Pending

if TYPE_CHECKING:
    from manuel_release.model.plan import FollowDeployments


def follow_deployments(step: FollowDeployments, context: Context) -> Done:
    """Wait until all of them are over, however they ended: what is left to do is planned afterwards.

    Raises Pending when one is still at work after `deployment_seconds`.
    """
    began = context.now()
    waiting = list(step.deployments)
    while waiting:
        for deployment in [context.aws.deployments.get(deployment_id) for deployment_id in waiting]:
            if deployment.over:
                waiting.remove(deployment.id)
                context.progress.note(f"{deployment.group}: {deployment.id} {deployment.status}")
        waited = (context.now() - began).total_seconds()
        if waiting and waited > context.settings.deployment_seconds:
            raise Pending(
                f"CodeDeploy is still at work after {waited:.0f} s: {', '.join(waiting)}",
                hint="Run the same command again when they have ended.",
            )
        if waiting:
            context.sleep(min(1.0, context.settings.poll_seconds))
    return Done(f"{len(step.deployments)} deployments")
