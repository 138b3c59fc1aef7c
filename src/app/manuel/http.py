"""Requests and responses of the HTTP API, and the headers that every response carries."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from manuel.errors import InvalidRequestError, TooLargeError, UnauthorizedError
from manuel.measures import Measures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel.settings import Settings

SUBJECT = re.compile(
    r"[A-Za-z0-9-]{1,128}"
)  # a Cognito `sub` is a UUID; it becomes part of keys, so nothing else passes
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Request:
    """One call of the API. `route` is the path as the API definition has it, such as `/api/manuals/{manual_id}`.

    deadline: when Lambda ends the function, on the clock of time.monotonic().
    signed_in_at: when the caller signed in, in seconds since 1970; 0 where the token does not tell.
    measures: what the request's work measures besides the request itself.
    """

    method: str
    route: str
    request_id: str
    subject: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    canary: bool = False
    deadline: float = math.inf
    signed_in_at: float = 0.0
    measures: Measures = field(default_factory=Measures)

    @classmethod
    def from_event(cls, event: Mapping[str, Any], *, fallback_id: str, seconds: float = math.inf) -> Self:
        """Read an event of a REST API's Lambda proxy integration; `fallback_id` serves a direct invocation.

        `seconds` are left until Lambda ends the function.

        Raises InvalidRequestError when the body claims to be base64 and is not.
        """
        context = event.get("requestContext") or {}
        claims = (context.get("authorizer") or {}).get("claims") or {}
        body = (event.get("body") or "").encode()
        if event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True)
            except binascii.Error:
                raise InvalidRequestError("The body is not valid base64.") from None
        return cls(
            method=event.get("httpMethod") or "",
            route=event.get("resource") or event.get("path") or "",
            request_id=context.get("requestId") or fallback_id,
            subject=claims.get("sub") or "",
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            body=body,
            canary=str(context.get("isCanaryRequest", "")).lower() == "true",
            deadline=time.monotonic() + seconds,
            signed_in_at=_seconds(claims.get("auth_time")),
        )

    @property
    def seconds_left(self) -> float:
        """Seconds until Lambda ends the function."""
        return self.deadline - time.monotonic()

    @property
    def user_id(self) -> str:
        """The signed-in user: the `sub` claim of the token that API Gateway verified; raises UnauthorizedError."""
        if not SUBJECT.fullmatch(self.subject):
            raise UnauthorizedError("Sign in to use this endpoint.")
        return self.subject

    def json_object(self, *, at_most: int | None) -> dict[str, Any]:
        """The body as a JSON object; raises TooLargeError above `at_most` bytes, InvalidRequestError for no object."""
        if at_most is not None and len(self.body) > at_most:
            raise TooLargeError(f"The body may have at most {at_most} bytes.")
        try:
            text = self.body.decode("utf-8-sig")
            value = json.loads(text)
            if "\\ud" in text.lower():  # half of a surrogate pair is no text, and nothing behind us takes it
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise InvalidRequestError("The body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise InvalidRequestError("The body must be a JSON object.")
        return value


def _seconds(claim: object) -> float:
    try:
        return float(str(claim))
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Response:
    """An answer: HTTP status, a JSON value or nothing, and headers of its own."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self, settings: Settings, request_id: str) -> dict[str, Any]:
        """The answer in the form that API Gateway wants, with the headers that every response carries."""
        headers = {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Manuel-Release": settings.release,
            "X-Request-Id": request_id,
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After, X-Manuel-Release, X-Request-Id",
            **(SECURITY_HEADERS if settings.advanced_security else {}),
            **self.headers,
        }
        body = "" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
        return {"statusCode": self.status, "headers": headers, "body": body, "isBase64Encoded": False}
