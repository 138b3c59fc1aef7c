"""The service as the chaos suite sees it: real requests of real users, timed, at a pace that no rate limit minds."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST_SECONDS = 35.0  # more than API Gateway waits for a function (29 s)
PER_SECOND = 1.6  # of one user; the service lets 2 through, and 20 at once
AT_ONCE = 12
READING_SECONDS = 180.0  # until the knowledge base has read a manual
FILE_NAME = "chaos-kettle.md"
MANUAL = "# Kettle\n\nDescale the kettle once a month with citric acid.\n"
QUESTION = "What do I descale the kettle with?"


@dataclass(frozen=True)
class Route:
    """A request that is asked again and again. counts: whether an answer of it costs the user one operation."""

    method: str
    path: str
    body: Any = None
    signed_in: bool = True
    counts: bool = False
    success: int = 200


ROUTES = {
    "health": Route("GET", "/health", signed_in=False),
    "deep-health": Route("GET", "/health?deep=1", signed_in=False),
    "usage": Route("GET", "/api/usage"),
    "manuals": Route("GET", "/api/manuals"),
    "upload": Route(
        "POST", "/api/manuals/upload", {"file_name": "chaos.md", "size_bytes": 10}, counts=True, success=201
    ),
    "query": Route("POST", "/api/query", {"question": QUESTION}, counts=True),
}


@dataclass(frozen=True)
class Reply:
    """An answer. status 0: none came; retry_after in seconds; seconds: until the whole answer was there."""

    route: str
    status: int
    seconds: float
    code: str = ""
    retry_after: int | None = None
    body: Any = None

    @property
    def ok(self) -> bool:
        """Whether the route did what it is for."""
        return self.status == ROUTES[self.route].success


@dataclass
class Pace:
    """A token bucket: how long to wait before the next request."""

    clock: Callable[[], float] = time.monotonic
    per_second: float = PER_SECOND
    tokens: float = AT_ONCE
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.clock()

    def wait(self) -> float:
        """Seconds to wait for the next token, which is taken."""
        now = self.clock()
        self.tokens = min(AT_ONCE, self.tokens + (now - self.at) * self.per_second) - 1
        self.at = now
        return max(0.0, -self.tokens / self.per_second)


def send(method: str, url: str, *, data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    """One HTTP request: status, headers and text; status 0 and the reason as text when there was no answer."""
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:
            return answer.status, dict(answer.headers.items()), answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers.items()), error.read().decode(errors="replace")
    except OSError as error:
        return 0, {}, str(error)


@dataclass
class Target:
    """One environment's API and a user with a manual.

    answered: how many operations the user was charged for, as far as answers tell.
    """

    url: str
    token: str
    sleep: Callable[[float], None] = time.sleep
    pace: Pace = field(default_factory=Pace)
    answered: int = 0
    manual_id: str = ""

    def ask(self, name: str) -> Reply:
        """Ask one route now, or as soon as the pace allows."""
        route = ROUTES[name]
        if route.signed_in:
            self.sleep(self.pace.wait())
        reply = self._ask(name, route)
        self.answered += route.counts and reply.ok
        return reply

    def _ask(self, name: str, route: Route) -> Reply:
        headers = {"Content-Type": "application/json"} | ({"Authorization": self.token} if route.signed_in else {})
        data = None if route.body is None else json.dumps(route.body).encode()
        started = time.perf_counter()
        status, answered, text = send(route.method, self.url + route.path, data=data, headers=headers)
        took = time.perf_counter() - started
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        error = body.get("error") if isinstance(body, dict) else None
        code = str(error.get("code", "")) if isinstance(error, dict) else ""
        after = next((value for key, value in answered.items() if key.lower() == "retry-after"), "")
        return Reply(name, status, took, code, int(after) if after.isdecimal() else None, body)

    def used(self) -> int | None:
        """How many operations the user is charged with today; None when nobody says."""
        body = self.ask("usage").body
        return int(body["daily"]["used"]) if isinstance(body, dict) and "daily" in body else None

    def learn(self) -> bool:
        """Upload the manual that the question is about; False when it is not known after READING_SECONDS."""
        wanted = {"file_name": FILE_NAME, "size_bytes": len(MANUAL.encode())}
        headers = {"Content-Type": "application/json", "Authorization": self.token}
        status, _, text = send(
            "POST", f"{self.url}/api/manuals/upload", data=json.dumps(wanted).encode(), headers=headers
        )
        if status != 201:
            return False
        answer = json.loads(text)
        self.answered += 1
        self.manual_id = answer["manual_id"]
        permission = answer["upload"]
        status, _, _ = send(
            permission["method"], permission["url"], data=MANUAL.encode(), headers=permission["headers"]
        )
        deadline = time.monotonic() + READING_SECONDS
        while status in {200, 204} and time.monotonic() < deadline:
            reply = self.ask("query")
            if reply.ok and reply.body["sources"]:
                return True
            self.sleep(1.0)
        return False

    def forget(self) -> None:
        """Delete the manual again."""
        if self.manual_id:
            headers = {"Authorization": self.token}
            send("DELETE", f"{self.url}/api/manuals/{self.manual_id}", headers=headers)
