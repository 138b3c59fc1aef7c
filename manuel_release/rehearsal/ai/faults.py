"""Planned faults: what goes wrong with one of the services, how often, and how slowly it answers."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from manuel_release.rehearsal.ai.wire import AwsError

SERVICES = ("bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime", "transcribe")
# What each service calls being asked too much, and being broken (botocore's service models).
THROTTLED = {"transcribe": (400, "LimitExceededException")}
BROKEN = {"transcribe": (500, "InternalFailureException")}


@dataclass(frozen=True)
class Plan:
    """Shares are percent of the calls, 0 to 100; throttling is drawn before errors. The delay is in seconds."""

    throttle_percent: float = 0.0
    error_percent: float = 0.0
    delay_seconds: float = 0.0


class Faults:
    """The plans that hold now, and how many calls of each service came; the same seed gives the same faults."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - faults that can be repeated
        self._plans: dict[str, Plan] = {}
        self._calls: dict[str, int] = {}

    def plan(self, service: str, members: dict[str, Any]) -> None:
        """Have `service` go wrong from now on; raises ValueError for what is no plan."""
        if service not in SERVICES:
            raise ValueError(f"service must be one of {', '.join(SERVICES)}")
        try:
            made = Plan(**{name: float(value) for name, value in members.items()})
        except TypeError as error:
            raise ValueError(str(error)) from None
        shares = (made.throttle_percent, made.error_percent)
        if made.delay_seconds < 0 or not all(0 <= share <= 100 for share in shares):
            raise ValueError("shares are 0 to 100 percent and a delay is not negative")
        with self._lock:
            self._plans[service] = made

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._plans.clear()

    def state(self) -> dict[str, Any]:
        """The plans and the counts."""
        with self._lock:
            return {"plans": {name: asdict(plan) for name, plan in self._plans.items()}, "calls": dict(self._calls)}

    def meet(self, service: str) -> None:
        """Count a call, wait as planned, and raise AwsError when it is this one's turn."""
        with self._lock:
            self._calls[service] = self._calls.get(service, 0) + 1
            plan = self._plans.get(service, Plan())
            throttled = self._random.uniform(0, 100) < plan.throttle_percent
            broken = self._random.uniform(0, 100) < plan.error_percent
        time.sleep(plan.delay_seconds)
        if throttled:
            raise AwsError(*THROTTLED.get(service, (429, "ThrottlingException")), "Too many requests, please wait.")
        if broken:
            raise AwsError(*BROKEN.get(service, (500, "InternalServerException")), "An internal error occurred.")
