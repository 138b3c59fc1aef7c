"""A user of the service, with real HTTP requests and a real Cognito id token."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.errors import EmulatorError
from manuel_release.observe.asking import released_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

REQUEST_SECONDS = 30.0
READ_SECONDS = 30.0
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, the release that served it, its JSON (None where there is none) and its text."""

    status: int
    release: str
    body: Any
    text: str = ""


def send(
    method: str,
    url: str,
    *,
    token: str = "",
    body: object = None,
    raw: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request; any HTTP status is an answer. Raises EmulatorError when there is none."""
    data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
            return _reply(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error.code, error.headers, error.read())
    except (urllib.error.URLError, OSError) as error:
        raise EmulatorError(f"{method} {url} got no answer: {error}") from error


def _reply(status: int, headers: Message, content: bytes) -> Reply:
    return Reply(status, released_by(headers), _json(content), content.decode(errors="replace"))


def ask_until_known(url: str, token: str, question: str) -> dict[str, Any]:
    """Ask until the manuals answer, which takes until they have been read, or for READ_SECONDS; the last answer.

    Raises EmulatorError when asking itself fails.
    """
    deadline = time.monotonic() + READ_SECONDS
    while True:
        reply = send("POST", f"{url}/api/query", token=token, body={"question": question})
        if reply.status != 200:
            raise EmulatorError(f"the question was answered with {reply.status}: {reply.body}")
        answer: dict[str, Any] = reply.body
        if answer["sources"] or time.monotonic() > deadline:
            return answer
        time.sleep(PAUSE_SECONDS)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
