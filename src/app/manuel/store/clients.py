"""AWS clients with bounded time, and what their failures mean to a caller.

Timeouts bound one attempt, the `standard` retry mode adds at most two more with exponential backoff and full jitter,
and the circuit breaker stops asking a dependency that keeps failing.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

import botocore.config
import botocore.exceptions

from manuel.breaker import CircuitBreaker
from manuel.errors import DependencyBusyError, DependencyUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
RETRY_AFTER_SECONDS = 5
FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 1.5
BUSY = frozenset(
    {
        "LimitExceededException",
        "ModelNotReadyException",
        "ServiceQuotaExceededException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
OVERLOADED = frozenset(
    {
        "BadGatewayException",
        "DependencyFailedException",
        "InternalServerError",
        "ModelErrorException",
        "ModelTimeoutException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
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
    """One AWS service as a function uses it: calls that fail become one error, behind a circuit breaker.

    A call that the service turned away is made up to `attempts` times, with growing pauses of random length; one that
    timed out is not made again, because a second wait would not fit into the request. Where botocore tries again
    itself, `attempts` stays 1. https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(
        self,
        name: str,
        breaker: CircuitBreaker | None = None,
        *,
        attempts: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._breaker = breaker or CircuitBreaker(name)
        self._attempts = attempts
        self._sleep = sleep

    def call(self, operation: Callable[[], T]) -> T:
        """Do `operation`; raises DependencyUnavailableError when the service does not answer, is overloaded or fails.

        Its refusals (ClientError) stay what they are.
        """
        return self._breaker.call(lambda: self._repeated(operation))

    def _repeated(self, operation: Callable[[], T]) -> T:
        for attempt in range(1, self._attempts):
            try:
                return self._translated(operation)
            except DependencyBusyError:
                self._sleep(random.uniform(0, min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)))  # noqa: S311
        return self._translated(operation)

    def _translated(self, operation: Callable[[], T]) -> T:
        try:
            return operation()
        except botocore.exceptions.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response.get("Error", {}).get("Code")
            if code in BUSY or status == 429:
                raise self._failed(DependencyBusyError) from error
            if status < 500 and code not in OVERLOADED:
                raise
            raise self._failed(DependencyUnavailableError) from error
        except botocore.exceptions.ConnectionError as error:
            raise self._failed(DependencyBusyError) from error
        except botocore.exceptions.HTTPClientError as error:
            raise self._failed(DependencyUnavailableError) from error

    def _failed(self, kind: type[DependencyUnavailableError]) -> DependencyUnavailableError:
        return kind(f"{self._name} is not answering at the moment.", retry_after=RETRY_AFTER_SECONDS)
