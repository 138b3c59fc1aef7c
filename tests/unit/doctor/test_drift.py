"""The check of drift: what releases change on purpose is explained, everything else is a warning."""

from __future__ import annotations

import pytest
from unit.doctor.patient import only

from manuel_release.doctor.drift import NEVER_REVERT, begin, drift
from manuel_release.model.check import Level
from manuel_release.model.drift import Detection, DriftedResource
from manuel_release.model.stack import ALIAS

LIVE = "arn:aws:lambda:eu-west-1:123456789012:function:manuel-health-dev:live"
MOVED = DriftedResource("HealthLiveAlias", LIVE, ALIAS, properties=("/FunctionVersion",))
STAGE = DriftedResource("Stage", "v1", "AWS::ApiGateway::Stage", properties=("/Variables/current", "/Variables/r"))


def looked(patient, *found: DriftedResource, status: str = "UPDATE_COMPLETE"):
    patient.stack(status)
    patient.aws.drift.found = found
    subject = patient.subject()
    return only(drift(subject, begin(subject), 60.0))


def test_an_environment_without_a_stack_has_none(patient) -> None:
    subject = patient.subject()

    assert begin(subject) is None
    assert list(drift(subject, None, 60.0)) == []


def test_no_drift_is_fine(patient) -> None:
    check = looked(patient)

    assert check.level is Level.OK
    assert check.message == "everything that CloudFormation can compare is as the template says"


def test_live_is_known_to_drift_and_that_is_explained(patient) -> None:
    check = looked(patient, MOVED, STAGE)

    assert check.level is Level.OK
    assert "`live` of 1 function: version 1 in the template, and CodeDeploy moves it" in check.message
    assert "variables and canary of the API stage: the release tool writes them" in check.message
    assert NEVER_REVERT in check.message


@pytest.mark.parametrize(
    ("strange", "told"),
    [
        (
            DriftedResource("Table", "t", "AWS::DynamoDB::Table", deleted=True),
            "Table (AWS::DynamoDB::Table) was deleted",
        ),
        (
            DriftedResource("HealthFunction", "f", "AWS::Lambda::Function", properties=("/MemorySize", "/Timeout")),
            "HealthFunction (AWS::Lambda::Function) differs in /MemorySize, /Timeout",
        ),
        (DriftedResource("HealthLiveAlias", LIVE, ALIAS, deleted=True), "was deleted"),
        (DriftedResource("HealthLiveAlias", LIVE, ALIAS), "differs in something"),
        (
            DriftedResource("HealthLiveAlias", LIVE, ALIAS, properties=("/FunctionVersion", "/Description")),
            "/Description",
        ),
        (DriftedResource("Other", "arn:x:other", ALIAS, properties=("/FunctionVersion",)), "Other"),
        (
            DriftedResource("Stage", "v1", "AWS::ApiGateway::Stage", properties=("/Variables/a", "/TracingEnabled")),
            "/TracingEnabled",
        ),
        (DriftedResource("Stage", "v1", "AWS::ApiGateway::Stage", deleted=True), "was deleted"),
        (DriftedResource("Stage", "v1", "AWS::ApiGateway::Stage"), "differs in something"),
    ],
)
def test_everything_else_is_a_warning_beside_what_is_known(patient, strange, told) -> None:
    check = looked(patient, MOVED, strange)

    assert check.level is Level.WARNING
    assert told in check.message
    assert len(check.message.splitlines()) == 1
    assert NEVER_REVERT in check.hint


def test_a_detection_that_goes_on_is_a_warning(patient) -> None:
    patient.aws.drift.ended = None
    check = looked(patient, MOVED)

    assert check.level is Level.WARNING
    assert "still looking" in check.message
    assert "--timeout" in check.hint


def test_resources_that_could_not_be_read_are_told_beside_the_others(patient) -> None:
    patient.stack("UPDATE_COMPLETE")
    patient.aws.drift.ended = Detection(complete=False, reason="Failed on [Table]")
    patient.aws.drift.found = (DriftedResource("Topic", "t", "AWS::SNS::Topic", deleted=True),)
    subject = patient.subject()
    unread, strange = drift(subject, begin(subject), 60.0)

    assert (unread.level, strange.level) == (Level.WARNING, Level.WARNING)
    assert unread.message == "not every resource could be read: Failed on [Table]"


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_it_is_not_looked_for_in_a_stack_that_cloudformation_refuses(patient, status) -> None:
    check = looked(patient, status=status)

    assert check.level is Level.SKIPPED
    assert status in check.message
    assert patient.aws.drift.begun == []
