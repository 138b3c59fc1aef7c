"""CodeDeploy for Lambda: one deployment moves one alias of one function.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-example.html#appspec-file-example-lambda
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.model.traffic import Deployment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_codedeploy import CodeDeployClient
    from mypy_boto3_codedeploy.literals import DeploymentStatusType
    from mypy_boto3_codedeploy.type_defs import CreateDeploymentInputTypeDef, DeploymentInfoTypeDef

    from manuel_release.aws.session import Session

_ACTIVE: tuple[DeploymentStatusType, ...] = ("Created", "Queued", "InProgress", "Baking", "Ready")


class Deployments:
    """Starts, follows and stops deployments."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _client(self) -> CodeDeployClient:
        return self._session.client("codedeploy")

    def active(self, application: str, group: str) -> tuple[str, ...]:
        """Ids of the group's deployments that are not over; none when application or group do not exist."""
        known = self._client.exceptions
        pages = self._client.get_paginator("list_deployments").paginate(
            applicationName=application, deploymentGroupName=group, includeOnlyStatuses=list(_ACTIVE)
        )
        with translated(f"cannot list the deployments of {application}/{group}"):
            try:
                return tuple(each for page in pages for each in page.get("deployments", []))
            except (known.ApplicationDoesNotExistException, known.DeploymentGroupDoesNotExistException):
                return ()

    def create(
        self,
        *,
        application: str,
        group: str,
        function: str,
        alias: str,
        current_version: str,
        target_version: str,
        config: str | None,
        alarms: Sequence[str] | None,
        description: str,
    ) -> str:
        """Start to move an alias from one version to another; returns the deployment's id.

        CodeDeploy has no client token: ask `active` first, it refuses a second deployment of a group.

        Args:
            application: CodeDeploy's application.
            group: the function's deployment group.
            function: its name.
            alias: the alias to move; it must not have weights.
            current_version: what the alias names now.
            target_version: what it shall name.
            config: how fast, for example `CodeDeployDefault.LambdaAllAtOnce`; None for the group's own.
            alarms: names of at most 10 alarms, each of which stops it and rolls it back; None for the group's own.
            description: for people.
        """
        content = json.dumps(
            {
                "version": 0.0,
                "Resources": [
                    {
                        function: {
                            "Type": "AWS::Lambda::Function",
                            "Properties": {
                                "Name": function,
                                "Alias": alias,
                                "CurrentVersion": current_version,
                                "TargetVersion": target_version,
                            },
                        }
                    }
                ],
            }
        )
        asked: CreateDeploymentInputTypeDef = {
            "applicationName": application,
            "deploymentGroupName": group,
            "description": description,
            "revision": {
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()},
            },
            "autoRollbackConfiguration": {
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
        }
        if config is not None:
            asked["deploymentConfigName"] = config
        if alarms is not None:
            asked["overrideAlarmConfiguration"] = {
                "enabled": bool(alarms),
                "ignorePollAlarmFailure": False,
                "alarms": [{"name": name} for name in alarms],
            }
        with translated(f"cannot move alias {alias} of function {function} to version {target_version}"):
            return self._client.create_deployment(**asked)["deploymentId"]

    def get(self, deployment_id: str) -> Deployment:
        """One deployment; `message` says why it failed and what CodeDeploy did about it."""
        with translated(f"cannot read deployment {deployment_id}"):
            info = self._client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        return Deployment(
            id=deployment_id,
            group=info.get("deploymentGroupName", ""),
            status=info.get("status", ""),
            message=_message(info),
            description=info.get("description", ""),
            returns=info.get("creator") == "codeDeployRollback",
        )

    def stop(self, deployment_id: str, roll_back: bool) -> None:
        """Stop a deployment, and have the alias moved back by a new one if `roll_back`; harmless when it is over.

        Without `roll_back` the alias keeps two weighted versions, and no later deployment starts until they are gone.
        """
        with translated(f"cannot stop deployment {deployment_id}"):
            try:
                self._client.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=roll_back)
            except self._client.exceptions.DeploymentAlreadyCompletedException:
                return


def _message(info: DeploymentInfoTypeDef) -> str:
    failure, rollback = info.get("errorInformation", {}), info.get("rollbackInfo", {})
    why = ": ".join(each for each in (failure.get("code", ""), failure.get("message", "")) if each)
    then = rollback.get("rollbackMessage", "")
    if not then and rollback.get("rollbackDeploymentId"):
        then = f"rolled back by {rollback['rollbackDeploymentId']}"
    return " ".join(each for each in (why, f"({then})" if why and then else then) if each)
