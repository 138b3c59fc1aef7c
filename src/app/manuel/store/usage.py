"""Usage counters in DynamoDB: one item per user and month, with a counter for the month and one for each of its days.

Both counters and both limits are in one item, so that one conditional write counts an operation or refuses it: two
requests can never both take the last one.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions

from manuel.errors import DependencyUnavailableError
from manuel.logic import quota
from manuel.models import Limits, Usage
from manuel.store.clients import Dependency, config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

ATTEMPT_SECONDS = 1.5
KEPT_AFTER_MONTH = timedelta(days=90)


class UsageStore:
    """The table `manuel-usage-<environment>`."""

    def __init__(self, table: str, dependency: Dependency | None = None) -> None:
        self._table = table
        self._dependency = dependency or Dependency("The usage table")
        self._client: DynamoDBClient = boto3.client("dynamodb", config=config(seconds=ATTEMPT_SECONDS))

    def read(self, user_id: str, now: datetime) -> Usage:
        """What the user did so far in the day and month of `now`; raises DependencyUnavailableError."""
        answer = self._dependency.call(
            lambda: self._client.get_item(TableName=self._table, Key=_key(user_id, now), ConsistentRead=True)
        )
        return _usage(answer.get("Item", {}), now)

    def require(self, user_id: str, now: datetime, limits: Limits) -> None:
        """Refuse a user who has nothing left before work is done for them; raises as `take` does, counts nothing."""
        usage = self.read(user_id, now)
        if usage.daily >= limits.daily or usage.monthly >= limits.monthly:
            raise quota.exceeded(usage, limits, now)

    def take(self, user_id: str, now: datetime, limits: Limits) -> Usage:
        """Count one operation and return the usage with it.

        Raises QuotaExceededError, counting nothing, when the day or the month is used up, and
        DependencyUnavailableError. A retry after a lost answer may count an operation twice, never not at all.
        """
        expires = quota.next_month(now) + KEPT_AFTER_MONTH
        try:
            answer = self._dependency.call(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key=_key(user_id, now),
                    UpdateExpression="SET expires_at = :expires ADD #day :one, #month :one",
                    ConditionExpression="(attribute_not_exists(#day) OR #day < :daily)"
                    " AND (attribute_not_exists(#month) OR #month < :monthly)",
                    ExpressionAttributeNames={"#day": _day(now), "#month": "month"},
                    ExpressionAttributeValues={
                        ":one": {"N": "1"},
                        ":daily": {"N": str(limits.daily)},
                        ":monthly": {"N": str(limits.monthly)},
                        ":expires": {"N": str(int(expires.timestamp()))},
                    },
                    ReturnValues="ALL_NEW",
                )
            )
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise quota.exceeded(self.read(user_id, now), limits, now) from None
        return _usage(answer["Attributes"], now)

    def give_back(self, user_id: str, now: datetime) -> None:
        """Uncount an operation that `take` counted at `now` and that failed on our side.

        Never raises because of the table, and never goes below nothing: the caller's own error matters more.
        """
        with contextlib.suppress(botocore.exceptions.ClientError, DependencyUnavailableError):
            self._dependency.call(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key=_key(user_id, now),
                    UpdateExpression="ADD #day :less, #month :less",
                    ConditionExpression="#day > :none AND #month > :none",
                    ExpressionAttributeNames={"#day": _day(now), "#month": "month"},
                    ExpressionAttributeValues={":less": {"N": "-1"}, ":none": {"N": "0"}},
                )
            )


def _key(user_id: str, now: datetime) -> dict[str, AttributeValueTypeDef]:
    return {"user_id": {"S": user_id}, "period": {"S": now.strftime("%Y-%m")}}


def _day(now: datetime) -> str:
    return now.strftime("day_%d")


def _usage(item: Mapping[str, AttributeValueTypeDef], now: datetime) -> Usage:
    def count(name: str) -> int:
        return int(item.get(name, {}).get("N", "0"))

    return Usage(daily=count(_day(now)), monthly=count("month"))
