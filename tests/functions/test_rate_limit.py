"""How fast one caller may ask."""

from __future__ import annotations

import boto3
import pytest
from functions.backing import RATE_TABLE
from functions.events import ALICE, BOB, call, proxy_event
from functions.metrics import published
from manuel import usage
from manuel.errors import DependencyUnavailableError, RateLimitedError
from manuel.http import Request
from manuel.logic import rate
from manuel.store.rate_limit import RateLimit

pytestmark = pytest.mark.usefixtures("aws")


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(limit: RateLimit, user: str, times: int) -> int:
    """How many of so many requests pass."""
    passed = 0
    for _ in range(times):
        try:
            limit.take(Request("GET", "/", "id", subject=user))
        except RateLimitedError:
            continue
        passed += 1
    return passed


def test_a_caller_may_ask_as_often_at_once_as_the_bucket_holds(clock: Clock) -> None:
    limit = RateLimit(RATE_TABLE, clock=clock)

    assert taken(limit, ALICE, rate.BURST + 5) == rate.BURST


def test_others_have_buckets_of_their_own(clock: Clock) -> None:
    limit = RateLimit(RATE_TABLE, clock=clock)
    taken(limit, ALICE, rate.BURST + 1)

    assert taken(limit, BOB, 2) == 2


def test_the_bucket_fills_up_again_at_its_pace_and_no_further(clock: Clock) -> None:
    limit = RateLimit(RATE_TABLE, clock=clock)
    taken(limit, ALICE, rate.BURST)

    clock.now += 3 * rate.INTERVAL_MS / 1000
    assert taken(limit, ALICE, 10) == 3
    clock.now += 86_400
    assert taken(limit, ALICE, rate.BURST + 5) == rate.BURST


def test_who_waits_as_long_as_told_is_let_through(clock: Clock) -> None:
    limit = RateLimit(RATE_TABLE, clock=clock)
    taken(limit, ALICE, rate.BURST)
    with pytest.raises(RateLimitedError) as raised:
        limit.take(Request("GET", "/", "id", subject=ALICE))

    assert raised.value.retry_after == 1
    clock.now += raised.value.retry_after
    assert taken(limit, ALICE, 1) == 1


def test_buckets_expire(clock: Clock) -> None:
    taken(RateLimit(RATE_TABLE, clock=clock), ALICE, 2)

    (item,) = boto3.client("dynamodb").scan(TableName=RATE_TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == int(clock.now) + rate.KEPT_SECONDS


def test_with_advanced_security_too_many_requests_are_429_with_retry_after(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", "true")
    monkeypatch.setattr(rate, "INTERVAL_MS", 60_000)
    monkeypatch.setattr(rate, "TOLERANCE_MS", 0)
    assert call(usage.handler, proxy_event("GET", "/api/usage", user=ALICE)).status == 200

    answer = call(usage.handler, proxy_event("GET", "/api/usage", user=ALICE))

    assert (answer.status, answer.error["code"]) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == "1"
    assert published(capsys)["RateLimited"] == 1


def test_without_advanced_security_nobody_is_counted() -> None:
    call(usage.handler, proxy_event("GET", "/api/usage", user=ALICE))

    assert boto3.client("dynamodb").scan(TableName=RATE_TABLE)["Count"] == 0


def test_a_table_that_does_not_answer_locks_nobody_out(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(request: object, **_: object) -> None:
        raise DependencyUnavailableError("down")

    limit = RateLimit(RATE_TABLE)
    monkeypatch.setattr(limit._dependency, "call", down)
    request = Request("GET", "/", "id", subject=ALICE)

    limit.take(request)

    assert request.measures.values["RateLimitUnavailable"] == ("Count", 1)
