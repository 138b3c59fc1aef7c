"""Answers as the AWS SDKs read them: JSON, and errors named in a header and in the body.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


class AwsError(Exception):
    """An error that the caller's SDK knows by its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: Any
    code: str = ""

    def encoded(self) -> bytes:
        """The body's bytes."""
        return json.dumps(self.body).encode()


def refused(error: AwsError) -> Answer:
    """The answer that tells an error."""
    text = str(error)
    return Answer(error.status, {"__type": error.code, "message": text, "Message": text}, error.code)
