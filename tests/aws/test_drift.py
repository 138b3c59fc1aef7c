from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.errors import ReleaseError
from manuel_release.model.drift import Detection, DriftedResource

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/manuel-dev/1"


def status(word, **more):
    return {
        "StackId": STACK_ID,
        "StackDriftDetectionId": "d-1",
        "DetectionStatus": word,
        "Timestamp": AT,
        **more,
    }


def asked_for(stubber, *answers):
    for answer in answers:
        stubber.add_response("describe_stack_drift_detection_status", answer, {"StackDriftDetectionId": "d-1"})


def test_a_detection_is_started_for_the_whole_stack(aws, stub) -> None:
    stub("cloudformation").add_response(
        "detect_stack_drift", {"StackDriftDetectionId": "d-1"}, {"StackName": "manuel-dev"}
    )

    assert aws.drift.begin("manuel-dev") == "d-1"


def test_a_detection_that_aws_refuses_is_said_in_its_words(aws, stub) -> None:
    stub("cloudformation").add_client_error("detect_stack_drift", "ValidationError", "already in progress")

    with pytest.raises(ReleaseError, match="cannot start the drift detection of stack manuel-dev: already in progress"):
        aws.drift.begin("manuel-dev")


def test_a_detection_is_waited_for(aws, stub, pauses) -> None:
    asked_for(
        stub("cloudformation"),
        *[status("DETECTION_IN_PROGRESS")] * 2,
        status("DETECTION_COMPLETE", StackDriftStatus="DRIFTED", DriftedStackResourceCount=1),
    )

    assert aws.drift.wait("d-1", 60) == Detection(complete=True)
    assert pauses == [0.5, 1.0]


def test_a_detection_that_takes_too_long_is_left_alone_after_exactly_that_time(aws, stub, pauses) -> None:
    asked_for(stub("cloudformation"), *[status("DETECTION_IN_PROGRESS")] * 5)

    assert aws.drift.wait("d-1", 4.0) is None
    assert sum(pauses) == 4.0


def test_resources_that_could_not_be_read_make_a_detection_incomplete(aws, stub) -> None:
    asked_for(stub("cloudformation"), status("DETECTION_FAILED", DetectionStatusReason="Failed on [Table]"))

    assert aws.drift.wait("d-1", 60) == Detection(complete=False, reason="Failed on [Table]")


def drift(logical_id, kind, **more):
    return {"StackId": STACK_ID, "LogicalResourceId": logical_id, "ResourceType": kind, "Timestamp": AT, **more}


def test_what_differs_is_named_over_all_pages_and_values_are_left_out(aws, stub) -> None:
    difference = {"ExpectedValue": "1", "ActualValue": "hunter2", "DifferenceType": "NOT_EQUAL"}
    moved = drift(
        "HealthLiveAlias",
        "AWS::Lambda::Alias",
        PhysicalResourceId="arn:live",
        StackResourceDriftStatus="MODIFIED",
        PropertyDifferences=[{**difference, "PropertyPath": "/FunctionVersion"}],
    )
    gone = drift("AlertTopic", "AWS::SNS::Topic", StackResourceDriftStatus="DELETED")
    asked = {"StackName": "manuel-dev", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    stubber = stub("cloudformation")
    stubber.add_response(
        "describe_stack_resource_drifts", {"StackResourceDrifts": [moved], "NextToken": "more"}, dict(asked)
    )
    stubber.add_response(
        "describe_stack_resource_drifts", {"StackResourceDrifts": [gone]}, {**asked, "NextToken": "more"}
    )

    found = aws.drift.resources("manuel-dev")

    assert found == (
        DriftedResource("AlertTopic", "", "AWS::SNS::Topic", deleted=True),
        DriftedResource("HealthLiveAlias", "arn:live", "AWS::Lambda::Alias", properties=("/FunctionVersion",)),
    )
    assert "hunter2" not in repr(found)
