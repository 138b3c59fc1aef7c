"""Requests made up from the OpenAPI document: some that fit it, some that mean not to.

https://schemathesis.readthedocs.io/en/stable/
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.suites.client import Reply
    from integration.suites.contract import Contract
    from integration.suites.person import Person

AT_ONCE = 12  # requests of one person, so that neither the quota nor the rate limit is all that is tested
FEWEST = 3  # requests of a route, below which it was not tried at all
PREPARED = ("method", "url", "headers", "params", "json", "data", "cookies", "files")


@dataclass(frozen=True)
class Made:
    """A request that was made up: method, path with query, headers and body as bytes."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    data: bytes | None


@dataclass
class Crowd:
    """One person after the other, each for AT_ONCE requests."""

    people: Callable[[], Person]
    asked: int = 0
    _person: Person | None = None

    def ask(self, made: Made) -> Reply:
        """Send a request as the person whose turn it is."""
        if self._person is None or self.asked % AT_ONCE == 0:
            self._person = self.people()
        self.asked += 1
        return self._person.ask(made.method, made.path, data=made.data, headers=made.headers)


def strategy(contract: Contract) -> dict[str, Any]:
    """`GET /health` to a Hypothesis strategy of Made requests."""
    schema: Any = schemathesis.openapi.from_dict(contract.document)
    found = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        kinds = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
        found[operation.label] = st.one_of(kinds).map(_made)
    return found


def hurl(requests_of: Any, ask: Callable[[Made], None], *, examples: int, seconds: float) -> int:
    """Give up to `examples` made-up requests to `ask`; how many it was given.

    After `seconds` there are no more, except that the first FEWEST are given however long they take.
    """
    deadline = time.monotonic() + seconds
    given_out = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # making a failure smaller would take more requests than finding it
        suppress_health_check=list(HealthCheck),
    )
    @given(made=requests_of)
    def each(made: Made) -> None:
        nonlocal given_out
        if given_out < FEWEST or time.monotonic() < deadline:
            given_out += 1
            ask(made)

    each()
    return given_out


def _made(case: Any) -> Made:
    keywords = case.as_transport_kwargs(base_url="http://service")
    prepared = requests.Request(**{name: keywords[name] for name in PREPARED if name in keywords}).prepare()
    parts = urlsplit(str(prepared.url))
    body: Any = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    own = {
        "authorization",
        "content-length",
        "user-agent",
        "connection",
        "accept-encoding",
        "transfer-encoding",
        "host",
    }
    headers = tuple(
        (_text(name), _text(value)) for name, value in prepared.headers.items() if _text(name).lower() not in own
    )
    return Made(str(prepared.method), f"{parts.path}{'?' if parts.query else ''}{parts.query}", headers, body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
