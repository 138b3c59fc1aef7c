"""The thread that carries a deployment out: hooks, shifting traffic, alarms, stopping, rolling back.

A minute of a deployment configuration, and of the hour that a hook has, takes MANUEL_SHIFT_SECONDS_PER_MINUTE seconds
(60 unless a rehearsal says otherwise). Alarms are looked at every second. Somebody else who moves the alias during a
shift is overwritten by the next step: what CodeDeploy does then is not documented.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
import time
import uuid

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codedeploy import alarms, alias, appspec, configs, notices, service_role, state
from manuel_release.rehearsal.emulator.codedeploy.state import LOCK, Deployment, Hook

SECONDS_PER_MINUTE = float(os.environ.get("MANUEL_SHIFT_SECONDS_PER_MINUTE", "60"))
POLL_SECONDS = 1.0
HOOK_MINUTES = 60
ROLLBACK_CONFIG = "CodeDeployDefault.LambdaAllAtOnce"
BAD_APPSPEC = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is missing "
    "or has an invalid configuration."
)
logger = logging.getLogger("codedeploy")


class Halted(Exception):  # noqa: N818 - an outcome
    """The deployment ends here without success."""

    def __init__(self, status: str, code: str, message: str, *, roll_back: bool) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message}
        self.roll_back = roll_back


class Forgotten(Exception):  # noqa: N818 - an outcome
    """The server's state was dropped meanwhile."""


def launch(deployment: Deployment) -> None:
    """Start the thread that carries `deployment` out, in the account and region of this request."""
    thread = threading.Thread(
        target=scope.scoped, args=(*scope.current(), run, deployment), daemon=True, name=f"codedeploy-{deployment.id}"
    )
    thread.start()


def run(deployment: Deployment) -> None:
    """Carry a deployment out, to its end."""
    try:
        _carry_out(deployment)
    except Forgotten:
        return
    except Halted as halted:
        _end(deployment, halted)
    except Exception as error:
        logger.exception("deployment %s", deployment.id)
        _end(deployment, Halted("Failed", "INTERNAL_ERROR", str(error), roll_back=False))
    else:
        _end(deployment, None)


def _failed(deployment: Deployment, code: str, message: str) -> Halted:
    return Halted("Failed", code, message, roll_back=wants_rollback(deployment, "DEPLOYMENT_FAILURE"))


def wants_rollback(deployment: Deployment, event: str) -> bool:
    """Whether the deployment's own or its group's automatic rollback is on for an event (`DEPLOYMENT_FAILURE`)."""
    return bool(deployment.rollback.get("enabled")) and event in (deployment.rollback.get("events") or [])


def _carry_out(deployment: Deployment) -> None:
    with LOCK:
        if deployment.forgotten:
            raise Forgotten
        deployment.status, deployment.started = "InProgress", time.time()
    notices.tell(deployment, "START")
    _look(deployment)
    spec = _checked(deployment)
    before, allow, after = deployment.hooks
    _validate(deployment, before, spec.before_allow_traffic)
    allow.status, allow.started = "InProgress", time.time()
    for percent, minutes in configs.steps(deployment.routing):
        _look(deployment)
        _route(deployment, spec, percent)
        _pause(deployment, minutes)
    allow.status, allow.ended = "Succeeded", time.time()
    _validate(deployment, after, spec.after_allow_traffic)


def _checked(deployment: Deployment) -> appspec.AppSpec:
    """The AppSpec, when the world is as it says. Nothing was changed yet, so these failures roll nothing back."""
    spec = deployment.spec
    why = service_role.cannot_be_assumed(deployment.role)
    if why:
        raise Halted("Failed", "IAM_ROLE_MISSING", why, roll_back=False)
    if spec is None:
        raise Halted("Failed", "INVALID_LAMBDA_CONFIGURATION", BAD_APPSPEC, roll_back=False)
    if not alias.function_exists(spec.function):
        message = f"The Lambda function {spec.function} does not exist."
        raise Halted("Failed", "INVALID_LAMBDA_FUNCTION", message, roll_back=False)
    if not service_role.allows(deployment.role, "lambda:GetAlias", alias.function_arn(spec.function)):
        raise Halted(
            "Failed", "IAM_ROLE_PERMISSIONS", service_role.lacks(deployment.role, "AWSLambda"), roll_back=False
        )
    wrong = None if deployment.creator == "codeDeployRollback" else alias.why_not(spec)
    if wrong is not None:
        message = f"{BAD_APPSPEC} {wrong}".rstrip()
        raise Halted("Failed", "INVALID_LAMBDA_CONFIGURATION", message, roll_back=False)
    return spec


def _look(deployment: Deployment) -> None:
    """Raise when the deployment was forgotten, was asked to stop, or has an alarm."""
    if deployment.forgotten:
        raise Forgotten
    if deployment.stop_with_rollback is not None:
        message = "The deployment was stopped by a request."
        raise Halted("Stopped", "MANUAL_STOP", message, roll_back=deployment.stop_with_rollback)
    found = alarms.look(deployment)
    if found is not None:
        raise Halted("Stopped", *found, roll_back=wants_rollback(deployment, "DEPLOYMENT_STOP_ON_ALARM"))


def _pause(deployment: Deployment, minutes: float) -> None:
    deadline = time.monotonic() + minutes * SECONDS_PER_MINUTE
    while (left := deadline - time.monotonic()) > 0:
        _wait(deployment, left)


def _wait(deployment: Deployment, seconds: float) -> None:
    deployment.awake.wait(min(seconds, POLL_SECONDS))
    deployment.awake.clear()
    _look(deployment)


def _route(deployment: Deployment, spec: appspec.AppSpec, percent: float) -> None:
    if not service_role.allows(deployment.role, "lambda:UpdateAlias", alias.function_arn(spec.function)):
        raise _failed(deployment, "IAM_ROLE_PERMISSIONS", service_role.lacks(deployment.role, "AWSLambda"))
    with LOCK:
        if deployment.forgotten:
            raise Forgotten
        try:
            alias.route(spec, percent)
        except alias.AliasError as error:
            raise _failed(deployment, "INVALID_LAMBDA_CONFIGURATION", f"{BAD_APPSPEC} {error}") from error
        deployment.weight = percent / 100


def _validate(deployment: Deployment, hook: Hook, function: str) -> None:
    """Run a hook's validation function and wait for what it reports; without one the event succeeds at once."""
    hook.status, hook.started = "InProgress", time.time()
    if function:
        _invoke(deployment, hook, function)
        deadline = time.monotonic() + HOOK_MINUTES * SECONDS_PER_MINUTE
        while not hook.answer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _hook_failed(deployment, hook, f"{function} did not report its result within one hour.")
            _wait(deployment, left)
        if hook.answer == "Failed":
            raise _hook_failed(deployment, hook, f"{function} reported Failed.")
    hook.status, hook.ended = "Succeeded", time.time()


def _invoke(deployment: Deployment, hook: Hook, function: str) -> None:
    if not service_role.allows(deployment.role, "lambda:InvokeFunction", alias.function_arn(function)):
        raise _failed(deployment, "IAM_ROLE_PERMISSIONS", service_role.lacks(deployment.role, "AWSLambda"))
    secret = json.dumps({"encryptedData": uuid.uuid4().hex, "ivParameterSpec": uuid.uuid4().hex})
    hook.execution_id = base64.b64encode(secret.encode()).decode()
    event = {"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": hook.execution_id}
    try:
        alias.invoke_later(function, event)
    except alias.AliasError as error:
        raise _hook_failed(deployment, hook, str(error)) from error


def _hook_failed(deployment: Deployment, hook: Hook, message: str) -> Halted:
    hook.message = message
    return _failed(deployment, "HOOK_EXECUTION_FAILURE", f"The {hook.name} hook failed: {message}")


def _end(deployment: Deployment, halted: Halted | None) -> None:
    back = None
    with LOCK:
        if deployment.forgotten:
            return
        deployment.ended = time.time()
        deployment.status = "Succeeded" if halted is None else halted.status
        for hook in deployment.hooks if halted is not None else []:
            if hook.status == "InProgress":
                hook.status, hook.ended = "Failed", deployment.ended
            elif hook.status == "Pending":
                hook.status = "Skipped"
        if halted is not None:
            deployment.error = halted.error
            back = _way_back(deployment) if halted.roll_back else None
    notices.tell(deployment, {"Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}[deployment.status])
    if back is not None:
        launch(back)


def _way_back(deployment: Deployment) -> Deployment | None:
    """The rollback deployment, remembered but not started; a rollback is not rolled back."""
    if deployment.spec is None or deployment.creator == "codeDeployRollback":
        return None
    spec = deployment.spec.reversed()
    back = Deployment(
        id=state.new_deployment_id(),
        application=deployment.application,
        group=deployment.group,
        group_id=deployment.group_id,
        config=ROLLBACK_CONFIG,
        routing=configs.ALL_AT_ONCE,
        revision=appspec.revision(spec),
        spec=spec,
        role=deployment.role,
        alarms={},
        rollback={"enabled": False, "events": []},
        triggers=deployment.triggers,
        creator="codeDeployRollback",
        previous_revision=deployment.revision,
    )
    back.rollback_info = {
        "rollbackTriggeringDeploymentId": deployment.id,
        "rollbackMessage": f"Deployment {back.id} is triggered to roll back deployment {deployment.id}.",
    }
    deployment.rollback_info = {
        "rollbackDeploymentId": back.id,
        "rollbackMessage": (
            f"Deployment {deployment.id} terminated. Automatic rollback is triggered with a DeploymentId {back.id}."
        ),
    }
    state.deployments[back.id] = back
    return back
