"""The token bucket of each caller, in DynamoDB; at most two conditional writes and no read per request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions

from manuel.errors import DependencyUnavailableError, RateLimitedError
from manuel.logic import rate
from manuel.store.clients import Dependency, config

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from manuel.http import Request
    from manuel.settings import Settings

ATTEMPT_SECONDS = 0.5
# An idle caller's bucket is full: it will be full again one interval from now. A busy one's moves by an interval.
IDLE = ("SET full_at = :next, expires_at = :expires", "attribute_not_exists(full_at) OR full_at < :now")
BUSY = (
    "SET full_at = full_at + :interval, expires_at = :expires",
    "full_at BETWEEN :now AND :latest",
)


def limiter(settings: Settings) -> Callable[[Request], None] | None:
    """What a service asks before each request; nothing without advanced security."""
    return RateLimit(settings.rate_limit_table).take if settings.advanced_security else None


class RateLimit:
    """The table `manuel-rate-limit-<environment>`; `clock` gives seconds since 1970."""

    def __init__(
        self, table: str, dependency: Dependency | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._dependency = dependency or Dependency("The rate limit")
        self._client: DynamoDBClient = boto3.client("dynamodb", config=config(seconds=ATTEMPT_SECONDS, attempts=2))
        self._clock = clock

    def take(self, request: Request) -> None:
        """Take a token; raises RateLimitedError when there is none.

        A table that does not answer lets everybody through: the quota still holds, and nobody is locked out.
        """
        now = int(self._clock() * 1000)
        try:
            for change in (IDLE, BUSY):  # in between, another request can only make it busier
                if self._changed(request.user_id, change, now):
                    return
        except DependencyUnavailableError:
            request.measures.count("RateLimitUnavailable")
            return
        request.measures.count("RateLimited")
        raise RateLimitedError("Too many requests; try again in a moment.", retry_after=rate.RETRY_AFTER_SECONDS)

    def _changed(self, user_id: str, change: tuple[str, str], now: int) -> bool:
        update, condition = change
        values: dict[str, Any] = {
            ":now": now,
            ":next": now + rate.INTERVAL_MS,
            ":interval": rate.INTERVAL_MS,
            ":latest": now + rate.TOLERANCE_MS,
            ":expires": now // 1000 + rate.KEPT_SECONDS,
        }
        try:
            self._dependency.call(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key={"caller": {"S": user_id}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={
                        name: {"N": str(value)} for name, value in values.items() if name in update + condition
                    },
                )
            )
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
