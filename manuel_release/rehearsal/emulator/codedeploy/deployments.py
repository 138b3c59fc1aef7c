"""Deployments: starting, looking at, stopping, and the answers of their hooks.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import (
    applications,
    appspec,
    configs,
    group_rules,
    names,
    shift,
    state,
)
from manuel_release.rehearsal.emulator.codedeploy.state import Deployment
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codedeploy.state import Hook
    from manuel_release.rehearsal.emulator.targets import Body, Caller

BATCH_LIMIT = 25
LONGEST_DESCRIPTION = 256
STATUSES = ("Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready")


def create(body: Body, _caller: Caller) -> Body:
    """CreateDeployment."""
    application = names.application(body.get("applicationName"))
    state.application(application)
    name = names.group(body.get("deploymentGroupName"))
    group = state.group(application, name)
    content = appspec.text(body.get("revision"))
    _refuse_instance_members(body)
    config = str(body.get("deploymentConfigName") or group["deploymentConfigName"])
    group_rules.check_config(config)
    group_rules.check_alarms(body.get("overrideAlarmConfiguration"))
    group_rules.check_rollback(body.get("autoRollbackConfiguration"))
    with state.LOCK:
        running = state.active_deployment(group["deploymentGroupId"])
        if running is not None:
            raise ServiceError(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{name}' already has an active Deployment '{running.id}'",
            )
        made = Deployment(
            id=state.new_deployment_id(),
            application=application,
            group=name,
            group_id=group["deploymentGroupId"],
            config=config,
            routing=configs.config(config)["trafficRoutingConfig"],
            revision=body["revision"],
            spec=appspec.parse(content),
            role=group["serviceRoleArn"],
            alarms=_override(body, "overrideAlarmConfiguration", group.get("alarmConfiguration")),
            rollback=_override(body, "autoRollbackConfiguration", group.get("autoRollbackConfiguration")),
            triggers=group["triggerConfigurations"],
            description=str(body.get("description") or ""),
            override_alarms=body.get("overrideAlarmConfiguration"),
            previous_revision=_last_success(group["deploymentGroupId"]),
        )
        state.deployments[made.id] = made
    applications.remember_revision(application, body["revision"], content, name)
    shift.launch(made)
    return {"deploymentId": made.id}


def _override(body: Body, member: str, of_group: Any) -> dict[str, Any]:
    given = body.get(member)
    return dict(given if given is not None else of_group or {"enabled": False})


def _last_success(group_id: str) -> dict[str, Any] | None:
    done = [found for found in state.deployments.values() if (found.group_id, found.status) == (group_id, "Succeeded")]
    return max(done, key=lambda found: found.created).revision if done else None


def _refuse_instance_members(body: Body) -> None:
    for member in ("updateOutdatedInstancesOnly", "ignoreApplicationStopFailures"):
        if body.get(member):
            kind = member[:1].upper() + member[1:]
            raise ServiceError(f"Invalid{kind}ValueException", f"For Lambda deployments, {member} must be false.")
    if body.get("targetInstances"):
        raise ServiceError("InvalidTargetInstancesException", "Lambda deployments have no target instances.")
    if body.get("deploymentMode", "STANDARD") != "STANDARD" or body.get("ec2DeploymentOptions"):
        raise ServiceError(
            "InvalidInputException", "Lambda deployments take no deploymentMode or ec2DeploymentOptions."
        )
    if len(str(body.get("description") or "")) > LONGEST_DESCRIPTION:
        raise ServiceError("DescriptionTooLongException", f"The description exceeds {LONGEST_DESCRIPTION} characters.")


def get(body: Body, _caller: Caller) -> Body:
    """GetDeployment."""
    with state.LOCK:
        return {"deploymentInfo": state.deployment(body.get("deploymentId")).info()}


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetDeployments; unknown ones are left out."""
    wanted = names.at_most(body.get("deploymentIds"), BATCH_LIMIT)
    if not wanted:
        raise ServiceError("DeploymentIdRequiredException", "The deployment ID is required.")
    with state.LOCK:
        found = [state.deployments.get(name) for name in wanted]
        return {"deploymentsInfo": [deployment.info() for deployment in found if deployment is not None]}


def list_all(body: Body, _caller: Caller) -> Body:
    """ListDeployments: newest first, of one group or of all, of some states, of a time range (epoch seconds)."""
    application, group = body.get("applicationName"), body.get("deploymentGroupName")
    if application and not group:
        raise ServiceError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
    if group and not application:
        raise ServiceError("ApplicationNameRequiredException", "The application name is required.")
    wanted = body.get("includeOnlyStatuses") or []
    for status in wanted:
        if status not in STATUSES:
            raise ServiceError("InvalidDeploymentStatusException", f"{status} is not a deployment status.")
    start, end = ((body.get("createTimeRange") or {}).get(member) for member in ("start", "end"))
    if start is not None and end is not None and start > end:
        raise ServiceError("InvalidTimeRangeException", "The time range ends before it starts.")
    group_id = state.group(str(application), str(group))["deploymentGroupId"] if application else None
    with state.LOCK:
        found = [
            deployment
            for deployment in state.deployments.values()
            if (group_id is None or deployment.group_id == group_id)
            and (not wanted or deployment.status in wanted)
            and (start is None or deployment.created >= start)
            and (end is None or deployment.created <= end)
        ]
    return {"deployments": [deployment.id for deployment in sorted(found, key=lambda d: d.created, reverse=True)]}


def stop(body: Body, _caller: Caller) -> Body:
    """StopDeployment: asks, and says Pending; the deployment is Stopped a moment later.

    Without `autoRollbackEnabled` the automatic rollback's DEPLOYMENT_STOP_ON_REQUEST decides.
    """
    with state.LOCK:
        deployment = state.deployment(body.get("deploymentId"))
        if not deployment.active:
            raise ServiceError(
                "DeploymentAlreadyCompletedException", f"The deployment {deployment.id} is already complete"
            )
        asked = body.get("autoRollbackEnabled")
        if asked is None:
            asked = shift.wants_rollback(deployment, "DEPLOYMENT_STOP_ON_REQUEST")
        deployment.stop_with_rollback = bool(asked)
        deployment.awake.set()
    return {"status": "Pending", "statusMessage": "Stopping the deployment."}


def report_hook(body: Body, _caller: Caller) -> Body:
    """PutLifecycleEventHookExecutionStatus: a validation function's result, once, while it is waited for."""
    with state.LOCK:
        deployment = state.deployment(body.get("deploymentId"))
        hook = _hook(deployment, body.get("lifecycleEventHookExecutionId"))
        status = body.get("status")
        if status not in {"Succeeded", "Failed"}:
            raise ServiceError(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"The status {status} is not valid. Valid values are Succeeded and Failed.",
            )
        if hook.answer or hook.status != "InProgress":
            raise ServiceError(
                "LifecycleEventAlreadyCompletedException", f"The lifecycle event {hook.name} is already complete."
            )
        hook.answer = status
        deployment.awake.set()
    return {"lifecycleEventHookExecutionId": hook.execution_id}


def _hook(deployment: Deployment, execution_id: Any) -> Hook:
    for hook in deployment.hooks:
        if hook.execution_id and hook.execution_id == execution_id:
            return hook
    raise ServiceError(
        "InvalidLifecycleEventHookExecutionIdException", "The lifecycle event hook execution ID is not valid."
    )


def proceed(body: Body, _caller: Caller) -> Body:
    """ContinueDeployment: a Lambda deployment never waits for somebody."""
    state.deployment(body.get("deploymentId"))
    raise ServiceError(
        "UnsupportedActionForDeploymentTypeException", "A Lambda deployment cannot be continued: it does not wait."
    )


OPERATIONS = {
    "CreateDeployment": create,
    "GetDeployment": get,
    "BatchGetDeployments": batch_get,
    "ListDeployments": list_all,
    "StopDeployment": stop,
    "PutLifecycleEventHookExecutionStatus": report_hook,
    "ContinueDeployment": proceed,
}
