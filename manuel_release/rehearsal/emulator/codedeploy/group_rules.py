"""What CodeDeploy takes as settings of a deployment group of a Lambda application, or of one deployment.

Most sentences were measured on AWS (the source is named in configs.py); the others say the API model's rule.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html
"""

from __future__ import annotations

from typing import Any

from manuel_release.rehearsal.emulator.codedeploy import configs
from manuel_release.rehearsal.emulator.targets import ServiceError

Settings = dict[str, Any]

MOST_ALARMS = 10
MOST_TRIGGERS = 10
ROLLBACK_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}

_NOT_FOR_LAMBDA = {
    "ec2TagFilters": "InvalidEC2TagException",
    "ec2TagSet": "InvalidEC2TagException",
    "onPremisesInstanceTagFilters": "InvalidTagException",
    "onPremisesTagSet": "InvalidTagException",
    "autoScalingGroups": "InvalidAutoScalingGroupException",
    "ecsServices": "InvalidECSServiceException",
    "loadBalancerInfo": "InvalidLoadBalancerInfoException",
    "blueGreenDeploymentConfiguration": "InvalidBlueGreenDeploymentConfigurationException",
    "ec2DeploymentOptions": "InvalidInputException",
}


def refuse_instance_settings(body: Settings) -> None:
    """Refuse what only groups of instances or of ECS services have, even when it is empty."""
    for member, error in _NOT_FOR_LAMBDA.items():
        if member in body:
            raise ServiceError(error, f"For Lambda deployment group, {member} can not be specified")


def check_style(style: Any) -> None:
    """Raise InvalidDeploymentStyleException unless it is the one style that Lambda has; absent is not."""
    if style != STYLE:
        raise ServiceError(
            "InvalidDeploymentStyleException",
            "For LAMBDA deployment, the deployment type must be BLUE_GREEN, "
            "and deployment option must be WITH_TRAFFIC_CONTROL.",
        )


def check_config(name: str) -> None:
    """Raise when there is no such deployment configuration, or it is for another compute platform."""
    if configs.config(name)["computePlatform"] != "Lambda":
        raise ServiceError(
            "InvalidDeploymentConfigNameException",
            f"Compute platform of deployment config {name} does not match expected compute platform, "
            "correct compute platform should be Lambda.",
        )


def check_alarms(configuration: Any) -> None:
    """Check an AlarmConfiguration; None is one that was not given."""
    if configuration is None:
        return
    alarms = configuration.get("alarms")
    if configuration.get("enabled") and alarms is None:
        raise _invalid_alarms("Alarm list cannot be null.")
    if configuration.get("enabled") and not alarms:
        raise _invalid_alarms("Deployment Groups need to have at least one alarms attached if they are monitored.")
    names = [str(alarm.get("name") or "") for alarm in alarms or []]
    if len(names) > MOST_ALARMS:
        raise ServiceError(
            "AlarmsLimitExceededException", "The maximum number of alarms for a deployment group (10) was exceeded."
        )
    if any(not name or len(name) > 255 for name in names):
        raise _invalid_alarms("An alarm name is empty, or longer than 255 characters.")
    if len(set(names)) != len(names):
        raise _invalid_alarms("Two alarms with the same name have been specified.")


def _invalid_alarms(message: str) -> ServiceError:
    return ServiceError("InvalidAlarmConfigException", message)


def check_rollback(configuration: Any) -> None:
    """Check an AutoRollbackConfiguration; None is one that was not given."""
    if configuration is None:
        return
    events = configuration.get("events") or []
    if configuration.get("enabled") and not events:
        raise _invalid_rollback(
            "Deployment Groups need to have at least one event specified when auto rollback is enabled"
        )
    for event in events:
        if event not in ROLLBACK_EVENTS:
            raise _invalid_rollback(f"{event} is not an event that can trigger a rollback.")


def _invalid_rollback(message: str) -> ServiceError:
    return ServiceError("InvalidAutoRollbackConfigException", message)


def check_triggers(triggers: Any) -> None:
    """Check a list of TriggerConfig; None is one that was not given."""
    found = triggers or []
    if len(found) > MOST_TRIGGERS:
        raise ServiceError(
            "TriggerTargetsLimitExceededException", "Deployment Groups cannot contain more than 10 TriggerTargets."
        )
    for trigger in found:
        name, topic = trigger.get("triggerName"), str(trigger.get("triggerTargetArn") or "")
        if not name or not trigger.get("triggerEvents"):
            raise ServiceError("InvalidTriggerConfigException", "A trigger needs a name and at least one event.")
        if not topic.startswith("arn:aws:sns:"):
            raise ServiceError("InvalidTriggerConfigException", f"Topic ARN {topic} is not valid")


def check(settings: Settings) -> None:
    """Check the alarms, the automatic rollback and the triggers that are given."""
    check_alarms(settings.get("alarmConfiguration"))
    check_rollback(settings.get("autoRollbackConfiguration"))
    check_triggers(settings.get("triggerConfigurations"))
