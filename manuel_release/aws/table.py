"""DynamoDB: the few ways in which the ledger reads and writes its table; every read is consistent.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from manuel_release.aws.attributes import from_item, to_attribute, to_item
from manuel_release.aws.errors import translated
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from manuel_release.aws.attributes import Item
    from manuel_release.aws.session import Session

PARTITION_KEY = "environment"
SORT_KEY = "entry"
_NAMES = {"#pk": PARTITION_KEY}
_FREE = "attribute_not_exists(#pk) OR #expires < :now OR #token = :token"


class Table:
    """Items of one table; a lost answer and the retry after it never look like somebody else's write."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    @property
    def _client(self) -> DynamoDBClient:
        return self._session.client("dynamodb")

    @contextmanager
    def _answers(self, what: str) -> Iterator[None]:
        with translated(f"cannot {what} table {self.name}"):
            try:
                yield
            except self._client.exceptions.ResourceNotFoundException as error:
                raise SettingsError(
                    f"table {self.name} does not exist in {self._session.region}",
                    hint="Run `manuel-release bootstrap` once for this account and region, or check --region.",
                ) from error

    def put_new(self, item: Item) -> bool:
        """Write an item whose key is free; False when another item has it, True when exactly this one does."""
        there = self._put(item, "attribute_not_exists(#pk)", dict(_NAMES), {})
        return there is None or there == item

    def put_if_free(self, item: Item, now: str | float, token: str) -> Item | None:
        """Write a lease; the item that is in the way, None when it was written.

        Args:
            item: with `token` and `expires_at`.
            now: an item whose `expires_at` is before it is not in the way; same type as `expires_at`.
            token: an item with this token is the caller's own and not in the way either.
        """
        names = {**_NAMES, "#expires": "expires_at", "#token": "token"}
        return self._put(item, _FREE, names, {":now": to_attribute(now), ":token": to_attribute(token)})

    def replace_if(self, item: Item, token: str) -> bool:
        """Write over an item that has this token; False when it has another one or is gone."""
        names = {"#token": "token"}
        return self._put(item, "#token = :token", names, {":token": to_attribute(token)}) is None

    def _put(
        self, item: Item, condition: str, names: dict[str, str], values: dict[str, AttributeValueTypeDef]
    ) -> Item | None:
        """Write on a condition: None when it held, else the item as it is, empty when there is none."""
        with self._answers("write to"):
            try:
                if values:
                    self._client.put_item(
                        TableName=self.name,
                        Item=to_item(item),
                        ConditionExpression=condition,
                        ExpressionAttributeNames=names,
                        ExpressionAttributeValues=values,
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                else:  # an empty map of values is refused
                    self._client.put_item(
                        TableName=self.name,
                        Item=to_item(item),
                        ConditionExpression=condition,
                        ExpressionAttributeNames=names,
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                return from_item(cast("dict[str, Any]", error.response).get("Item", {}))
        return None

    def delete_if(self, pk: str, sk: str, token: str) -> bool:
        """Delete an item that has this token; False when it has another one or is gone."""
        with self._answers("delete from"):
            try:
                self._client.delete_item(
                    TableName=self.name,
                    Key=to_item({PARTITION_KEY: pk, SORT_KEY: sk}),
                    ConditionExpression="#token = :token",
                    ExpressionAttributeNames={"#token": "token"},
                    ExpressionAttributeValues={":token": to_attribute(token)},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def get(self, pk: str, sk: str) -> Item | None:
        """One item; None when there is none."""
        with self._answers("read"):
            answer = self._client.get_item(
                TableName=self.name, Key=to_item({PARTITION_KEY: pk, SORT_KEY: sk}), ConsistentRead=True
            )
        return from_item(answer.get("Item", {})) if "Item" in answer else None

    def query(self, pk: str, prefix: str, newest_first: bool = False, limit: int | None = None) -> Iterator[Item]:
        """Items whose sort key begins with `prefix`, in its order, read page by page as they are asked for.

        limit: how many at the most; None for all.
        """
        asked: QueryInputTypeDef = {
            "TableName": self.name,
            "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :prefix)",
            "ExpressionAttributeNames": {"#pk": PARTITION_KEY, "#sk": SORT_KEY},
            "ExpressionAttributeValues": {":pk": to_attribute(pk), ":prefix": to_attribute(prefix)},
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
        }
        left = limit
        while left is None or left > 0:
            if left is not None:
                asked["Limit"] = left
            with self._answers("read"):
                page = self._client.query(**asked)
            for found in page["Items"]:
                yield from_item(found)
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            if left is not None:
                left -= len(page["Items"])
