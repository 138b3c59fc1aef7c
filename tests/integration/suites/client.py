"""Requests over HTTP, as they are: nothing is corrected, followed, repeated or joined on the way.

Everything that is answered is noted for the coverage of the contract.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integration.suites.coverage import Exercised

SECONDS = 35.0  # API Gateway ends a request after 29
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ReadOnlyError(AssertionError):
    """A signed-in request that could write, where nothing may be written."""


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers as they came, body, and the seconds it took."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes
    seconds: float

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body as JSON; raises AssertionError with the answer when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            raise AssertionError(f"not JSON: {self}") from None

    @property
    def code(self) -> str:
        """The error's code, empty where the body is no error in the API's format."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return str(json.loads(self.content)["error"]["code"])
        return ""

    @property
    def release(self) -> str:
        """The release that answered, `gateway` where none did."""
        return self.header("X-Manuel-Release")

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status} {self.text[:300]}"


@dataclass(frozen=True)
class Client:
    """Sends requests to one deployed API. read_only: refuse signed-in requests that could write."""

    url: str
    exercised: Exercised
    read_only: bool = False

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: object = None,
        data: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
        timeout: float = SECONDS,
    ) -> Reply:
        """One request to `path` (sent literally, below the stage) and its answer, whatever its status.

        body: sent as JSON; data: sent as it is. headers: sent in this order, doubles too. timeout: seconds.

        Raises ReadOnlyError, and OSError or HTTPException when there is no answer.
        """
        if self.read_only and token and method not in READING:
            raise ReadOnlyError(f"{method} {path} with a token could write; this run may only read.")
        content = json.dumps(body).encode() if body is not None else data
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=timeout)
        started = time.perf_counter()
        try:
            connection.putrequest(method, parts.path + path, skip_accept_encoding=True)
            for name, value in _headers(token, content, json_body=body is not None, extra=headers):
                connection.putheader(name, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            received = answer.read()
        finally:
            connection.close()
        reply = Reply(method, path, answer.status, tuple(answer.getheaders()), received, time.perf_counter() - started)
        self.exercised.saw(method, path.partition("?")[0], reply.status, reply.code, reply.release)
        return reply


def _headers(
    token: str, content: bytes | None, *, json_body: bool, extra: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    made = [("User-Agent", "manuel-suites"), *extra]  # AWS's common firewall rules refuse requests without one
    given = {name.lower() for name, _ in made}
    if token:
        made.append(("Authorization", token))
    if json_body and "content-type" not in given:
        made.append(("Content-Type", "application/json"))
    if content is not None and not given & {"content-length", "transfer-encoding"}:
        made.append(("Content-Length", str(len(content))))
    return made
