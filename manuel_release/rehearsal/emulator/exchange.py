"""One request on its way through a REST API: what it was routed to, and what became of it.

Each request is drawn at random for the stage's canary (API Gateway developer guide, "Set up an API Gateway canary
release deployment": there is no stickiness) and from then on sees one deployment's snapshot and one set of variables:
the stage's, and over them the canary's overrides. A canary inherits what it does not override (recorded on AWS).
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import random
import time
from typing import TYPE_CHECKING, Any

from ministack.core import responses

from manuel_release.rehearsal.emulator import deployments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAGES = "_stages_v1"


@dataclasses.dataclass
class Integration:
    """The call of a backend: its status as the function gave it, milliseconds, and what went wrong."""

    status: int | None = None
    latency_ms: int | None = None
    request_id: str | None = None
    ran: bool = False
    failure: str | None = None
    """The gateway response type that the caller gets: None, API_CONFIGURATION_ERROR (500) or BAD_GATEWAY (502)."""
    error: str | None = None


@dataclasses.dataclass
class Exchange:
    """A request, the stage as it sees it, and the answer."""

    api_id: str
    stage: dict[str, Any]
    canary: bool | None
    """Whether the canary was drawn; None while the stage has no canary."""
    parts: dict[str, Any]
    """What ministack's stores answer for this API, by the store's name."""
    method: str = ""
    path: str = ""
    headers: dict[str, Any] = dataclasses.field(default_factory=dict)
    request_id: str = dataclasses.field(default_factory=lambda: str(responses.new_uuid()))
    arrived: float = dataclasses.field(default_factory=time.time)
    started: float = dataclasses.field(default_factory=time.perf_counter)
    resource_path: str = ""
    resource_id: str = ""
    authorizer: dict[str, Any] = dataclasses.field(default_factory=dict)
    integration: Integration | None = None
    error_message: str | None = None
    error_type: str | None = None
    status: int = 0
    latency_ms: int = 0
    response_bytes: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """The stage variables in effect."""
        return self.stage.get("variables") or {}

    @property
    def source_ip(self) -> str:
        """The caller's address, by the rule that ministack's Lambda event follows."""
        forwarded = self.headers.get("x-forwarded-for")
        return forwarded.split(",")[0].strip() if isinstance(forwarded, str) else "127.0.0.1"


current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)
observers: list[Callable[[Exchange], None]] = []
"""Called with every exchange that reached a stage, after its answer is known."""


def routed(api_id: str, stage: dict[str, Any], *, draw: bool = True) -> Exchange:
    """Route a request to the stage or to its canary; `draw=False` always takes the stage."""
    canary = stage.get("canarySettings")
    chosen = None
    if canary and draw:
        chosen = random.random() * 100.0 < canary["percentTraffic"]  # noqa: S311 - traffic, not a secret
    seen = dict(stage)
    if canary and chosen:
        seen["deploymentId"] = canary["deploymentId"]
        seen["variables"] = {**(stage.get("variables") or {}), **(canary.get("stageVariableOverrides") or {})}
    frozen = deployments.snapshot(api_id, seen["deploymentId"])
    return Exchange(api_id, seen, chosen, {**frozen, STAGES: {stage["stageName"]: seen}})


@contextlib.contextmanager
def serving(exchange: Exchange | None) -> Iterator[None]:
    """Make `exchange` the current one, so that ministack's stores answer from what it was routed to."""
    token = current.set(exchange)
    try:
        yield
    finally:
        current.reset(token)
