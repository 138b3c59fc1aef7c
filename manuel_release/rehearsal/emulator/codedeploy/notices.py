"""Who hears of a deployment: EventBridge always, the group's SNS triggers when they ask for it.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import notices, scope
from manuel_release.rehearsal.emulator.codedeploy import service_role, state

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.state import Deployment

REQUIRES = notices.REQUIRES

DETAIL_TYPE = "CodeDeploy Deployment State-change Notification"
TRIGGERS = {
    "START": "DeploymentStart",
    "SUCCESS": "DeploymentSuccess",
    "FAILURE": "DeploymentFailure",
    "STOP": "DeploymentStop",
}
SNS_STATUS = {"START": "CREATED", "SUCCESS": "SUCCEEDED", "FAILURE": "FAILED", "STOP": "STOPPED"}
logger = logging.getLogger("codedeploy")


def tell(deployment: Deployment, event: str) -> None:
    """Send the event START, SUCCESS, FAILURE or STOP of a deployment."""
    _account_id, region = scope.current()
    detail = {
        "region": region,
        "deploymentId": deployment.id,
        "instanceGroupId": deployment.group_id,
        "deploymentGroup": deployment.group,
        "state": event,
        "application": deployment.application,
    }
    about = [
        state.arn("application", deployment.application),
        state.arn("deploymentgroup", f"{deployment.application}/{deployment.group}"),
    ]
    notices.send("codedeploy", DETAIL_TYPE, about, detail)
    wanted = {TRIGGERS[event]}
    if event == "START" and deployment.creator == "codeDeployRollback":
        wanted.add("DeploymentRollback")
    for trigger in deployment.triggers:
        if wanted & set(trigger["triggerEvents"]):
            _publish(deployment, trigger, SNS_STATUS[event])


def _publish(deployment: Deployment, trigger: dict[str, Any], status: str) -> None:
    topic = trigger["triggerTargetArn"]
    if not service_role.allows(deployment.role, "sns:Publish", topic):
        logger.warning("%s may not publish to %s", deployment.role, topic)
        return
    account_id, region = scope.current()
    message = state.present(
        region=region,
        accountId=account_id,
        eventTriggerName=trigger["triggerName"],
        applicationName=deployment.application,
        deploymentId=deployment.id,
        deploymentGroupName=deployment.group,
        createTime=_words(deployment.created),
        completeTime=_words(deployment.ended),
        rollbackInformation=json.dumps(deployment.rollback_info) if deployment.rollback_info else None,
        status=status,
        errorInformation=json.dumps(deployment.error) if deployment.error else None,
    )
    subject = f"{status}: AWS CodeDeploy {deployment.id} in {region} to {deployment.application}"
    wrong = notices.publish(topic, subject, message)
    if wrong:
        logger.warning("publishing to %s: %s", topic, wrong)


def _words(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
