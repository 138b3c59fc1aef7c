"""CodeDeploy for the Lambda compute platform, which ministack lacks.

Takes the requests of AWS's API (`CodeDeploy_20141006`), gives its answers and refusals, and really does what they
ask for: moves aliases step by step, invokes hooks, watches alarms, rolls back. EC2, on-premises and ECS are refused.
"""

from __future__ import annotations

from manuel_release.rehearsal.emulator import resources, targets
from manuel_release.rehearsal.emulator.codedeploy import (
    alarms,
    alias,
    applications,
    appspec,
    configs,
    deployments,
    groups,
    lambda_targets,
    notices,
    permissions,
    service_role,
    state,
    template,
)

REQUIRES = {
    **alarms.REQUIRES,
    **alias.REQUIRES,
    **appspec.REQUIRES,
    **notices.REQUIRES,
    **service_role.REQUIRES,
    **state.REQUIRES,
    **template.REQUIRES,
}

PREFIX = "CodeDeploy_20141006"
SERVICE = targets.Service(
    namespace="codedeploy",
    operations={
        **applications.OPERATIONS,
        **configs.OPERATIONS,
        **groups.OPERATIONS,
        **deployments.OPERATIONS,
        **lambda_targets.OPERATIONS,
    },
    permissions=permissions.of,
)


def install() -> None:
    """Answer CodeDeploy's requests from now on, and make its resources for CloudFormation."""
    targets.TARGETS[PREFIX] = SERVICE
    targets.at_reset(state.forget)
    service_role.know_managed_policies()
    targets.at_reset(service_role.know_managed_policies)
    for name, kind in template.TYPES.items():
        resources.register(name, kind)
