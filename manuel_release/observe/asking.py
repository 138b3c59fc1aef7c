"""One request to the public URL, as its users send it, and which release answers."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

RELEASE_HEADER = "X-Manuel-Release"
REQUEST_HEADERS = {"Accept": "application/json", "Cache-Control": "no-cache"}
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """One answer of the public URL; status 0 when there was none, and then `problem` says why."""

    status: int
    release: str = ""
    problem: str = ""


def ask(url: str, timeout: float = REQUEST_SECONDS) -> Answer:
    """One GET; `timeout` in seconds."""
    request = urllib.request.Request(url, headers=REQUEST_HEADERS)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, released_by(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, released_by(error.headers), f"HTTP {error.code}")
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
        return Answer(0, problem=str(getattr(error, "reason", error)))


def released_by(headers: Mapping[str, Any] | Message) -> str:
    """The release that an answer names in X-Manuel-Release, empty when it names none; case does not matter."""
    wanted = RELEASE_HEADER.lower()
    return next((str(value) for name, value in headers.items() if name.lower() == wanted), "")
