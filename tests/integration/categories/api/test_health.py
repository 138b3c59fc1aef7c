"""Health, and through it whether the database and the other dependencies can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.config import ENVIRONMENTS

if TYPE_CHECKING:
    from integration.suites.client import Client
    from integration.suites.config import Config
    from integration.suites.contract import Contract

pytestmark = pytest.mark.smoke


def test_health_answers_without_a_token_and_says_what_runs_where(
    client: Client, config: Config, contract: Contract
) -> None:
    reply = client.send("GET", "/health")

    promises.well(reply, 200)
    promises.documented(reply, contract)
    assert reply.json["status"] == "healthy"
    assert reply.json["environment"] == ENVIRONMENTS[config.environment]
    assert reply.json["release"] == reply.release
    assert reply.header("Cache-Control") == "no-store"


def test_the_database_and_every_other_dependency_can_be_reached(client: Client, contract: Contract) -> None:
    reply = client.send("GET", "/health?deep=1")

    promises.well(reply, 200)
    promises.documented(reply, contract)
    states = {one["name"]: one["status"] for one in reply.json["dependencies"]}
    assert states.keys() >= {"dynamodb", "s3"}, reply
    assert set(states.values()) == {"up"}, reply
    assert all(0 <= one["seconds"] < 5 for one in reply.json["dependencies"]), reply


def test_the_expected_release_answers(client: Client, config: Config) -> None:
    if not config.expected_release:
        pytest.skip("no release is expected (--expect-release)")

    reply = client.send("GET", "/health")

    assert (reply.release, reply.json["release"]) == (config.expected_release, config.expected_release)
