"""Waiting before a request that AWS would throttle, where AWS says how many it takes.

Only the control plane is paced, and only what is documented with a number; everything else is left to the adaptive
retries of `session`. Lambda's 15 control-plane requests per second are not in the table: a process that waits for each
answer stays below by itself. A quota belongs to the whole account, so others may use it up, and the retries stay.

A bucket begins full: the one or two API Gateway calls of a rollback never wait.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (creating, deploying and managing an
API) and https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Quota:
    """What AWS takes: `rate` requests per second for good, `burst` at once after a pause."""

    rate: float
    burst: int = 1


ANY = "*"
QUOTAS: Mapping[tuple[str, str], Quota] = {
    # (service as botocore's events call it, operation) -> per account and region
    ("api-gateway", ANY): Quota(10, 40),
    ("api-gateway", "CreateDeployment"): Quota(1 / 5),
    ("api-gateway", "PutRestApi"): Quota(1),
    ("cloudwatch", "DescribeAlarms"): Quota(9, 9),
    ("cloudwatch", "DeleteAlarms"): Quota(3, 3),
    ("cloudwatch", "PutMetricAlarm"): Quota(3, 3),
    ("cloudwatch", "SetAlarmState"): Quota(3, 3),
}


@dataclass
class Bucket:
    """A token bucket: a request takes a token, and tokens come back at the quota's rate, up to its burst."""

    quota: Quota
    at: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = float(self.quota.burst)

    def take(self, now: float) -> float:
        """Take a token; the seconds to wait until it is there."""
        self.tokens = min(self.quota.burst, self.tokens + (now - self.at) * self.quota.rate)
        self.at = now
        self.tokens -= 1
        return max(0.0, -self.tokens / self.quota.rate)


class Pacing:
    """Keeps the requests of one process below AWS's quotas; may be used by several threads.

    clock: seconds that only grow. sleep: pauses for that many seconds.
    """

    def __init__(
        self,
        quotas: Mapping[tuple[str, str], Quota] = QUOTAS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._quotas = quotas
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, service: str, operation: str) -> None:
        """Wait until the request may be sent; not at all where no quota is known."""
        with self._lock:
            waits = [self._take(key) for key in ((service, ANY), (service, operation)) if key in self._quotas]
        longest = max(waits, default=0.0)
        if longest > 0:
            self._sleep(longest)

    def _take(self, key: tuple[str, str]) -> float:
        now = self._clock()
        bucket = self._buckets.setdefault(key, Bucket(self._quotas[key], now))
        return bucket.take(now)
