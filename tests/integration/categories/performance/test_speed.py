"""Whether a few dozen ordinary requests come back in time: P95 and errors; load is another suite's business."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.suites.client import Client, Reply
    from integration.suites.config import Config
    from integration.suites.person import Person

WARMING = 3  # requests before the measurement, for cold starts
OF_ONE = 15  # requests that one person may make without being asked to wait


def p95(seconds: list[float]) -> float:
    """The nearest-rank 95th percentile."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


def in_time(ask: Callable[[], Reply], config: Config, requests: int) -> None:
    for _ in range(WARMING):
        ask()
    replies = [ask() for _ in range(requests)]
    wrong = [reply for reply in replies if reply.status != 200]
    slow = p95([reply.seconds for reply in replies])

    assert 100 * len(wrong) / requests < config.error_percent, f"{len(wrong)} of {requests} failed: {wrong[0]}"
    assert slow < config.p95_seconds, f"95 % of {requests} requests took up to {slow:.2f} s"


@pytest.mark.smoke
def test_health_is_quick(client: Client, config: Config) -> None:
    in_time(lambda: client.send("GET", "/health"), config, config.requests)


@pytest.mark.smoke
def test_a_deep_health_check_is_bounded(client: Client, config: Config) -> None:
    in_time(lambda: client.send("GET", "/health?deep=1"), config, 5)


@pytest.mark.smoke
@pytest.mark.parametrize("path", ["/api/usage", "/api/manuals"])
def test_reading_is_quick(person: Person, config: Config, path: str) -> None:
    in_time(lambda: person.ask("GET", path), config, min(config.requests, OF_ONE))


@pytest.mark.basic
def test_asking_is_quick(person: Person, config: Config) -> None:
    spare = config.daily_quota - WARMING - 1
    in_time(lambda: person.query("What do I descale the kettle with?"), config, min(OF_ONE, max(1, spare)))


@pytest.mark.basic
def test_getting_permission_to_upload_is_quick(person: Person, config: Config) -> None:
    body = {"file_name": "a.txt", "size_bytes": 1}
    spare = config.daily_quota - WARMING - 1
    replies = [person.ask("POST", "/api/manuals/upload", body) for _ in range(min(OF_ONE, max(1, spare)))]

    assert {reply.status for reply in replies} == {201}
    assert p95([reply.seconds for reply in replies]) < config.p95_seconds
