"""Waiting for CodeDeploy deployments that somebody else's run of the same deploy started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.apply.deployments import ended

if TYPE_CHECKING:
    from manuel_release.model.plan import FollowDeployments


def follow_deployments(step: FollowDeployments, context: Context) -> Done:
    """Wait until all of them are over, however they ended: what is left to do is planned afterwards.

    Raises Pending when one is still at work after `deployment_seconds`.
    """
    hint = "Run the same command again when they have ended."
    for _ in ended(step.deployments, context, still="CodeDeploy is still at work", hint=hint):
        pass
    return Done(f"{len(step.deployments)} deployments")
