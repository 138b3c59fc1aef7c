"""No input whatsoever brings the service down: requests that are made up from its own OpenAPI document."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from integration.suites import fuzzing, promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

GATEWAY = "gateway"


@pytest.mark.basic
@pytest.mark.timeout(600)
def test_no_input_makes_a_5xx_or_an_answer_that_is_not_documented(
    people: Callable[[], Person], contract: Contract, config: Config
) -> None:
    """One case, so that the routes share the time; the first request that does harm is in the failure."""
    crowd = fuzzing.Crowd(people)
    routes = fuzzing.strategy(contract)

    def ask(made: fuzzing.Made) -> None:
        try:
            reply = crowd.ask(made)
        except ValueError:
            return  # no HTTP client can send that header
        assert reply.status < 500, f"{made} -> {reply}"
        promises.discreet(reply)
        known = contract.route(reply.method, reply.path.partition("?")[0])
        if known and reply.release != GATEWAY and reply.status != promises.FIREWALL:
            promises.documented(reply, contract)

    end = time.monotonic() + config.fuzz_seconds
    for done, (label, requests) in enumerate(routes.items()):
        share = (end - time.monotonic()) / (len(routes) - done)
        sent = fuzzing.hurl(requests, ask, examples=config.fuzz_examples, seconds=share)
        assert sent >= min(fuzzing.FEWEST, config.fuzz_examples), f"{label} got {sent} requests"
