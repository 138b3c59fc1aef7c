from __future__ import annotations

import io

import pytest
from botocore.response import StreamingBody

from manuel_release.aws.functions import INVOKE_SECONDS
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.traffic import Alias, Invocation

NAME = "manuel-health-dev"
SHA = "SGfqIoQor+I1oZdaMRBzpsVXWkwcYspbj8Q90e36No0="
SETTLED = {"State": "Active", "LastUpdateStatus": "Successful"}
PUBLISH = {"FunctionName": NAME, "CodeSha256": SHA, "Description": "v1 r-13"}
CREATE = {"FunctionName": NAME, "Name": "r-13", "FunctionVersion": "4", "Description": "d"}
GET = {"FunctionName": NAME, "Name": "r-13"}


def asked(qualifier: str = "$LATEST") -> dict[str, str]:
    return {"FunctionName": NAME, "Qualifier": qualifier}


def test_the_codes_hash_is_that_of_latest(aws, stub) -> None:
    stub("lambda").add_response("get_function_configuration", {"CodeSha256": SHA}, {"FunctionName": NAME})

    assert aws.functions.code_sha256(NAME) == SHA


def test_waiting_ends_when_the_function_is_active_and_its_update_applied(aws, stub, pauses) -> None:
    answers = stub("lambda")
    answers.add_response("get_function_configuration", {"State": "Pending"}, asked())
    answers.add_response("get_function_configuration", {"State": "Active", "LastUpdateStatus": "InProgress"}, asked())
    answers.add_response("get_function_configuration", SETTLED, asked())

    aws.functions.wait_until_settled(NAME, 60)

    assert len(pauses) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"State": "Failed", "StateReason": "The role cannot be assumed"},
        {"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role cannot be assumed"},
    ],
)
def test_waiting_ends_with_lambdas_reason_when_it_gave_up(aws, stub, answer) -> None:
    stub("lambda").add_response("get_function_configuration", answer, asked())

    with pytest.raises(ReleaseError, match=f"function {NAME} .* cannot run: The role cannot be assumed"):
        aws.functions.wait_until_settled(NAME, 60)


def test_waiting_ends_when_the_time_is_over(aws, stub, pauses) -> None:
    answers = stub("lambda")
    for _ in range(4):
        answers.add_response("get_function_configuration", {"State": "Pending"}, asked())

    with pytest.raises(Pending, match=r"is still Pending, its update Successful, after 2 s"):
        aws.functions.wait_until_settled(NAME, 1.5)

    assert sum(pauses) == pytest.approx(1.5)


def test_publishing_names_the_code_that_it_means(aws, stub) -> None:
    stub("lambda").add_response("publish_version", {"Version": "4", "State": "Active"}, PUBLISH)

    assert aws.functions.publish(NAME, SHA, "v1 r-13") == "4"


def test_a_published_version_can_be_invoked_at_once(aws, stub, pauses) -> None:
    answers = stub("lambda")
    answers.add_response("publish_version", {"Version": "4", "State": "Pending"}, PUBLISH)
    answers.add_response("get_function_configuration", {"State": "Pending"}, asked("4"))
    answers.add_response("get_function_configuration", SETTLED, asked("4"))

    assert aws.functions.publish(NAME, SHA, "v1 r-13") == "4"
    assert len(pauses) == 1


def test_code_that_was_changed_meanwhile_is_not_published(aws, stub) -> None:
    said = f"CodeSHA256 ({SHA}) is different from current CodeSHA256 in $LATEST (x). Please try again."
    stub("lambda").add_client_error("publish_version", "InvalidParameterValueException", said)

    with pytest.raises(ReleaseError, match="is not published: its code was changed meanwhile") as raised:
        aws.functions.publish(NAME, SHA, "v1 r-13")

    assert "who else changes it" in raised.value.hint


def test_another_refusal_to_publish_is_told_in_lambdas_words(aws, stub) -> None:
    stub("lambda").add_client_error("publish_version", "InvalidParameterValueException", "Description is too long")

    with pytest.raises(ReleaseError, match=r"cannot publish a version of function .*: Description is too long"):
        aws.functions.publish(NAME, SHA, "v1 r-13")


def test_versions_are_the_published_ones_of_every_page_by_number(aws, stub) -> None:
    answers = stub("lambda")
    answers.add_response(
        "list_versions_by_function",
        {"Versions": [{"Version": "$LATEST"}, {"Version": "10"}], "NextMarker": "more"},
        {"FunctionName": NAME},
    )
    answers.add_response(
        "list_versions_by_function", {"Versions": [{"Version": "9"}]}, {"FunctionName": NAME, "Marker": "more"}
    )

    assert aws.functions.versions(NAME) == ("9", "10")


def test_an_alias_has_its_version_revision_and_weights(aws, stub) -> None:
    stub("lambda").add_response(
        "get_alias",
        {
            "Name": "r-13",
            "FunctionVersion": "4",
            "RevisionId": "rev",
            "RoutingConfig": {"AdditionalVersionWeights": {"3": 0.1}},
        },
        GET,
    )

    assert aws.functions.alias(NAME, "r-13") == Alias(NAME, "r-13", "4", "rev", {"3": 0.1})


def test_an_alias_that_does_not_exist_is_none(aws, stub) -> None:
    stub("lambda").add_client_error("get_alias", "ResourceNotFoundException", expected_params=GET)

    assert aws.functions.alias(NAME, "r-13") is None


def test_aliases_come_from_every_page(aws, stub) -> None:
    answers = stub("lambda")
    answers.add_response(
        "list_aliases",
        {"Aliases": [{"Name": "live", "FunctionVersion": "1"}], "NextMarker": "more"},
        {"FunctionName": NAME},
    )
    answers.add_response(
        "list_aliases",
        {"Aliases": [{"Name": "r-1", "FunctionVersion": "1"}]},
        {"FunctionName": NAME, "Marker": "more"},
    )

    assert aws.functions.aliases(NAME) == (Alias(NAME, "live", "1"), Alias(NAME, "r-1", "1"))


def test_an_alias_is_created_on_its_version(aws, stub) -> None:
    stub("lambda").add_response("create_alias", {"Name": "r-13", "FunctionVersion": "4"}, CREATE)

    assert aws.functions.create_alias(NAME, "r-13", "4", "d") == Alias(NAME, "r-13", "4")


def test_an_alias_that_is_there_on_that_version_is_fine(aws, stub) -> None:
    answers = stub("lambda")
    answers.add_client_error("create_alias", "ResourceConflictException", expected_params=CREATE)
    answers.add_response("get_alias", {"Name": "r-13", "FunctionVersion": "4", "RevisionId": "rev"}, GET)

    assert aws.functions.create_alias(NAME, "r-13", "4", "d") == Alias(NAME, "r-13", "4", "rev")


@pytest.mark.parametrize(
    "there",
    [
        {"FunctionVersion": "3"},
        {"FunctionVersion": "4", "RoutingConfig": {"AdditionalVersionWeights": {"3": 0.5}}},
    ],
    ids=["another version", "shared with another version"],
)
def test_an_alias_that_is_there_otherwise_is_never_moved(aws, stub, there) -> None:
    answers = stub("lambda")
    answers.add_client_error("create_alias", "ResourceConflictException")
    answers.add_response("get_alias", {"Name": "r-13", **there}, GET)

    with pytest.raises(ReleaseError, match=f"alias r-13 of function {NAME} is not created: it exists"):
        aws.functions.create_alias(NAME, "r-13", "4", "d")


def test_another_conflict_is_told_in_lambdas_words(aws, stub) -> None:
    answers = stub("lambda")
    answers.add_client_error("create_alias", "ResourceConflictException", "An update is in progress")
    answers.add_client_error("get_alias", "ResourceNotFoundException")

    with pytest.raises(ReleaseError, match=r"cannot create alias r-13 of function .*: An update is in progress"):
        aws.functions.create_alias(NAME, "r-13", "4", "d")


def body(content: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(content), len(content))


def invoked(stub, answer: bytes, **more):
    stub("lambda", read_seconds=INVOKE_SECONDS).add_response(
        "invoke",
        {"StatusCode": 200, "ExecutedVersion": "4", "Payload": body(answer), **more},
        {"FunctionName": NAME, "Qualifier": "r-13", "InvocationType": "RequestResponse", "Payload": b'{"a": 1}'},
    )


def test_an_invocation_returns_what_the_function_returned_and_the_version_that_ran(aws, stub) -> None:
    invoked(stub, b'{"statusCode": 200}')

    assert aws.functions.invoke(NAME, "r-13", {"a": 1}) == Invocation({"statusCode": 200}, "", "4")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"errorMessage": "\'id\'", "errorType": "KeyError", "stackTrace": []}', "Unhandled: KeyError: 'id'"),
        (b'{"errorMessage": "Task timed out after 3.00 seconds"}', "Unhandled: Task timed out after 3.00 seconds"),
        (b'{"odd": true}', 'Unhandled: {"odd": true}'),
        (b"not json", "Unhandled: not json"),
    ],
)
def test_a_function_that_failed_is_no_exception_and_says_why(aws, stub, answer, error) -> None:
    invoked(stub, answer, FunctionError="Unhandled")

    assert aws.functions.invoke(NAME, "r-13", {"a": 1}).error == error


def test_a_function_that_returned_nothing_has_no_payload(aws, stub) -> None:
    invoked(stub, b"")

    assert aws.functions.invoke(NAME, "r-13", {"a": 1}) == Invocation(None, "", "4")


def test_an_invocation_is_given_longer_than_any_function_may_run() -> None:
    assert INVOKE_SECONDS > 900


def test_an_invocation_of_what_is_not_there_is_an_error(aws, stub) -> None:
    stub("lambda", read_seconds=INVOKE_SECONDS).add_client_error(
        "invoke", "ResourceNotFoundException", "Function not found"
    )

    with pytest.raises(ReleaseError, match=f"cannot invoke function {NAME}:r-13: Function not found"):
        aws.functions.invoke(NAME, "r-13", {})


def test_an_alias_that_is_gone_is_deleted_already(aws, stub) -> None:
    stub("lambda").add_client_error("delete_alias", "ResourceNotFoundException", expected_params=GET)

    aws.functions.delete_alias(NAME, "r-13")


def test_an_alias_that_must_not_be_deleted_is_told(aws, stub) -> None:
    stub("lambda").add_client_error("delete_alias", "ResourceConflictException", "in use", expected_params=GET)

    with pytest.raises(ReleaseError, match=r"cannot delete alias r-13"):
        aws.functions.delete_alias(NAME, "r-13")
