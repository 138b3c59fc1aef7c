"""A circuit breaker: a dependency that keeps failing is left alone for a while.

Closed: calls go through. After `failures` failed calls in a row it opens, and calls fail at once. After
`open_seconds` one call is let through (half-open): success closes it, failure opens it again. A sandbox serves one
request at a time, so there is no lock. https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TypeVar

from manuel.errors import DependencyUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
FAILURES = 5
OPEN_SECONDS = 20.0


class CircuitBreaker:
    """Guards the calls to one dependency, named in what the caller is told."""

    def __init__(
        self,
        dependency: str,
        *,
        failures: int = FAILURES,
        open_seconds: float = OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dependency = dependency
        self._failures_to_open = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._open_until = -math.inf

    def call(self, operation: Callable[[], T]) -> T:
        """Do `operation`; a DependencyUnavailableError that it raises counts as a failure, anything else as an answer.

        Raises DependencyUnavailableError without calling while open, with the seconds until it half-opens.
        """
        remaining = self._open_until - self._clock()
        if remaining > 0:
            raise DependencyUnavailableError(
                f"{self._dependency} is not answering at the moment.", retry_after=math.ceil(remaining)
            )
        try:
            result = operation()
        except DependencyUnavailableError:
            self._failures += 1
            if self._failures >= self._failures_to_open:
                self._open_until = self._clock() + self._open_seconds
            raise
        except Exception:
            self._failures = 0
            raise
        self._failures = 0
        return result
