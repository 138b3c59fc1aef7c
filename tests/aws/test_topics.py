from __future__ import annotations

import json

import pytest

from manuel_release.errors import ReleaseError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:manuel-deployment-notifications"


def test_e_mail_gets_its_own_text_and_filters_get_attributes(aws, stub) -> None:
    stub("sns").add_response(
        "publish",
        {"MessageId": "m-1"},
        {
            "TopicArn": TOPIC,
            "Subject": "Rollback completed: r-13 in production",
            "Message": json.dumps({"default": "{}", "email": "plain"}),
            "MessageStructure": "json",
            "MessageAttributes": {"severity": {"DataType": "String", "StringValue": "info"}},
        },
    )

    given = {"severity": "info", "release": ""}
    assert aws.topics.publish(TOPIC, "Rollback completed: r-13 in production", "{}", "plain", given) == "m-1"


def test_a_subject_is_one_line_of_fewer_than_a_hundred_ascii_characters(aws, stub) -> None:
    stub("sns").add_response(
        "publish",
        {"MessageId": "m-1"},
        {
            "TopicArn": TOPIC,
            "Subject": ("caf? " + "x" * 200)[:99],
            "Message": json.dumps({"default": "text"}),
            "MessageStructure": "json",
            "MessageAttributes": {},
        },
    )

    aws.topics.publish(TOPIC, "café\n" + "x" * 200, "text")


def test_a_topic_that_does_not_take_it_is_named(aws, stub) -> None:
    stub("sns").add_client_error("publish", "NotFound", "Topic does not exist", 404)

    with pytest.raises(ReleaseError, match=f"cannot publish to {TOPIC}"):
        aws.topics.publish(TOPIC, "subject", "text")
