"""A user of the service, with real HTTP requests and a real Cognito id token."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.errors import EmulatorError
from manuel_release.observe.asking import ask, released_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from typing import Self

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


@dataclass
class Watcher:
    """Asks `/health` at a fixed pace while something changes, and counts who answered.

    pause: seconds between two requests. answers: release -> healthy answers; failures: what else was seen.
    """

    url: str
    pause: float = 0.05
    answers: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watcher")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            answer = ask(self.url, REQUEST_SECONDS)
            if answer.status == 200:
                self.answers[answer.release] = self.answers.get(answer.release, 0) + 1
            else:
                self.failures.append(answer.problem or f"HTTP {answer.status}")
            self._stop.wait(self.pause)

    @property
    def sentence(self) -> str:
        """How many requests were asked, how many failed, and who answered."""
        total = sum(self.answers.values()) + len(self.failures)
        by = ", ".join(f"{count} by {release}" for release, count in sorted(self.answers.items()))
        return f"{len(self.failures)} of {total} requests failed during the change; answered: {by}"
