from __future__ import annotations

import hashlib
import json

import pytest
from botocore.stub import ANY

from manuel_release.errors import ReleaseError
from manuel_release.model.traffic import Deployment

ACTIVE = {
    "applicationName": "manuel-serverless-app",
    "deploymentGroupName": "manuel-health-dev",
    "includeOnlyStatuses": ["Created", "Queued", "InProgress", "Baking", "Ready"],
}
APPSPEC = (
    '{"version": 0.0, "Resources": [{"manuel-health-dev": {"Type": "AWS::Lambda::Function", "Properties": '
    '{"Name": "manuel-health-dev", "Alias": "live", "CurrentVersion": "3", "TargetVersion": "4"}}}]}'
)
CREATED = {
    "applicationName": "manuel-serverless-app",
    "deploymentGroupName": "manuel-health-dev",
    "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
    "description": "v1 r-13",
    "revision": {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": APPSPEC, "sha256": hashlib.sha256(APPSPEC.encode()).hexdigest()},
    },
    "autoRollbackConfiguration": {
        "enabled": True,
        "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
    },
}


def create(aws, alarms=None) -> str:
    return aws.deployments.create(
        application="manuel-serverless-app",
        group="manuel-health-dev",
        function="manuel-health-dev",
        alias="live",
        current_version="3",
        target_version="4",
        config="CodeDeployDefault.LambdaAllAtOnce",
        alarms=alarms,
        description="v1 r-13",
    )


def test_active_deployments_are_those_that_are_not_over_on_every_page(aws, stub) -> None:
    codedeploy = stub("codedeploy")
    codedeploy.add_response("list_deployments", {"deployments": ["d-1"], "nextToken": "more"}, ACTIVE)
    codedeploy.add_response("list_deployments", {"deployments": ["d-2"]}, {**ACTIVE, "nextToken": "more"})

    assert aws.deployments.active("manuel-serverless-app", "manuel-health-dev") == ("d-1", "d-2")


@pytest.mark.parametrize("code", ["ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException"])
def test_what_does_not_exist_yet_has_no_active_deployments(aws, stub, code) -> None:
    stub("codedeploy").add_client_error("list_deployments", code)

    assert aws.deployments.active("manuel-serverless-app", "manuel-health-dev") == ()


def test_a_deployment_names_function_alias_and_versions_and_rolls_back_by_itself(aws, stub) -> None:
    stub("codedeploy").add_response("create_deployment", {"deploymentId": "d-1"}, CREATED)

    assert create(aws) == "d-1"
    assert json.loads(APPSPEC)["version"] == 0.0


def test_given_alarms_take_the_place_of_the_groups(aws, stub) -> None:
    alarms = {"enabled": True, "ignorePollAlarmFailure": False, "alarms": [{"name": "one"}, {"name": "two"}]}
    stub("codedeploy").add_response(
        "create_deployment", {"deploymentId": "d-1"}, {**CREATED, "overrideAlarmConfiguration": alarms}
    )

    assert create(aws, ["one", "two"]) == "d-1"


def test_an_empty_list_of_alarms_switches_the_groups_off(aws, stub) -> None:
    alarms = {"enabled": False, "ignorePollAlarmFailure": False, "alarms": []}
    stub("codedeploy").add_response(
        "create_deployment", {"deploymentId": "d-1"}, {**CREATED, "overrideAlarmConfiguration": alarms}
    )

    assert create(aws, []) == "d-1"


def test_a_second_deployment_of_a_group_is_told_in_codedeploys_words(aws, stub) -> None:
    said = "The Deployment Group 'manuel-health-dev' already has an active Deployment 'd-1'"
    stub("codedeploy").add_client_error("create_deployment", "DeploymentLimitExceededException", said)

    with pytest.raises(
        ReleaseError, match=f"cannot move alias live of function manuel-health-dev to version 4: {said}"
    ):
        create(aws)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({}, ""),
        (
            {
                "errorInformation": {"code": "ALARM_ACTIVE", "message": "One or more alarms have been activated"},
                "rollbackInfo": {"rollbackDeploymentId": "d-2", "rollbackMessage": "Deployment d-2 rolls it back"},
            },
            "ALARM_ACTIVE: One or more alarms have been activated (Deployment d-2 rolls it back)",
        ),
        (
            {"errorInformation": {"code": "MANUAL_STOP"}, "rollbackInfo": {"rollbackDeploymentId": "d-2"}},
            "MANUAL_STOP (rolled back by d-2)",
        ),
        ({"rollbackInfo": {"rollbackMessage": "Rolling back"}}, "Rolling back"),
    ],
)
def test_a_deployment_says_why_it_failed_and_what_codedeploy_did(aws, stub, info, message) -> None:
    stub("codedeploy").add_response(
        "get_deployment",
        {"deploymentInfo": {"deploymentGroupName": "manuel-health-dev", "status": "Failed", **info}},
        {"deploymentId": "d-1"},
    )

    assert aws.deployments.get("d-1") == Deployment("d-1", "manuel-health-dev", "Failed", message)


@pytest.mark.parametrize("roll_back", [True, False])
def test_stopping_says_whether_the_alias_goes_back(aws, stub, roll_back) -> None:
    stub("codedeploy").add_response(
        "stop_deployment", {"status": "Pending"}, {"deploymentId": "d-1", "autoRollbackEnabled": roll_back}
    )

    aws.deployments.stop("d-1", roll_back=roll_back)


def test_stopping_what_is_over_is_harmless(aws, stub) -> None:
    stub("codedeploy").add_client_error("stop_deployment", "DeploymentAlreadyCompletedException")

    aws.deployments.stop("d-1", roll_back=True)


def test_stopping_what_never_was_is_an_error(aws, stub) -> None:
    stub("codedeploy").add_client_error(
        "stop_deployment",
        "DeploymentDoesNotExistException",
        "The deployment d-1 could not be found",
        expected_params={"deploymentId": ANY, "autoRollbackEnabled": ANY},
    )

    with pytest.raises(ReleaseError, match="cannot stop deployment d-1: The deployment d-1 could not be found"):
        aws.deployments.stop("d-1", roll_back=True)
