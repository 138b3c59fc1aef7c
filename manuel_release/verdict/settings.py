"""What a judge can be told beforehand; every number here was chosen before the tables in docs/verdict.md were made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Routing(StrEnum):
    """How the router decides which arm serves a request."""

    PER_REQUEST = "per_request"
    """Every request is drawn anew (API Gateway canary, Lambda alias, ALB without stickiness)."""
    PER_USER = "per_user"
    """A user stays on one arm (cookies, DNS, long connections): errors of one user count as one witness."""
    UNKNOWN = "unknown"
    """Treated as per request until the counts show that errors come in runs on one arm."""


class LimitsMode(StrEnum):
    """What the specification's absolute limits may do."""

    REPORT = "report"
    """Listed in the verdict; they decide nothing."""
    SHARED = "shared"
    """The canary alone breaks a limit: roll back. The stable arm breaks it too: an incident, promotion is held."""
    ABSOLUTE = "absolute"
    """The specification to the letter: the canary breaks a limit, roll back, whatever the stable arm does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of a team or an environment; the defaults are what the benchmark measures.

    Percentages are 0-100, times seconds. `business` names the counters that are judged besides errors and latency
    (`query_failures`, `transcription_failures`, `throttles`, `quota_failures`); they share 15 % of alpha.
    `edges_ms` are the upper edges of the latency buckets in milliseconds, the last bucket open: with them P95 is
    reported and limited in milliseconds, without them latency is judged by bucket number alone.
    """

    routing: Routing = Routing.UNKNOWN
    business: tuple[str, ...] = ()
    edges_ms: tuple[float, ...] = ()
    limits: LimitsMode = LimitsMode.REPORT

    margin_5xx_percent: float = 0.5
    """How much worse the canary's 5xx rate may be and still be called good."""
    margin_4xx_percent: float = 2.0
    margin_slow_percent: float = 5.0
    """The same for the share of requests slower than the stable arm's past P95."""
    promote_alpha: float = 0.05
    """Probability of calling a canary good that is worse by a margin or more."""

    material_5xx_percent: float = 0.1
    """A proven difference below this is reported and not rolled back."""
    material_4xx_percent: float = 0.2
    material_p95_ratio: float = 1.05
    material_slow_percent: float = 1.0
    """The latency gate without `edges_ms`: the canary's share of slow requests minus the stable arm's."""

    start_grace_seconds: float = 60.0
    """Cold starts: during this time only a regression that slows most requests counts."""
    grace_requests: int = 10
    """The same for the canary's first requests: at low traffic each function's first one comes late."""
    step_grace_seconds: float = 30.0
    """The same after the canary's weight was raised."""
    stale_seconds: float = 60.0
    """Without complete counts of both arms for this long nothing is called good."""
