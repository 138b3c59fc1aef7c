from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from manuel_release.errors import ReleaseError, SettingsError

if TYPE_CHECKING:
    from manuel_release.aws import Aws

ENTRY = {"environment": "dev", "entry": "log#1", "kind": "x", "share": 0.5, "count": 3, "on": True, "who": {"a": ["b"]}}
LEASE = {"environment": "dev", "entry": "lease#v1", "token": "mine", "expires_at": "2026-11-23T12:00:00Z"}
BEFORE, AT, AFTER = "2026-11-23T11:59:59Z", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"


@pytest.fixture
def table(aws: Aws, session):
    with mock_aws():
        session.client("dynamodb").create_table(
            TableName="manuel-releases",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "environment", "AttributeType": "S"},
                {"AttributeName": "entry", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "environment", "KeyType": "HASH"},
                {"AttributeName": "entry", "KeyType": "RANGE"},
            ],
        )
        yield aws.table("manuel-releases")


def test_an_item_that_was_put_is_read_again(table) -> None:
    assert table.put_new(ENTRY)

    assert table.get("dev", "log#1") == ENTRY
    assert table.get("dev", "log#2") is None


def test_a_taken_key_is_not_written_over(table) -> None:
    table.put_new(ENTRY)

    assert not table.put_new({**ENTRY, "kind": "other"})
    assert table.get("dev", "log#1") == ENTRY


def test_the_retry_of_a_write_whose_answer_was_lost_succeeds(table) -> None:
    table.put_new(ENTRY)

    assert table.put_new(dict(ENTRY))


def test_a_lease_is_written_where_there_is_none(table) -> None:
    assert table.put_if_free(LEASE, BEFORE, "mine") is None
    assert table.get("dev", "lease#v1") == LEASE


@pytest.mark.parametrize("now", [BEFORE, AT])
def test_somebody_elses_lease_stays_and_is_shown(table, now) -> None:
    table.put_if_free(LEASE, BEFORE, "mine")

    assert table.put_if_free({**LEASE, "token": "yours"}, now, "yours") == LEASE
    assert table.get("dev", "lease#v1") == LEASE


def test_an_expired_lease_is_not_in_the_way(table) -> None:
    table.put_if_free(LEASE, BEFORE, "mine")

    assert table.put_if_free({**LEASE, "token": "yours"}, AFTER, "yours") is None
    assert table.get("dev", "lease#v1")["token"] == "yours"


def test_ones_own_lease_is_not_in_the_way(table) -> None:
    table.put_if_free(LEASE, BEFORE, "mine")

    assert table.put_if_free({**LEASE, "reason": "again"}, BEFORE, "mine") is None
    assert table.get("dev", "lease#v1")["reason"] == "again"


def test_only_ones_own_item_is_replaced(table) -> None:
    table.put_if_free(LEASE, BEFORE, "mine")

    assert not table.replace_if({**LEASE, "token": "yours"}, "yours")
    assert table.replace_if({**LEASE, "expires_at": AFTER}, "mine")
    assert table.get("dev", "lease#v1") == {**LEASE, "expires_at": AFTER}


def test_an_item_that_is_gone_is_not_replaced(table) -> None:
    assert not table.replace_if(LEASE, "mine")
    assert table.get("dev", "lease#v1") is None


def test_only_ones_own_item_is_deleted(table) -> None:
    table.put_if_free(LEASE, BEFORE, "mine")

    assert not table.delete_if("dev", "lease#v1", "yours")
    assert table.delete_if("dev", "lease#v1", "mine")
    assert not table.delete_if("dev", "lease#v1", "mine")
    assert table.get("dev", "lease#v1") is None


@pytest.fixture
def five(table):
    for number in range(5):
        table.put_new({"environment": "dev", "entry": f"log#{number}"})
    table.put_new({"environment": "dev", "entry": "release#000001"})
    table.put_new({"environment": "staging", "entry": "log#9"})
    return table


def keys(items) -> list[str]:
    return [item["entry"] for item in items]


def test_a_query_has_one_partition_and_one_prefix_in_order(five) -> None:
    assert keys(five.query("dev", "log#")) == ["log#0", "log#1", "log#2", "log#3", "log#4"]
    assert keys(five.query("dev", "log#", newest_first=True)) == ["log#4", "log#3", "log#2", "log#1", "log#0"]
    assert keys(five.query("production", "log#")) == []


def test_a_query_stops_at_its_limit(five) -> None:
    assert keys(five.query("dev", "log#", True, 2)) == ["log#4", "log#3"]
    assert keys(five.query("dev", "log#", limit=0)) == []
    assert len(keys(five.query("dev", "log#", limit=99))) == 5


QUERY = {
    "TableName": "t",
    "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :prefix)",
    "ExpressionAttributeNames": {"#pk": "environment", "#sk": "entry"},
    "ExpressionAttributeValues": {":pk": {"S": "dev"}, ":prefix": {"S": "log#"}},
    "ScanIndexForward": True,
    "ConsistentRead": True,
}


def page(*entries, last=False):
    items = [{"environment": {"S": "dev"}, "entry": {"S": entry}} for entry in entries]
    return {"Items": items} if last else {"Items": items, "LastEvaluatedKey": items[-1]}


def test_a_query_goes_on_to_the_next_page_and_counts_across_pages(aws, stub) -> None:
    dynamodb = stub("dynamodb")
    first = page("log#1", "log#2")
    dynamodb.add_response("query", first, {**QUERY, "Limit": 3})
    dynamodb.add_response("query", page("log#3"), {**QUERY, "Limit": 1, "ExclusiveStartKey": first["LastEvaluatedKey"]})

    assert keys(aws.table("t").query("dev", "log#", limit=3)) == ["log#1", "log#2", "log#3"]


def test_a_query_without_a_limit_reads_every_page(aws, stub) -> None:
    dynamodb = stub("dynamodb")
    first = page("log#1", "log#2")
    dynamodb.add_response("query", first, QUERY)
    dynamodb.add_response("query", page("log#3", last=True), {**QUERY, "ExclusiveStartKey": first["LastEvaluatedKey"]})

    assert keys(aws.table("t").query("dev", "log#")) == ["log#1", "log#2", "log#3"]


def test_a_query_reads_no_page_that_nobody_asks_for(aws, stub) -> None:
    stub("dynamodb").add_response("query", page("log#1", "log#2"), QUERY)

    assert keys(itertools.islice(aws.table("t").query("dev", "log#"), 2)) == ["log#1", "log#2"]


def test_one_item_is_read_consistently(aws, stub) -> None:
    stub("dynamodb").add_response(
        "get_item",
        {},
        {"TableName": "t", "Key": {"environment": {"S": "dev"}, "entry": {"S": "a"}}, "ConsistentRead": True},
    )

    assert aws.table("t").get("dev", "a") is None


@pytest.mark.parametrize(
    "use",
    [
        lambda table: table.get("dev", "a"),
        lambda table: table.put_new(ENTRY),
        lambda table: table.delete_if("dev", "a", "t"),
        lambda table: next(table.query("dev", "a")),
    ],
    ids=["get", "put_new", "delete_if", "query"],
)
def test_a_missing_table_says_to_bootstrap(aws, table, use) -> None:
    with pytest.raises(SettingsError, match="table manuel-nowhere does not exist in eu-west-1") as raised:
        use(aws.table("manuel-nowhere"))

    assert "manuel-release bootstrap" in raised.value.hint


def test_a_table_that_cannot_be_reached_is_an_error_and_no_answer(aws, stub) -> None:
    stub("dynamodb").add_client_error("put_item", "InternalServerError", "try later", http_status_code=500)

    with pytest.raises(ReleaseError, match="cannot write to table t: try later"):
        aws.table("t").put_new(ENTRY)
