"""The service's functions, API stage and deployment groups, found in its stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.release import LIVE
from manuel_release.model.stack import ALIAS, API_DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.aws import Aws
    from manuel_release.model.stack import Resource, Stack
    from manuel_release.model.traffic import Alias, ApiStage


@dataclass(frozen=True)
class Service:
    """What a stack of the service consists of, as far as traffic is concerned.

    functions: names of the functions that have an alias `live`; each has a CodeDeploy group of its own name.
    api_deployment: id of the deployment of the API's definition that the stack holds; empty when it is not known.
    """

    stack: Stack
    functions: tuple[str, ...]
    rest_api_id: str
    api_stage: str
    application: str
    api_deployment: str = ""


def functions_of(resources: Iterable[Resource]) -> tuple[str, ...]:
    """Names of the functions whose alias `live` the stack declares, sorted."""
    live = (r.physical_id for r in resources if r.type == ALIAS and r.physical_id.endswith(f":{LIVE}"))
    return tuple(sorted(arn.rsplit(":", 2)[1] for arn in live))


def api_deployment_of(resources: Iterable[Resource]) -> str:
    """Id of the stack's API deployment: older ones were retained, and the stack holds them no more.

    Empty when it holds none, or several because an update has not been cleaned up.
    """
    found = [r.physical_id for r in resources if r.type == API_DEPLOYMENT and not r.status.startswith("DELETE_")]
    return found[0] if len(found) == 1 else ""


def observe_service(aws: Aws, stack_name: str) -> Service | None:
    """The service in a stack, None while the stack does not exist or holds nothing; raises ReleaseError."""
    stack = aws.stacks.describe(stack_name)
    if stack is None or stack.never_created or "ApiId" not in stack.outputs:
        return None
    resources = aws.stacks.resources(stack_name)
    return Service(
        stack,
        functions_of(resources),
        stack.outputs["ApiId"],
        stack.outputs["ApiStage"],
        stack.outputs["CodeDeployApplicationName"],
        api_deployment_of(resources),
    )


def service_of(aws: Aws, stack_name: str) -> Service:
    """As `observe_service`, for a stack that must be there; raises ReleaseError when it is not."""
    found = observe_service(aws, stack_name)
    if found is None:
        raise ReleaseError(
            f"the stack {stack_name} holds no service: it does not exist, or its creation did not finish",
            hint="Look at it with `manuel-release status`, then run `manuel-release deploy`.",
        )
    return found


def observe_stage(aws: Aws, service: Service) -> ApiStage | None:
    """The API's stage."""
    return aws.gateway.stage(service.rest_api_id, service.api_stage)


def observe_live(aws: Aws, service: Service) -> dict[str, Alias]:
    """Function name -> its alias `live`; a function without one is left out."""
    found = {name: aws.functions.alias(name, LIVE) for name in service.functions}
    return {name: alias for name, alias in found.items() if alias is not None}


def observe_deploying(aws: Aws, service: Service) -> tuple[str, ...]:
    """Ids of the CodeDeploy deployments of the service's functions that are under way."""
    return tuple(i for name in service.functions for i in aws.deployments.active(service.application, name))


def observe_versions(aws: Aws, service: Service, release: str) -> dict[str, str]:
    """Function name -> the version that the release's alias sits on; functions without that alias are left out."""
    found = {name: aws.functions.alias(name, release) for name in service.functions}
    return {name: alias.version for name, alias in found.items() if alias is not None}


def observe_stage_deployment(aws: Aws, service: Service) -> str:
    """Id of the API deployment that the stage serves, empty when there is no stage."""
    stage = observe_stage(aws, service)
    return stage.deployment_id if stage is not None else ""
