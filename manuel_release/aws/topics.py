"""SNS: messages to whoever subscribed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.aws.session import Session

LONGEST_SUBJECT = 99
"""Fewer than 100 ASCII characters: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""


class Topics:
    """Publishes to topics."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def publish(
        self,
        topic_arn: str,
        subject: str,
        message: str,
        email: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a message; its id.

        Args:
            topic_arn: where to.
            subject: for e-mails; cut and made ASCII.
            message: what subscribers get.
            email: what those get instead that are subscribed by e-mail.
            attributes: what filter policies of subscriptions look at.

        Raises:
            ReleaseError: SNS did not take it.
        """
        texts = {"default": message, **({"email": email} if email is not None else {})}
        with translated(f"cannot publish to {topic_arn}"):
            return self._session.client("sns").publish(
                TopicArn=topic_arn,
                Subject=" ".join(subject.encode("ascii", "replace").decode().split())[:LONGEST_SUBJECT],
                Message=json.dumps(texts),
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in (attributes or {}).items()
                    if value  # SNS takes no empty ones
                },
            )["MessageId"]
