"""The alarms of a release: made with it, deleted when it is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import ReleaseError
from manuel_release.model.alarm import prefix
from manuel_release.model.release_alarms import Watched, definitions, names
from manuel_release.observe.service import observe_versions, service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import CreateReleaseAlarms
    from manuel_release.observe.service import Service

__all__ = ["alarm_names", "create_release_alarms", "create_step", "delete_release_alarms"]

ENVIRONMENT_PARAMETER = "Environment"


def create_step(step: CreateReleaseAlarms, context: Context) -> Done:
    """Make the alarms of a release that do not exist yet; raises ReleaseError."""
    made = create_release_alarms(context, service_of(context.aws, step.stack), step.release)
    return Done(f"{made} alarms" if made else "they are there already", skipped=made == 0)


def create_release_alarms(context: Context, service: Service, release: str) -> int:
    """Make the alarms of a release that do not exist yet; how many that were. Raises ReleaseError."""
    environment = _short(service)
    versions = observe_versions(context.aws, service, release)
    there = {alarm.name for alarm in context.aws.alarms.by_prefix(prefix(environment, release))}
    wanted = definitions(Watched(environment, release, service.functions, versions))
    missing = [each for each in wanted if each.name not in there]
    for each in missing:
        context.aws.alarms.put(each)
    return len(missing)


def delete_release_alarms(context: Context, service: Service, release: str) -> int:
    """Delete the alarms of a release, also those of an older version of the tool; how many there were."""
    there = context.aws.alarms.by_prefix(prefix(_short(service), release))
    context.aws.alarms.delete([alarm.name for alarm in there])
    return len(there)


def alarm_names(service: Service, release: str) -> tuple[str, ...]:
    """Names of a release's alarms that CodeDeploy watches while it moves `live`: ten at most."""
    return names(_short(service), release)


def _short(service: Service) -> str:
    """The environment as names of resources have it (`prod`)."""
    try:
        return service.stack.parameters[ENVIRONMENT_PARAMETER]
    except KeyError:
        raise ReleaseError(
            f"the stack {service.stack.name} has no parameter {ENVIRONMENT_PARAMETER}: its alarms have no name",
            hint="It was not made from template.yaml; deploy the service with `manuel-release deploy`.",
        ) from None
