"""AWS clients with bounded time, and what their failures mean to a caller.

Timeouts bound one attempt, the `standard` retry mode adds at most two more with exponential backoff and full jitter,
and the circuit breaker stops asking a dependency that keeps failing.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import botocore.config
import botocore.exceptions

from manuel.breaker import CircuitBreaker
from manuel.errors import DependencyUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
RETRY_AFTER_SECONDS = 5
OVERLOADED = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException",
    }
)


def config(*, seconds: float, attempts: int = 3) -> botocore.config.Config:
    """A client configuration in which an attempt takes at most about `seconds`, with `attempts` tries in all."""
    return botocore.config.Config(
        connect_timeout=min(1.0, seconds),
        read_timeout=seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


class Dependency:
    """One AWS service as a function uses it: calls that fail become one error, behind a circuit breaker."""

    def __init__(self, name: str, breaker: CircuitBreaker | None = None) -> None:
        self._name = name
        self._breaker = breaker or CircuitBreaker(name)

    def call(self, operation: Callable[[], T]) -> T:
        """Do `operation`; raises DependencyUnavailableError when the service does not answer, is overloaded or fails.

        Its refusals (ClientError) stay what they are.
        """
        return self._breaker.call(lambda: self._translated(operation))

    def _translated(self, operation: Callable[[], T]) -> T:
        try:
            return operation()
        except botocore.exceptions.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status < 500 and error.response.get("Error", {}).get("Code") not in OVERLOADED:
                raise
            raise self._unavailable() from error
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
            raise self._unavailable() from error

    def _unavailable(self) -> DependencyUnavailableError:
        return DependencyUnavailableError(
            f"{self._name} is not answering at the moment.", retry_after=RETRY_AFTER_SECONDS
        )
