"""What AWS's services tell by themselves: events to EventBridge, messages to SNS topics.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import eventbridge, sns

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRES = {
    "ministack.services.eventbridge._put_events": ("data", "allow_aws_source"),
    "ministack.services.sns.SnsPublishError": None,
    "ministack.services.sns.publish_internal": (
        "topic_arn", "message", "subject", "message_structure", "message_attributes", "message_group_id",
        "message_deduplication_id",
    ),
}  # fmt: skip
LONGEST_SUBJECT = 100


def send(service: str, detail_type: str, resources: list[str], detail: Mapping[str, Any]) -> None:
    """Send an event of a service (`codebuild`) about `resources` (ARNs)."""
    entry = {
        "Source": f"aws.{service}",
        "DetailType": detail_type,
        "Resources": resources,
        "Detail": json.dumps(detail),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def publish(topic: str, subject: str, message: Mapping[str, Any]) -> str:
    """Publish a message as JSON; returns why that could not be done, empty when it was."""
    try:
        published = sns.publish_internal(topic, json.dumps(message), subject[:LONGEST_SUBJECT])
    except sns.SnsPublishError as error:
        return str(error)
    return "" if published else f"there is no topic {topic}"
