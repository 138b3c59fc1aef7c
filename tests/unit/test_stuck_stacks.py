"""The ways out of a stack that is stuck, where the recorded screens of test_dead_ends.py do not tell them apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.model import dead_end
from manuel_release.model.stack import VALIDATION_FAILED, Stack, StackEvent

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STACK = Stack("manuel-dev", "arn:stack", "ROLLBACK_COMPLETE", "Rollback complete")


def failed(reason: str, kind: str = "AWS::DynamoDB::Table", physical: str = "", status: str = "") -> StackEvent:
    return StackEvent("e", NOW, "Thing", physical, kind, status or "CREATE_FAILED", reason)


def hint(*events: StackEvent) -> str:
    return dead_end.of(STACK, events, {}, "eu-west-1").hint


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("Resource of type 'AWS::DynamoDB::Table' with identifier 'manuel-usage' already exists.", "manuel-usage"),
        ("manuel-usage-dev already exists in stack arn:aws:cloudformation:x", "manuel-usage-dev"),
        ("/manuel/x already exists", "/manuel/x"),
        ("Application already exists with the name: manuel-app (Service: AmazonCodeDeploy)", "manuel-app"),
        ("Table already exists: manuel-usage-dev (Service: DynamoDb)", "manuel-usage-dev"),
    ],
)
def test_the_name_that_is_taken_is_found_in_awss_words(reason: str, name: str) -> None:
    assert f"{name} was there already" in hint(failed(reason))
    assert f"`aws dynamodb describe-table --table-name {name} --region eu-west-1`" in hint(failed(reason))


@pytest.mark.parametrize("reason", ["ParameterAlreadyExists", "BucketAlreadyOwnedByYou", "ResourceInUseException: no"])
def test_where_awss_words_name_nothing_the_resource_itself_does(reason: str) -> None:
    assert "used-name was there already" in hint(failed(reason, physical="used-name"))


@pytest.mark.parametrize(
    "event",
    [
        failed("The parameter already exists."),
        failed("thing-1 already exists", kind="AWS::Something::Unheard"),
        failed("It already exists", physical="/Resources/Thing", status=VALIDATION_FAILED),
    ],
    ids=str,
)
def test_where_nothing_is_named_or_the_type_is_unheard_of_the_way_out_is_general(event: StackEvent) -> None:
    assert "Something else has the name of Thing" in hint(event)


def test_any_other_reason_is_to_be_corrected() -> None:
    assert hint(failed("Not authorized")).startswith("Correct the resource that is named above. Delete what is left")


def test_a_role_is_in_no_region() -> None:
    text = hint(failed("manuel-role already exists", kind="AWS::IAM::Role"))

    assert "`aws iam get-role --role-name manuel-role`" in text


def test_what_was_cancelled_is_no_cause() -> None:
    events = (failed("Not authorized"), failed("Resource creation cancelled"))

    assert len(dead_end.of(STACK, events, {}, "eu-west-1").reason.splitlines()) == 2


def test_the_stacks_own_failure_is_told_only_where_nothing_else_is_known() -> None:
    own = StackEvent("e", NOW, "manuel-dev", "arn:stack", "AWS::CloudFormation::Stack", "CREATE_FAILED", "no")

    assert dead_end.failures_in(STACK, (own,)) == ()
    assert dead_end.of(STACK, (own,), {}, "eu-west-1").reason.endswith("  Rollback complete")


def test_a_resource_is_called_by_its_sentence_where_it_has_one() -> None:
    assert dead_end.told(failed("no"), {"Thing": "A table of counts."}) == "create failed: A table of counts. - no"
    assert dead_end.told(failed("no"), {}) == "create failed: Thing (AWS::DynamoDB::Table) - no"
