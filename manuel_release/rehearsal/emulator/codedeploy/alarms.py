"""The alarms that stop a deployment, as CodeDeploy sees them.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import cloudwatch

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codedeploy import service_role

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.state import Deployment

REQUIRES = {
    "ministack.services.cloudwatch._alarms": None,
    "ministack.services.cloudwatch._composite_alarms": None,
}


def look(deployment: Deployment) -> tuple[str, str] | None:
    """Why the deployment's alarms stop it at this moment, as (error code, sentence), or None.

    The sentence on activated alarms is AWS's. What AWS says of an alarm whose state cannot be had is not known.
    """
    if not deployment.alarms.get("enabled"):
        return None
    account_id, region = scope.current()
    ringing: list[str] = []
    for alarm in deployment.alarms.get("alarms") or []:
        name = alarm["name"]
        arn = f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}"
        found = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
        readable = service_role.allows(deployment.role, "cloudwatch:DescribeAlarms", arn)
        if readable and found is not None and found["StateValue"] == "ALARM":
            ringing.append(name)
        if deployment.alarms.get("ignorePollAlarmFailure"):
            continue
        if not readable:
            return "IAM_ROLE_PERMISSIONS", service_role.lacks(deployment.role, "AmazonCloudWatch")
        if found is None:
            return "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND", f"The state of the alarm {name} cannot be retrieved."
    if not ringing:
        return None
    return "ALARM_ACTIVE", (
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
        "affected deployments have been stopped. Activated alarms: " + " ".join(f"<{name}>" for name in ringing)
    )
