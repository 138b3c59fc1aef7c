from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.errors import ReleaseError
from manuel_release.model.traffic import ApiStage, Canary

ASKED = {"restApiId": "abc", "stageName": "v1"}
PATCHES = {
    **ASKED,
    "patchOperations": [
        {"op": "replace", "path": "/variables/current", "value": "r-13"},
        {"op": "replace", "path": "/variables/previous", "value": "r-12"},
    ],
}
WRITTEN = {"stageName": "v1", "deploymentId": "d1", "variables": {"current": "r-13", "previous": "r-12"}}


def test_a_stage_has_its_deployment_variables_and_canary(aws, stub) -> None:
    stub("apigateway").add_response(
        "get_stage",
        {
            "stageName": "v1",
            "deploymentId": "d1",
            "variables": {"release": "live"},
            "canarySettings": {"percentTraffic": 10.0, "stageVariableOverrides": {"release": "r-13"}},
        },
        ASKED,
    )

    assert aws.gateway.stage("abc", "v1") == ApiStage("abc", "v1", "d1", {"release": "live"}, Canary(10.0, "r-13"))


def test_a_canary_that_overrides_nothing_names_no_release(aws, stub) -> None:
    stub("apigateway").add_response("get_stage", {"stageName": "v1", "canarySettings": {"percentTraffic": 5.0}}, ASKED)

    assert aws.gateway.stage("abc", "v1").canary == Canary(5.0, None)


def test_a_stage_without_a_canary_has_none(aws, stub) -> None:
    stub("apigateway").add_response("get_stage", {"stageName": "v1", "deploymentId": "d1"}, ASKED)

    assert aws.gateway.stage("abc", "v1") == ApiStage("abc", "v1", "d1", {}, None)


def test_a_stage_that_does_not_exist_is_none(aws, stub) -> None:
    stub("apigateway").add_client_error("get_stage", "NotFoundException", expected_params=ASKED)

    assert aws.gateway.stage("abc", "v1") is None


def test_variables_are_written_in_one_call_and_nothing_else_is(aws, stub) -> None:
    stub("apigateway").add_response("update_stage", WRITTEN, PATCHES)

    stage = aws.gateway.write_variables("abc", "v1", {"current": "r-13", "previous": "r-12"})

    assert (stage.current, stage.previous) == ("r-13", "r-12")


def test_a_conflict_with_another_change_is_tried_again(aws, stub, pauses) -> None:
    apigateway = stub("apigateway")
    apigateway.add_client_error("update_stage", "ConflictException", expected_params=PATCHES)
    apigateway.add_client_error("update_stage", "ConflictException", expected_params=PATCHES)
    apigateway.add_response("update_stage", WRITTEN, PATCHES)

    assert aws.gateway.write_variables("abc", "v1", {"current": "r-13", "previous": "r-12"}).current == "r-13"
    assert len(pauses) == 2


def test_a_conflict_that_stays_is_told(aws, stub, pauses) -> None:
    apigateway = stub("apigateway")
    for _ in range(5):
        apigateway.add_client_error("update_stage", "ConflictException", "Unable to complete operation")

    with pytest.raises(ReleaseError, match="cannot change stage v1 of API abc: Unable to complete operation"):
        aws.gateway.write_variables("abc", "v1", {"current": "r-13"})

    assert len(pauses) == 4


def test_a_refused_value_is_not_tried_again(aws, stub, pauses) -> None:
    stub("apigateway").add_client_error("update_stage", "BadRequestException", "Invalid stage variable value: §")

    with pytest.raises(ReleaseError, match="Invalid stage variable value"):
        aws.gateway.write_variables("abc", "v1", {"current": "§"})

    assert pauses == []


def test_the_moment_of_the_last_change_and_the_apis_name_are_read(aws, stub) -> None:
    changed = datetime(2026, 3, 2, 14, 0, 5, tzinfo=UTC)
    gateway = stub("apigateway")
    gateway.add_response(
        "get_stage",
        {"stageName": "v1", "deploymentId": "d1", "lastUpdatedDate": changed},
        {"restApiId": "abc", "stageName": "v1"},
    )
    gateway.add_response("get_rest_api", {"name": "manuel-api-prod"}, {"restApiId": "abc"})

    stage = aws.gateway.stage("abc", "v1")

    assert stage is not None
    assert stage.updated_at == changed
    assert aws.gateway.name("abc") == "manuel-api-prod"


@pytest.mark.parametrize(
    ("arn", "group"),
    [
        ("arn:aws:logs:eu-west-1:123456789012:log-group:/manuel/prod/api-access", "/manuel/prod/api-access"),
        ("arn:aws:logs:eu-west-1:123456789012:log-group:/manuel/prod/api-access:*", "/manuel/prod/api-access"),
        ("arn:aws:firehose:eu-west-1:123456789012:deliverystream/amazon-apigateway-lines", ""),
    ],
)
def test_the_access_log_is_a_log_group_or_none(aws, stub, arn, group) -> None:
    settings = {"destinationArn": arn, "format": "$context.requestId"}
    stub("apigateway").add_response("get_stage", {"stageName": "v1", "accessLogSettings": settings}, ASKED)

    assert aws.gateway.stage("abc", "v1").access_log == group
