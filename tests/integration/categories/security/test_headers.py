"""What browsers are told: where the API may be called from, and what may be done with its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.client import Client, Reply
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

MANUAL = "0" * 32
ORIGIN = ("Origin", "https://app.example.com")


@pytest.mark.smoke
def test_a_browser_may_call_every_route_from_anywhere(client: Client, contract: Contract) -> None:
    for method, path in contract.operations:
        reply = client.send(
            "OPTIONS",
            path.replace("{manual_id}", MANUAL),
            headers=[
                ORIGIN,
                ("Access-Control-Request-Method", method),
                ("Access-Control-Request-Headers", "authorization,content-type"),
            ],
        )

        assert reply.status in {200, 204}, reply
        assert reply.header("Access-Control-Allow-Origin") == "*", reply
        assert method in reply.header("Access-Control-Allow-Methods"), reply
        allowed = reply.header("Access-Control-Allow-Headers").lower()
        assert "authorization" in allowed, reply
        assert "content-type" in allowed, reply
        assert not reply.header("Access-Control-Allow-Credentials"), f"with * that would be everybody's: {reply}"


@pytest.mark.smoke
def test_what_the_gateway_refuses_is_secured_too(client: Client) -> None:
    for reply in (client.send("GET", "/api/usage"), client.send("GET", "/nothing")):
        assert reply.header("Strict-Transport-Security").startswith("max-age="), reply
        assert reply.header("X-Content-Type-Options") == "nosniff", reply
        assert reply.release == "gateway", reply


@pytest.mark.smoke
def test_health_carries_the_security_headers(client: Client, config: Config) -> None:
    _secured(config, client.send("GET", "/health"))


@pytest.mark.basic
def test_every_function_answers_with_the_security_headers(person: Person, config: Config) -> None:
    _secured(
        config,
        person.ask("GET", "/api/usage"),
        person.ask("GET", "/api/manuals"),
        person.ask("GET", f"/api/manuals/{MANUAL}"),
        person.ask("POST", "/api/query", {}),
        person.ask("POST", "/api/transcribe", {}),
    )


@pytest.mark.basic
def test_nobody_on_the_way_keeps_what_is_private(person: Person) -> None:
    for path in ("/api/usage", "/api/manuals"):
        assert person.ask("GET", path).header("Cache-Control") == "no-store"


@pytest.mark.basic
def test_a_script_can_read_the_release_and_when_to_try_again(person: Person) -> None:
    exposed = person.ask("GET", "/api/usage").header("Access-Control-Expose-Headers")

    assert {"Retry-After", "X-Manuel-Release", "X-Request-Id"} <= {one.strip() for one in exposed.split(",")}


def _secured(config: Config, *replies: Reply) -> None:
    if not config.advanced_security:
        pytest.skip("security headers come where EnableAdvancedSecurity is true")
    for reply in replies:
        for name, beginning in promises.SECURITY_HEADERS.items():
            assert reply.header(name).startswith(beginning), f"{name} is {reply.header(name)!r}: {reply}"
