"""CodeDeploy deployments of a release, one per function: starting them, waiting for their end, stopping them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from manuel_release.apply.context import Context
    from manuel_release.model.traffic import Alias, Deployment
    from manuel_release.observe.service import Service

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def description(service: Service, release: str) -> str:
    """What a deployment says it is for; a run that goes on knows its own by it."""
    return f"{service.api_stage} {release}"


def move_live(
    context: Context,
    service: Service,
    live: Alias,
    target: Alias,
    *,
    at_once: bool,
    alarms: Sequence[str] = (),
) -> str:
    """Have CodeDeploy move a function's `live` to the target's version; the deployment's id.

    Args:
        context: AWS.
        service: whose function.
        live: the alias to move; it must not have weights.
        target: the release's alias.
        at_once: all at once, instead of the group's own configuration.
        alarms: names of at most 10 alarms that stop it; none leaves it to the group's.

    Raises:
        ReleaseError: CodeDeploy takes no deployment.
    """
    return context.aws.deployments.create(
        application=service.application,
        group=live.function,
        function=live.function,
        alias=LIVE,
        current_version=live.version,
        target_version=target.version,
        config=ALL_AT_ONCE if at_once else None,
        alarms=tuple(alarms) or None,
        description=description(service, target.name),
    )


def ended(
    deployment_ids: Iterable[str],
    context: Context,
    *,
    still: str,
    hint: str,
    pause: float = 1.0,
    after_pause: Callable[[], None] | None = None,
) -> Iterator[Deployment]:
    """Each deployment as it ends, however it ends, until all have.

    Args:
        deployment_ids: what is waited for.
        context: AWS, the clock, and whom to tell.
        still: begins the sentence that says after how many seconds which deployments have not ended.
        hint: what to do then.
        pause: most seconds between two looks; `poll_seconds` when that is less.
        after_pause: called after each; what it raises ends the wait.

    Raises:
        Pending: some are at work after `deployment_seconds`.
    """
    began = context.now()
    waiting = list(deployment_ids)
    while waiting:
        for deployment_id in tuple(waiting):
            deployment = context.aws.deployments.get(deployment_id)
            if deployment.over:
                waiting.remove(deployment_id)
                context.progress.note(f"{deployment.group}: {deployment_id} {deployment.status}")
                yield deployment
        if not waiting:
            return
        waited = (context.now() - began).total_seconds()
        if waited > context.settings.deployment_seconds:
            raise Pending(f"{still} after {waited:.0f} s: {', '.join(waiting)}", hint=hint)
        context.sleep(min(pause, context.settings.poll_seconds))
        if after_pause is not None:
            after_pause()


def stop(deployment_ids: Iterable[str], context: Context) -> None:
    """Stop deployments and have CodeDeploy move their aliases back; one that cannot be stopped does not stop this."""
    for deployment_id in tuple(deployment_ids):
        try:
            context.aws.deployments.stop(deployment_id, roll_back=True)
        except ReleaseError as error:
            context.progress.note(error.message)
