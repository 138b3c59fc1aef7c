"""A dependency that fails: what needs it says so, at once and in the documented way; the rest works; then all does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.person import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.suites.client import Client, Reply
    from integration.suites.contract import Contract
    from integration.suites.faults import Faults
    from integration.suites.person import Person

QUESTION = "What do I descale the kettle with?"
KETTLE = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"
WAV = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\0\0\0"
BOUND = 29.0  # seconds after which API Gateway would answer instead of the service
RECOVERY = 40.0  # a circuit breaker stays open for 20 s


def planned(faults: Faults, service: str) -> None:
    if service not in faults.services:
        pytest.skip(f"nothing here can make {service} fail (faults_url, dependency_faults)")


def unavailable(reply: Reply, contract: Contract) -> None:
    promises.refused(reply, 503, "dependency_unavailable")
    promises.documented(reply, contract)
    assert reply.seconds < BOUND, reply


@pytest.mark.smoke
def test_health_says_that_it_answers_without_asking_a_dependency(client: Client) -> None:
    reply = client.send("GET", "/health")

    promises.well(reply, 200)
    assert "dependencies" not in reply.json


@pytest.mark.basic
@pytest.mark.parametrize("plan", [{"throttle_percent": 100}, {"error_percent": 100}], ids=["throttled", "broken"])
@pytest.mark.parametrize("service", ["bedrock-agent-runtime", "bedrock-runtime"])
def test_a_question_that_cannot_be_answered_is_503_and_costs_nothing(
    person: Person, contract: Contract, faults: Faults, service: str, plan: dict[str, float]
) -> None:
    planned(faults, service)
    person.upload("kettle.md", KETTLE)
    person.knows(QUESTION)
    used = person.used()

    with faults.planned(service, **plan):
        unavailable(person.query(QUESTION), contract)
        assert person.used() == used
        promises.well(person.ask("GET", "/api/manuals"), 200)

    assert until(lambda: person.query(QUESTION).status == 200, RECOVERY), "it does not recover"


@pytest.mark.basic
def test_a_recording_that_cannot_be_written_down_is_503_and_costs_nothing(
    person: Person, contract: Contract, faults: Faults
) -> None:
    planned(faults, "transcribe")
    used = person.used()

    with faults.planned("transcribe", throttle_percent=100):
        unavailable(person.say(WAV), contract)

    assert person.used() == used


@pytest.mark.basic
def test_a_deep_health_check_is_503_while_a_dependency_is_down(
    client: Client, contract: Contract, faults: Faults
) -> None:
    planned(faults, "bedrock-agent")

    with faults.planned("bedrock-agent", error_percent=100):
        reply = client.send("GET", "/health?deep=1")
        shallow = client.send("GET", "/health")

    promises.well(reply, 503)
    promises.documented(reply, contract)
    assert {one["name"]: one["status"] for one in reply.json["dependencies"]}["bedrock"] == "down"
    assert reply.json["status"] == "unhealthy"
    promises.well(shallow, 200)
    promises.well(client.send("GET", "/health?deep=1"), 200)


def test_a_slow_dependency_does_not_hold_a_request_for_ever(person: Person, contract: Contract, faults: Faults) -> None:
    planned(faults, "bedrock-agent-runtime")

    with faults.planned("bedrock-agent-runtime", delay_seconds=6):
        began = time.monotonic()
        reply = person.query(QUESTION)

    unavailable(reply, contract)
    assert time.monotonic() - began < BOUND
    assert until(lambda: person.query(QUESTION).status == 200, RECOVERY), "it does not recover"


def test_who_has_no_database_says_so(person: Person, contract: Contract, faults: Faults) -> None:
    planned(faults, "dynamodb")
    manuals = person.ask("GET", "/api/manuals")

    with faults.planned("dynamodb", error_percent=100):
        for path in ("/api/usage", "/api/user/usage", "/api/user/quota"):
            unavailable(person.ask("GET", path), contract)
        unavailable(person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1}), contract)

    assert manuals.status == 200
    assert until(lambda: person.ask("GET", "/api/usage").status == 200, RECOVERY), "it does not recover"


def test_who_has_no_files_says_so(person: Person, contract: Contract, faults: Faults) -> None:
    planned(faults, "s3")
    manual = f"/api/manuals/{'0' * 31}1"
    asked: list[Callable[[], Reply]] = [
        lambda: person.ask("GET", "/api/manuals"),
        lambda: person.ask("GET", manual),
        lambda: person.ask("GET", f"{manual}/download"),
        lambda: person.ask("DELETE", manual),
    ]

    with faults.planned("s3", error_percent=100):
        for ask in asked:
            unavailable(ask(), contract)

    assert until(lambda: person.ask("GET", "/api/manuals").status == 200, RECOVERY), "it does not recover"
