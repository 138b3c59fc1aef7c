"""Who asks faster than a person can is made to wait, and nobody else is."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.person import until

if TYPE_CHECKING:
    from integration.suites.client import Reply
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

AT_ONCE = 60
WORKERS = 12
BURST = 20  # requests that everybody has at once
SECONDS = 30.0


def test_who_asks_too_fast_waits_and_others_do_not(
    person: Person, other: Person, config: Config, contract: Contract
) -> None:
    if not config.advanced_security:
        pytest.skip("callers are limited where EnableAdvancedSecurity is true")
    person.impatient = other.impatient = True
    let_through = 0

    def ask(_: int) -> Reply:
        return person.ask("GET", "/api/usage")

    def too_fast() -> list[Reply]:
        nonlocal let_through
        with ThreadPoolExecutor(WORKERS) as pool:
            replies = list(pool.map(ask, range(AT_ONCE)))
        let_through += sum(reply.status == 200 for reply in replies)
        return [reply for reply in replies if reply.status == 429]

    refused = until(too_fast, SECONDS)  # a slow environment lets so many through that none is too fast

    assert refused, f"{AT_ONCE} requests at once and none was too many"
    assert let_through >= BURST or not person.account.made, f"only {let_through} requests were let through"
    promises.refused(refused[0], 429, "too_many_requests")
    for method, path in contract.signed_in:  # the limit is the caller's, whatever they ask
        reply = until(functools.partial(_refusal, person, method, path), SECONDS)
        assert reply, f"{method} {path} is not limited"
        promises.refused(reply, 429, "too_many_requests")
    promises.well(other.ask("GET", "/api/usage"), 200)
    assert until(lambda: ask(0).status == 200, SECONDS), "the caller stays locked out"


def _refusal(person: Person, method: str, path: str) -> Reply | None:
    """The refusal of a request that comes while nothing is left; None when enough had come back meanwhile."""
    body: dict[str, str] | None = {} if method == "POST" else None
    asked = (person.ask(method, path.replace("{manual_id}", "0" * 32), body) for _ in range(BURST))
    return next((reply for reply in asked if reply.status == 429), None)
