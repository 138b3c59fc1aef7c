from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from manuel_release.aws.change_sets import CHANGE_SET_SECONDS
from manuel_release.aws.stacks import DELETE_SECONDS
from manuel_release.errors import AccessError, Pending, Refused, ReleaseError
from manuel_release.model.stack import (
    Action,
    Change,
    ChangeSet,
    PropertyChange,
    Replacement,
    Resource,
    Stack,
    StackEvent,
)

NAME = "manuel-dev"
ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/manuel-dev/0637fd51"
SET = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/r-13/21519f1d"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def stack(status: str, **more):
    return {"Stacks": [{"StackName": NAME, "StackId": ID, "CreationTime": NOON, "StackStatus": status, **more}]}


def missing(cloudformation, operation: str, name: str = NAME) -> None:
    cloudformation.add_client_error(
        operation,
        "ValidationError",
        f"Stack with id {name} does not exist",
        expected_params={"StackName": name},
    )


def test_a_stack_has_its_status_reason_outputs_and_parameters(aws, stub) -> None:
    stub("cloudformation").add_response(
        "describe_stacks",
        stack(
            "UPDATE_ROLLBACK_COMPLETE",
            StackStatusReason="it failed",
            Outputs=[{"OutputKey": "ApiId", "OutputValue": "abc"}],
            Parameters=[{"ParameterKey": "Environment", "ParameterValue": "dev"}],
        ),
        {"StackName": NAME},
    )

    assert aws.stacks.describe(NAME) == Stack(
        NAME, ID, "UPDATE_ROLLBACK_COMPLETE", "it failed", {"ApiId": "abc"}, {"Environment": "dev"}
    )


def test_a_stack_that_does_not_exist_is_none(aws, stub) -> None:
    missing(stub("cloudformation"), "describe_stacks")

    assert aws.stacks.describe(NAME) is None


def test_a_deleted_stack_is_none(aws, stub) -> None:
    stub("cloudformation").add_response("describe_stacks", stack("DELETE_COMPLETE"), {"StackName": ID})

    assert aws.stacks.describe(ID) is None


def test_a_stack_that_may_not_be_read_is_an_access_error_and_not_none(aws, stub) -> None:
    stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", "no")

    with pytest.raises(AccessError, match="cannot read stack manuel-dev"):
        aws.stacks.describe(NAME)


def test_another_validation_error_is_told(aws, stub) -> None:
    stub("cloudformation").add_client_error("describe_stacks", "ValidationError", "1 validation error detected")

    with pytest.raises(ReleaseError, match="cannot read stack manuel-dev: 1 validation error detected"):
        aws.stacks.describe(NAME)


def test_resources_come_from_every_page(aws, stub) -> None:
    def resource(name, **more):
        return {
            "LogicalResourceId": name,
            "ResourceType": "AWS::SNS::Topic",
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": NOON,
            **more,
        }

    cloudformation = stub("cloudformation")
    cloudformation.add_response(
        "list_stack_resources",
        {"StackResourceSummaries": [resource("A", PhysicalResourceId="a")], "NextToken": "more"},
        {"StackName": NAME},
    )
    cloudformation.add_response(
        "list_stack_resources",
        {"StackResourceSummaries": [resource("B")]},
        {"StackName": NAME, "NextToken": "more"},
    )

    assert aws.stacks.resources(NAME) == (
        Resource("A", "a", "AWS::SNS::Topic", "CREATE_COMPLETE"),
        Resource("B", "", "AWS::SNS::Topic", "CREATE_COMPLETE"),
    )


def event(number: int, seconds: float):
    return {
        "StackId": ID,
        "StackName": NAME,
        "EventId": f"e{number}",
        "Timestamp": NOON + timedelta(seconds=seconds),
        "LogicalResourceId": "Topic",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": "too many",
    }


def test_events_of_every_page_come_oldest_first(aws, stub) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response(
        "describe_stack_events", {"StackEvents": [event(3, 3), event(2, 2)], "NextToken": "more"}, {"StackName": NAME}
    )
    cloudformation.add_response(
        "describe_stack_events", {"StackEvents": [event(1, 1)]}, {"StackName": NAME, "NextToken": "more"}
    )

    events = aws.stacks.events(NAME)

    assert [each.id for each in events] == ["e1", "e2", "e3"]
    assert events[0] == StackEvent("e1", NOON + timedelta(seconds=1), "Topic", "", "", "CREATE_FAILED", "too many")


def test_events_before_a_moment_are_left_out_and_their_pages_not_read(aws, stub) -> None:
    stub("cloudformation").add_response(
        "describe_stack_events",
        {"StackEvents": [event(4, 4), event(3, 3), event(2, 3), event(1, 1)], "NextToken": "more"},
        {"StackName": NAME},
    )

    events = aws.stacks.events(NAME, NOON + timedelta(seconds=3))

    assert [each.id for each in events] == ["e2", "e3", "e4"]


def test_the_time_of_an_event_is_utc_whatever_the_answers_zone(aws, stub) -> None:
    local = event(1, 0) | {"Timestamp": NOON.astimezone(timezone(timedelta(hours=5)))}
    stub("cloudformation").add_response("describe_stack_events", {"StackEvents": [local]}, {"StackName": NAME})

    (found,) = aws.stacks.events(NAME)

    assert (found.at, found.at.tzinfo) == (NOON, UTC)


def test_a_stack_that_does_not_exist_has_no_events(aws, stub) -> None:
    missing(stub("cloudformation"), "describe_stack_events")

    assert aws.stacks.events(NAME) == ()


def test_events_that_may_not_be_read_are_an_access_error_and_not_none(aws, stub) -> None:
    stub("cloudformation").add_client_error("describe_stack_events", "AccessDenied", "no")

    with pytest.raises(AccessError, match="cannot read the events of stack manuel-dev"):
        aws.stacks.events(NAME)


def asked(**other):
    return {
        "StackName": NAME,
        "ChangeSetName": "r-13",
        "ChangeSetType": "UPDATE",
        "Description": "release r-13",
        "Parameters": [{"ParameterKey": "ReleaseId", "ParameterValue": "r-13"}],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "RollbackConfiguration": {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0},
        "Tags": [{"Key": "manuel:environment", "Value": "dev"}],
        "TemplateURL": "https://s3/template.yaml",
        **other,
    }


def create(aws, **other) -> ChangeSet:
    how = {
        "stack": NAME,
        "template_url": "https://s3/template.yaml",
        "template_body": None,
        "parameters": {"ReleaseId": "r-13"},
        "creates": False,
        "name": "r-13",
        "description": "release r-13",
        "rollback_alarms": (),
        "tags": {"manuel:environment": "dev"},
    }
    return aws.stacks.create_change_set(**{**how, **other})


def described(cloudformation, status: str, more=None, token=None, **answer) -> None:
    cloudformation.add_response(
        "describe_change_set",
        {"Status": status, **answer, **({"NextToken": more} if more else {})},
        {"ChangeSetName": SET, **({"NextToken": token} if token else {})},
    )


TOPIC = {"Action": "Add", "LogicalResourceId": "Topic", "ResourceType": "AWS::SNS::Topic"}
FUNCTION = {
    "Action": "Modify",
    "LogicalResourceId": "Function",
    "PhysicalResourceId": "manuel-health-dev",
    "ResourceType": "AWS::Lambda::Function",
    "Replacement": "Conditional",
    "Scope": ["Properties", "Tags"],
    "Details": [
        {"Target": {"Attribute": "Properties", "Name": "MemorySize", "RequiresRecreation": "Never"}},
        {"Target": {"Attribute": "Properties", "Name": "Code", "RequiresRecreation": "Never"}},
        {"Target": {"Attribute": "Properties", "Name": "Code", "RequiresRecreation": "Never"}},
        {"Target": {"Attribute": "Tags"}},
    ],
}


def test_a_change_set_is_waited_for_and_has_the_changes_of_every_page(aws, stub, pauses) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked())
    described(cloudformation, "CREATE_PENDING")
    described(cloudformation, "CREATE_IN_PROGRESS")
    described(cloudformation, "CREATE_COMPLETE")
    described(cloudformation, "CREATE_COMPLETE", more="2", Changes=[{"Type": "Resource", "ResourceChange": TOPIC}])
    described(cloudformation, "CREATE_COMPLETE", token="2", Changes=[{"Type": "Resource", "ResourceChange": FUNCTION}])

    found = create(aws)

    assert found == ChangeSet(
        SET,
        NAME,
        (
            Change(Action.ADD, "Topic", "", "AWS::SNS::Topic"),
            Change(
                Action.MODIFY,
                "Function",
                "manuel-health-dev",
                "AWS::Lambda::Function",
                Replacement.PERHAPS,
                ("Code", "MemorySize"),
                ("Properties", "Tags"),
                details=(PropertyChange("MemorySize"), PropertyChange("Code"), PropertyChange("Code")),
            ),
        ),
        creates_stack=False,
    )
    assert len(pauses) == 2


def test_a_new_stack_its_body_and_its_alarms_are_asked_for_as_given(aws, stub) -> None:
    alarm = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:manuel-dev-errors"
    triggers = {
        "RollbackTriggers": [{"Arn": alarm, "Type": "AWS::CloudWatch::Alarm"}],
        "MonitoringTimeInMinutes": 0,
    }
    wanted = asked(ChangeSetType="CREATE", RollbackConfiguration=triggers, TemplateBody="{}")
    del wanted["TemplateURL"]
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, wanted)
    described(cloudformation, "CREATE_COMPLETE")
    described(cloudformation, "CREATE_COMPLETE", Changes=[{"Type": "Resource", "ResourceChange": TOPIC}])

    found = create(aws, template_url=None, template_body="{}", creates=True, rollback_alarms=[alarm])

    assert found.creates_stack


def test_cloudformation_acts_as_the_role_that_the_environment_names(aws, stub, monkeypatch) -> None:
    role = "arn:aws:iam::123456789012:role/manuel-pipeline-DevStackRole-1"
    monkeypatch.setenv("MANUEL_STACK_ROLE", role)
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked(RoleARN=role))
    described(cloudformation, "CREATE_COMPLETE")
    described(cloudformation, "CREATE_COMPLETE", Changes=[{"Type": "Resource", "ResourceChange": TOPIC}])

    create(aws)


def test_a_parameter_without_a_value_keeps_the_one_that_it_has(aws, stub) -> None:
    kept = [{"ParameterKey": "Environment", "UsePreviousValue": True}]
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked(Parameters=kept))
    described(cloudformation, "CREATE_COMPLETE")
    described(cloudformation, "CREATE_COMPLETE", Changes=[{"Type": "Resource", "ResourceChange": TOPIC}])

    create(aws, parameters={"Environment": None})


@pytest.mark.parametrize("reason", [NO_CHANGES, "No updates are to be performed."])
def test_a_change_set_without_changes_is_deleted_and_empty(aws, stub, reason) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked())
    described(cloudformation, "FAILED", StatusReason=reason)
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    assert create(aws) == ChangeSet(SET, NAME)


def failed(cloudformation, reason: str) -> None:
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked())
    described(cloudformation, "FAILED", StatusReason=reason)


FINDINGS = {"ChangeSetName": SET, "Filters": {"FailedEvents": True}}


def test_a_change_set_that_fails_is_deleted_and_told_in_awss_words(aws, stub) -> None:
    cloudformation = stub("cloudformation")
    failed(cloudformation, "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application")
    cloudformation.add_response("describe_events", {"OperationEvents": []}, FINDINGS)
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(ReleaseError) as raised:
        create(aws)

    assert raised.value.message == (
        "AWS refuses the change of stack manuel-dev: "
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application"
    )


def test_what_awss_validation_objects_to_is_told_resource_by_resource(aws, stub) -> None:
    cloudformation = stub("cloudformation")
    failed(cloudformation, "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].")
    cloudformation.add_response(
        "describe_events",
        {
            "OperationEvents": [
                {
                    "LogicalResourceId": "Bucket",
                    "ValidationPath": "/Resources/Bucket/Properties/BucketName",
                    "ValidationStatusReason": "Bucket name is taken",
                },
                {"OperationStatus": "FAILED"},
                {"LogicalResourceId": "Topic", "HookStatusReason": "no encryption"},
            ]
        },
        FINDINGS,
    )
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(ReleaseError) as raised:
        create(aws)

    assert raised.value.message.splitlines()[1:] == [
        "  Bucket /Resources/Bucket/Properties/BucketName: Bucket name is taken",
        "  Topic: no encryption",
    ]


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "InvalidAction"])
def test_the_reason_is_told_also_where_the_findings_cannot_be_read(aws, stub, code) -> None:
    cloudformation = stub("cloudformation")
    failed(cloudformation, "Validation failed")
    cloudformation.add_client_error("describe_events", code, "no", expected_params=FINDINGS)
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(ReleaseError, match=r"AWS refuses the change of stack manuel-dev: Validation failed\Z"):
        create(aws)


@pytest.mark.parametrize(("within", "looks"), [(1.0, 5), (CHANGE_SET_SECONDS, 128)])
def test_a_change_set_that_is_never_computed_is_pending_and_deleted(aws, stub, pauses, within, looks) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked())
    for _ in range(looks):
        described(cloudformation, "CREATE_IN_PROGRESS")
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(Pending, match=r"is not computed after \d+ s: CREATE_IN_PROGRESS"):
        create(aws, within=within)

    assert within <= sum(pauses) < within + 5
    assert max(pauses) <= 5


def test_a_stack_that_is_busy_says_how_to_see_when_it_is_not(aws, stub) -> None:
    said = f"Stack:{ID} is in UPDATE_IN_PROGRESS state and can not be updated."
    stub("cloudformation").add_client_error("create_change_set", "ValidationError", said)

    with pytest.raises(ReleaseError, match="is in UPDATE_IN_PROGRESS state") as raised:
        create(aws)

    assert "manuel-release status" in raised.value.hint


@pytest.mark.parametrize(
    ("code", "said", "way_out"),
    [
        (
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_X]",
            "aws cloudformation validate-tem",
        ),
        ("ValidationError", "Template may not exceed 1000000 bytes in size.", "operations.yaml"),
        (
            "ValidationError",
            "'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
            "operations.yaml",
        ),
    ],
)
def test_a_change_set_that_aws_does_not_begin_with_has_a_way_out(aws, stub, code, said, way_out) -> None:
    stub("cloudformation").add_client_error("create_change_set", code, said)

    with pytest.raises(ReleaseError) as raised:
        create(aws)

    assert said in raised.value.message
    assert way_out in raised.value.hint


def test_a_template_that_has_too_many_resources_has_a_way_out(aws, stub) -> None:
    cloudformation = stub("cloudformation")
    failed(cloudformation, "Template format error: Number of resources, 512, is greater than maximum allowed, 500")
    cloudformation.add_response("describe_events", {"OperationEvents": []}, FINDINGS)
    cloudformation.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(ReleaseError) as raised:
        create(aws)

    assert "operations.yaml" in raised.value.hint


def test_a_template_that_aws_refuses_is_told_in_awss_words(aws, stub) -> None:
    stub("cloudformation").add_client_error("create_change_set", "ValidationError", "Parameters: [X] must have values")

    with pytest.raises(ReleaseError, match=r"cannot plan the change of stack manuel-dev: Parameters: \[X\]") as raised:
        create(aws)

    assert raised.value.hint == ""


def test_executing_carries_the_token_that_makes_it_happen_once(aws, stub) -> None:
    stub("cloudformation").add_response(
        "execute_change_set", {}, {"ChangeSetName": SET, "ClientRequestToken": "token-1"}
    )

    aws.stacks.execute(SET, "token-1")


def test_deleting_a_change_set_that_is_gone_is_harmless(aws, stub) -> None:
    stub("cloudformation").add_client_error("delete_change_set", "ChangeSetNotFound", "gone")

    aws.stacks.delete_change_set(SET)


def test_a_stack_that_was_never_created_is_deleted_and_waited_for(aws, stub, pauses) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("describe_stacks", stack("REVIEW_IN_PROGRESS"), {"StackName": NAME})
    cloudformation.add_response("delete_stack", {}, {"StackName": ID})
    cloudformation.add_response("describe_stacks", stack("DELETE_IN_PROGRESS"), {"StackName": ID})
    cloudformation.add_response("describe_stacks", stack("DELETE_COMPLETE"), {"StackName": ID})

    aws.stacks.delete_stack(NAME)

    assert len(pauses) == 2


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_holds_something_is_never_deleted(aws, stub, status) -> None:
    stub("cloudformation").add_response("describe_stacks", stack(status), {"StackName": NAME})

    with pytest.raises(Refused, match=f"stack manuel-dev is not deleted: it is {status}"):
        aws.stacks.delete_stack(NAME)


def test_deleting_a_stack_that_is_not_there_is_harmless(aws, stub) -> None:
    missing(stub("cloudformation"), "describe_stacks")

    aws.stacks.delete_stack(NAME)


def test_a_stack_that_does_not_go_away_is_pending(aws, stub, pauses) -> None:
    cloudformation = stub("cloudformation")
    cloudformation.add_response("describe_stacks", stack("REVIEW_IN_PROGRESS"), {"StackName": NAME})
    cloudformation.add_response("delete_stack", {}, {"StackName": ID})
    for _ in range(int(DELETE_SECONDS)):
        cloudformation.add_response("describe_stacks", stack("DELETE_IN_PROGRESS"), {"StackName": ID})

    with pytest.raises(Pending, match="stack manuel-dev is still DELETE_IN_PROGRESS after 120 s"):
        aws.stacks.delete_stack(NAME)


@pytest.mark.parametrize("on", [True, False])
def test_termination_protection_is_switched(aws, stub, on) -> None:
    stub("cloudformation").add_response(
        "update_termination_protection", {"StackId": ID}, {"StackName": NAME, "EnableTerminationProtection": on}
    )

    aws.stacks.update_termination_protection(NAME, on=on)


DIFFERENCE = {
    **FUNCTION,
    "PolicyAction": "ReplaceAndRetain",
    "Details": [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "Environment",
                "Path": "/Properties/Environment/Variables/KEY",
                "RequiresRecreation": "Conditionally",
                "BeforeValue": "old",
                "AfterValue": "hunter-2",
            },
            "Evaluation": "Dynamic",
            "ChangeSource": "ResourceAttribute",
            "CausingEntity": "Table.Arn",
        },
        {"Target": {"Attribute": "Metadata", "RequiresRecreation": "Never"}},
    ],
}


def test_values_are_asked_for_only_on_demand_and_secret_ones_are_masked(aws, stub, monkeypatch) -> None:
    monkeypatch.setattr("manuel_release.aws.masking._secrets", {"hunter-2"})
    stub("cloudformation").add_response(
        "describe_change_set",
        {"Status": "CREATE_COMPLETE", "Changes": [{"Type": "Resource", "ResourceChange": DIFFERENCE}]},
        {"ChangeSetName": SET, "IncludePropertyValues": True},
    )

    (found,) = aws.stacks.changes(SET, values=True)

    assert found.policy == "ReplaceAndRetain"
    assert found.properties == ("Environment",)
    assert found.details == (
        PropertyChange("Environment", "Environment/Variables/KEY", "old", "****", "Conditionally", True, "Table.Arn"),
    )


@pytest.mark.parametrize(("body", "text"), [("a: 1\n", "a: 1\n"), ({"a": 1}, '{"a": 1}')])
def test_the_template_is_the_text_that_was_sent(aws, stub, body, text) -> None:
    answer = body if isinstance(body, str) else json.dumps(body)
    stub("cloudformation").add_response(
        "get_template", {"TemplateBody": answer}, {"StackName": NAME, "TemplateStage": "Original"}
    )

    assert aws.stacks.template(NAME) == text


def test_a_stack_that_does_not_exist_has_no_template(aws, stub) -> None:
    stub("cloudformation").add_client_error("get_template", "ValidationError", f"Stack with id {NAME} does not exist")

    assert aws.stacks.template(NAME) == ""


def test_a_template_that_may_not_be_read_is_an_access_error(aws, stub) -> None:
    stub("cloudformation").add_client_error("get_template", "AccessDenied", "no")

    with pytest.raises(AccessError, match="cannot read the template of stack manuel-dev"):
        aws.stacks.template(NAME)


def test_the_latest_event_is_the_first_that_aws_lists(aws, stub) -> None:
    stub("cloudformation").add_response(
        "describe_stack_events", {"StackEvents": [event(2, 2), event(1, 1)], "NextToken": "more"}, {"StackName": NAME}
    )

    assert aws.stacks.latest_event(NAME).id == "e2"


def test_a_stack_without_events_has_no_latest_one(aws, stub) -> None:
    stub("cloudformation").add_response("describe_stack_events", {"StackEvents": []}, {"StackName": NAME})

    assert aws.stacks.latest_event(NAME) is None


def test_a_stack_that_does_not_exist_has_no_latest_event(aws, stub) -> None:
    missing(stub("cloudformation"), "describe_stack_events")

    assert aws.stacks.latest_event(NAME) is None


def test_the_events_of_the_last_operation_are_found_by_its_token_without_reading_on(aws, stub) -> None:
    ours = [event(number, number) | {"ClientRequestToken": "t2"} for number in (4, 3)]
    earlier = event(2, 2) | {"ClientRequestToken": "t1"}
    stub("cloudformation").add_response(
        "describe_stack_events", {"StackEvents": [*ours, earlier], "NextToken": "more"}, {"StackName": NAME}
    )

    found = aws.stacks.events(NAME, token="t2")

    assert [(each.id, each.token) for each in found] == [("e3", "t2"), ("e4", "t2")]


def test_a_stack_knows_the_change_set_that_made_it(aws, stub) -> None:
    stub("cloudformation").add_response(
        "describe_stacks", stack("UPDATE_IN_PROGRESS", ChangeSetId=SET), {"StackName": NAME}
    )

    assert aws.stacks.describe(NAME).change_set_id == SET
