"""Usage counters and what the API says about them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from functions.backing import TABLE, create_table
from functions.events import ALICE, BOB, call, proxy_event
from manuel import usage
from manuel.errors import QuotaExceededError
from manuel.logic import quota
from manuel.models import Limits, Usage
from manuel.store.usage import UsageStore

if TYPE_CHECKING:
    from manuel_release.rehearsal.process import EmbeddedCloud

LIMITS = Limits(daily=3, monthly=5)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("path", ["/api/usage", "/api/user/usage", "/api/user/quota"])
def test_a_new_user_has_used_nothing(path: str) -> None:
    answer = call(usage.handler, proxy_event("GET", path, user=ALICE))

    assert answer.status == 200
    assert {k: answer.json["daily"][k] for k in ("used", "limit", "remaining")} == {
        "used": 0,
        "limit": 3,
        "remaining": 3,
    }
    assert {k: answer.json["monthly"][k] for k in ("used", "limit", "remaining")} == {
        "used": 0,
        "limit": 5,
        "remaining": 5,
    }


@pytest.mark.usefixtures("aws")
def test_a_user_sees_their_own_use_and_nobody_elses() -> None:
    store = UsageStore(TABLE)
    store.take(BOB, datetime.now(UTC), LIMITS)
    store.take(BOB, datetime.now(UTC), LIMITS)
    store.take(ALICE, datetime.now(UTC), LIMITS)

    assert call(usage.handler, proxy_event("GET", "/api/usage", user=ALICE)).json["daily"]["used"] == 1
    assert call(usage.handler, proxy_event("GET", "/api/usage", user=BOB)).json["daily"]["used"] == 2


@pytest.mark.usefixtures("aws")
def test_nobody_gets_no_usage() -> None:
    assert call(usage.handler, proxy_event("GET", "/api/usage")).status == 401


@pytest.mark.usefixtures("aws")
def test_a_missing_table_is_a_500_that_names_no_table() -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE)

    answer = call(usage.handler, proxy_event("GET", "/api/usage", user=ALICE))

    assert (answer.status, answer.error["code"]) == (500, "internal_error")
    assert TABLE not in answer.text


@pytest.mark.usefixtures("aws")
def test_operations_are_counted_for_the_day_and_for_the_month() -> None:
    store = UsageStore(TABLE)
    store.take(ALICE, NOON, LIMITS)

    assert store.take(ALICE, NOON + timedelta(days=1), LIMITS) == Usage(daily=1, monthly=2)
    assert store.read(ALICE, NOON) == Usage(daily=1, monthly=2)
    assert store.read(ALICE, NOON + timedelta(days=8)) == Usage(daily=0, monthly=0)  # December


@pytest.mark.usefixtures("aws")
def test_a_used_up_day_is_refused_until_the_next_and_not_counted() -> None:
    store = UsageStore(TABLE)
    for _ in range(3):
        store.take(ALICE, NOON, LIMITS)

    with pytest.raises(QuotaExceededError, match="All 3 operations of this day") as raised:
        store.take(ALICE, NOON, LIMITS)

    assert raised.value.retry_after == 12 * 3600
    assert store.read(ALICE, NOON) == Usage(daily=3, monthly=3)
    assert store.take(ALICE, NOON + timedelta(days=1), LIMITS).daily == 1


@pytest.mark.usefixtures("aws")
def test_a_used_up_month_is_refused_until_the_next() -> None:
    store = UsageStore(TABLE)
    for day in range(5):
        store.take(ALICE, NOON + timedelta(days=day), LIMITS)

    with pytest.raises(QuotaExceededError, match="All 5 operations of this month") as raised:
        store.take(ALICE, NOON + timedelta(days=5), LIMITS)

    assert raised.value.retry_after == (datetime(2026, 12, 1, tzinfo=UTC) - NOON - timedelta(days=5)).total_seconds()


@pytest.mark.usefixtures("aws")
def test_of_two_requests_that_race_for_the_last_operation_one_gets_it() -> None:
    first, second = UsageStore(TABLE), UsageStore(TABLE)
    limits = Limits(daily=1, monthly=5)
    taken: list[Usage] = []

    def overtake(**_: Any) -> None:  # runs when the first request is on its way to DynamoDB
        if not taken:
            taken.append(second.take(ALICE, NOON, limits))

    first._client.meta.events.register("before-send.dynamodb.UpdateItem", overtake)

    with pytest.raises(QuotaExceededError):
        first.take(ALICE, NOON, limits)

    assert taken == [Usage(daily=1, monthly=1)]
    assert first.read(ALICE, NOON) == Usage(daily=1, monthly=1)


@pytest.mark.emulator
def test_many_requests_at_once_get_exactly_the_quota(
    cloud: EmbeddedCloud, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    table = "manuel-usage-race"
    dynamodb = boto3.client("dynamodb")
    create_table(dynamodb, table)
    stores = [UsageStore(table) for _ in range(8)]
    outcomes: list[str] = []

    def ask(store: UsageStore) -> None:
        for _ in range(4):
            try:
                store.take(ALICE, NOON, Limits(daily=10, monthly=100))
                outcomes.append("taken")
            except QuotaExceededError:
                outcomes.append("refused")

    threads = [threading.Thread(target=ask, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (outcomes.count("taken"), outcomes.count("refused")) == (10, 22)
    dynamodb.delete_table(TableName=table)
    for client in (dynamodb, *(store._client for store in stores)):
        client.close()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("limits", [Limits(daily=1, monthly=9), Limits(daily=9, monthly=1)])
def test_a_user_with_nothing_left_can_be_refused_without_counting(limits: Limits) -> None:
    store = UsageStore(TABLE)
    store.require(ALICE, NOON, limits)
    store.take(ALICE, NOON, limits)

    with pytest.raises(QuotaExceededError):
        store.require(ALICE, NOON, limits)

    assert store.read(ALICE, NOON) == Usage(daily=1, monthly=1)


@pytest.mark.usefixtures("aws")
def test_counters_expire_ninety_days_after_their_month() -> None:
    UsageStore(TABLE).take(ALICE, NOON, LIMITS)

    (item,) = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == int(datetime(2027, 3, 1, tzinfo=UTC).timestamp())


def test_what_is_left_is_never_less_than_nothing() -> None:
    lowered = quota.report(Usage(daily=9, monthly=9), LIMITS, NOON)

    assert lowered["daily"] == {"used": 9, "limit": 3, "remaining": 0, "resets_at": "2026-11-24T00:00:00+00:00"}
    assert lowered["monthly"]["resets_at"] == "2026-12-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("now", "day", "month"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "2027-01-01", "2027-01-01"),
        (datetime(2027, 1, 31, tzinfo=UTC), "2027-02-01", "2027-02-01"),
        (datetime(2028, 2, 28, 12, tzinfo=UTC), "2028-02-29", "2028-03-01"),
    ],
)
def test_quotas_are_fresh_at_utc_midnight(now: datetime, day: str, month: str) -> None:
    assert quota.next_day(now).isoformat() == f"{day}T00:00:00+00:00"
    assert quota.next_month(now).isoformat() == f"{month}T00:00:00+00:00"


def test_retry_after_is_at_least_a_second() -> None:
    end_of_day = datetime(2026, 11, 23, 23, 59, 59, 900_000, tzinfo=UTC)

    assert quota.exceeded(Usage(daily=3, monthly=3), LIMITS, end_of_day).retry_after == 1


@pytest.mark.usefixtures("aws")
def test_an_operation_that_failed_on_our_side_is_given_back_and_never_more() -> None:
    store = UsageStore(TABLE)
    store.take(ALICE, NOON, LIMITS)

    store.give_back(ALICE, NOON)
    store.give_back(ALICE, NOON)
    store.give_back(BOB, NOON)

    assert store.read(ALICE, NOON) == Usage(daily=0, monthly=0)
    assert store.read(BOB, NOON) == Usage(daily=0, monthly=0)
