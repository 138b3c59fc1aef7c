"""Once a secret was read, no text of AWS's is told with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.aws import masking
from manuel_release.errors import ReleaseError
from manuel_release.model.parameter import StoredValue

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def secret(aws, stub):
    """A SecureString that was read."""
    found = {"Name": "/manuel/dev/key", "Type": "SecureString", "Value": "hunter2-secret", "Version": 4}
    stub("ssm").add_response("get_parameter", {"Parameter": found}, {"Name": "/manuel/dev/key", "WithDecryption": True})
    yield aws.parameters.read("/manuel/dev/key")
    masking._secrets.clear()


def test_a_secret_has_its_value_and_does_not_show_it(secret) -> None:
    assert secret == StoredValue("/manuel/dev/key", 4, secret=True, value="hunter2-secret")
    assert "hunter2" not in repr(secret)


def test_an_error_that_repeats_a_secret_is_told_without_it(aws, stub, secret) -> None:
    stub("cloudformation").add_client_error("detect_stack_drift", "ValidationError", "'hunter2-secret' is wrong")

    with pytest.raises(ReleaseError) as raised:
        aws.drift.begin("manuel-dev")

    assert raised.value.message.endswith(": '****' is wrong")


def test_an_event_and_a_stack_that_repeat_a_secret_are_told_without_it(aws, stub, secret) -> None:
    event = {
        "StackId": "arn",
        "EventId": "e",
        "StackName": "manuel-dev",
        "Timestamp": AT,
        "ResourceStatusReason": "hunter2-secret",
    }
    stack = {
        "StackName": "manuel-dev",
        "CreationTime": AT,
        "StackStatus": "UPDATE_ROLLBACK_COMPLETE",
        "StackStatusReason": "hunter2-secret",
    }
    stubber = stub("cloudformation")
    stubber.add_response("describe_stack_events", {"StackEvents": [event]})
    stubber.add_response("describe_stacks", {"Stacks": [stack]})

    assert [each.reason for each in aws.stacks.events("manuel-dev")] == ["****"]
    assert aws.stacks.describe("manuel-dev").reason == "****"


def test_a_change_set_that_aws_refuses_is_told_without_a_secret(aws, stub, secret) -> None:
    stubber = stub("cloudformation")
    stubber.add_response("create_change_set", {"Id": "cs"})
    stubber.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": "bad value hunter2-secret"})
    stubber.add_response("describe_events", {"OperationEvents": []})
    stubber.add_response("delete_change_set", {})

    with pytest.raises(ReleaseError, match=r"bad value \*\*\*\*$"):
        aws.stacks.create_change_set(
            stack="s",
            template_url=None,
            template_body="{}",
            parameters={"Key": "hunter2-secret"},
            creates=True,
            name="n",
            description="d",
            rollback_alarms=(),
            tags={},
        )


def test_a_secret_inside_a_longer_one_does_not_uncover_the_rest() -> None:
    masking.hide("abcd")
    masking.hide("abcdefgh")

    assert masking.masked("xabcdefghx") == "x****x"
    masking._secrets.clear()


def test_a_value_of_three_characters_is_no_secret() -> None:
    masking.hide("the")

    assert masking.masked("the stack") == "the stack"
