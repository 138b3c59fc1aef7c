"""A person who uses the service: what the app does for them, and what of it has to be taken away again."""

from __future__ import annotations

import base64
import http.client
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from integration.suites.accounts import Account
    from integration.suites.client import Client, Reply

FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 10.0  # a question counts as an operation, so asking again and again uses up the quota
PATIENCE = 20  # times that a person waits because of 429


def until(question: Callable[[], Any], seconds: float) -> Any:
    """The first true answer within `seconds`, or the last one; asks ever more rarely."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        found = question()
        left = deadline - time.monotonic()
        if found or left <= 0:
            return found
        time.sleep(min(pause, left))
        pause = min(LONGEST_PAUSE_SECONDS, pause * 1.7)


@dataclass
class Person:
    """A signed-in user.

    learning_seconds: how long they wait until a new manual answers questions.
    impatient: they see 429 too_many_requests; others wait as the answer says and ask again.
    """

    client: Client
    account: Account
    learning_seconds: float
    impatient: bool = False
    uploads: bool = field(default=False, init=False)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        data: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Reply:
        """One request with the person's id token."""
        extra = tuple(headers)
        for _ in range(PATIENCE):
            reply = self.client.send(method, path, token=self.account.id_token, body=body, data=data, headers=extra)
            if self.impatient or reply.code != "too_many_requests":
                break
            time.sleep(float(reply.header("Retry-After") or 1))
        self.uploads |= path.endswith("/upload") and reply.status == 201
        return reply

    def used(self) -> int:
        """Operations that count for today."""
        reply = self.ask("GET", "/api/usage")
        assert reply.status == 200, reply
        return int(reply.json["daily"]["used"])

    def query(self, question: str) -> Reply:
        """Ask the manuals."""
        return self.ask("POST", "/api/query", {"question": question})

    def say(self, audio: bytes, content_type: str = "audio/wav") -> Reply:
        """Have a recording written down."""
        body = {"audio_data": base64.b64encode(audio).decode(), "content_type": content_type}
        return self.ask("POST", "/api/transcribe", body)

    def upload(self, name: str, content: bytes) -> str:
        """Upload a manual as the app does; its id."""
        wanted = self.ask("POST", "/api/manuals/upload", {"file_name": name, "size_bytes": len(content)})
        assert wanted.status == 201, wanted
        permission = wanted.json["upload"]
        status, text = transfer(permission["method"], permission["url"], content, permission["headers"])
        assert status == 200, f"the upload was refused with {status}: {text[:300]!r}"
        return str(wanted.json["manual_id"])

    def knows(self, question: str) -> dict[str, Any]:
        """The first answer that comes from a manual; raises AssertionError when none does in time."""

        def answered() -> dict[str, Any] | None:
            reply = self.query(question)
            assert reply.status == 200, reply
            found: dict[str, Any] = reply.json
            return found if found["sources"] else None

        answer = until(answered, self.learning_seconds)
        assert answer, f"no manual answered {question!r} within {self.learning_seconds:.0f} s"
        known: dict[str, Any] = answer
        return known

    def manuals(self) -> list[dict[str, Any]]:
        """All manuals of the person."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            reply = self.ask("GET", f"/api/manuals?limit=100{cursor}")
            assert reply.status == 200, reply
            found += reply.json["manuals"]
            if not reply.json["next_cursor"]:
                return found
            cursor = f"&cursor={reply.json['next_cursor']}"

    def tidy(self, keep: frozenset[str] = frozenset()) -> list[str]:
        """Delete the person's manuals but those to keep; what could not be deleted, as sentences."""
        left = []
        for manual in self.manuals():
            if manual["manual_id"] in keep:
                continue
            reply = self.ask("DELETE", f"/api/manuals/{manual['manual_id']}")
            if reply.status not in {204, 404}:
                left.append(f"manual {manual['manual_id']} of {self.account.email}: {reply.status}")
        return left


def transfer(method: str, url: str, content: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    """One request to a presigned address, outside the API: status and body."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=60)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body=content, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
