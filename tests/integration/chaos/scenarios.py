"""The scenarios: what goes wrong, what must still hold meanwhile, and how soon all must be well again.

What must hold is what the service's description promises: a dependency that fails is a 503 `dependency_unavailable`
with Retry-After, never a 500 and never a time-out of API Gateway; what does not need the dependency goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.chaos.injectors import AnyFault, FunctionFault
from integration.chaos.layer.python.manuel_faults import Fault

if TYPE_CHECKING:
    from integration.chaos.target import Reply, Target

UNAVAILABLE = "dependency_unavailable"
SOON = 5.0  # seconds: the specification's P95
STEADY = ("health", "usage", "manuals", "query")


@dataclass(frozen=True)
class Check:
    """One thing that held or did not. phase: before, during or after."""

    phase: str
    sentence: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Answers:
    """A route answers so while the faults last.

    within: seconds that the slowest answer may take. least_percent: of the answers that must be `status`; the others
    must be documented refusals all the same. code: of the error.
    """

    route: str
    status: int = 200
    code: str = ""
    times: int = 3
    within: float = SOON
    least_percent: float = 100.0

    def observe(self, target: Target) -> Check:
        """Ask and judge."""
        replies = [target.ask(self.route) for _ in range(self.times)]
        as_said = [reply for reply in replies if self._as_said(reply)]
        slowest = max(reply.seconds for reply in replies)
        undocumented = [reply for reply in replies if not (self._as_said(reply) or refused(reply) or reply.ok)]
        enough = 100.0 * len(as_said) / len(replies) >= self.least_percent
        share = "" if self.least_percent == 100 else f" at least {self.least_percent:.0f} % of the time"
        return Check(
            "during",
            f"{self.route} answers {self.status}{f' {self.code}' if self.code else ''} within {self.within:g} s{share}",
            enough and slowest <= self.within and not undocumented,
            f"{len(as_said)} of {len(replies)} did, the slowest took {slowest:.2f} s; {told(replies)}",
        )

    def _as_said(self, reply: Reply) -> bool:
        if reply.status != self.status or reply.code != self.code:
            return False
        return self.status != 503 or not self.code or (reply.retry_after or 0) >= 1


@dataclass(frozen=True)
class BreakerOpens:
    """After some slow failures the dependency is left alone: answers are quick refusals.

    slow: seconds that a call to the dependency takes before it fails. tries: requests until it must be open.
    """

    route: str
    slow: float
    tries: int = 12
    then: int = 3

    def observe(self, target: Target) -> Check:
        """Ask until refusals are quick, and a few times more."""
        replies: list[Reply] = []
        quick = 0
        while quick < self.then and len(replies) < self.tries + self.then:
            replies.append(target.ask(self.route))
            quick = quick + 1 if refused(replies[-1]) and replies[-1].seconds < self.slow * 0.8 else 0
        slow_ones = len(replies) - quick
        documented = all(refused(reply) for reply in replies)
        return Check(
            "during",
            f"the circuit opens: {self.route} is refused at once after at most {self.tries} slow failures",
            quick >= self.then and documented,
            f"{slow_ones} slow, then {quick} quick; {told(replies)}",
        )


def refused(reply: Reply) -> bool:
    """Whether an answer is the documented refusal: 503, its code, and when to come again."""
    return reply.status == 503 and reply.code == UNAVAILABLE and (reply.retry_after or 0) >= 1


def told(replies: list[Reply]) -> str:
    """`2x 503 dependency_unavailable, 1x 500 internal_error`."""
    seen: dict[str, int] = {}
    for reply in replies:
        key = f"{reply.status or 'no answer'} {reply.code}".strip()
        seen[key] = seen.get(key, 0) + 1
    return ", ".join(f"{count}x {key}" for key, count in seen.items())


@dataclass(frozen=True)
class Scenario:
    """An experiment.

    hypothesis: a sentence. basic: whether it is in the basic suite. recover_seconds: from the faults' end until every
    steady route is well. lasts: seconds that the faults may last at most.
    """

    name: str
    hypothesis: str
    faults: tuple[AnyFault, ...]
    during: tuple[Answers | BreakerOpens, ...]
    basic: bool = False
    recover_seconds: float = 20.0
    lasts: float = 120.0


def _down(dependency: str, code: str, status: int = 500, **more: float) -> Fault:
    return Fault(dependency, "error", status, code, f"{dependency} is made to fail.", **more)  # type: ignore[arg-type]


ELSEWHERE = (Answers("health"), Answers("usage"), Answers("manuals"))
BREAKER_SLOW = 1.0

SCENARIOS = (
    Scenario(
        "bedrock-throttling",
        "When Bedrock throttles the model, questions are refused with 503 and everything else goes on.",
        (_down("bedrock-runtime", "ThrottlingException", 429),),
        (Answers("query", 503, UNAVAILABLE), *ELSEWHERE),
        basic=True,
    ),
    Scenario(
        "dynamodb-failure",
        "When DynamoDB fails, what needs the usage table is refused with 503; manuals and health go on.",
        (_down("dynamodb", "InternalServerError"),),
        (
            Answers("usage", 503, UNAVAILABLE),
            Answers("query", 503, UNAVAILABLE),
            Answers("manuals"),
            Answers("health"),
            Answers("deep-health", 503, times=1),
        ),
        basic=True,
    ),
    Scenario(
        "circuit-breaker",
        "When the search keeps failing slowly, it is left alone: refusals become quick, and end by themselves.",
        (_down("bedrock-agent-runtime", "InternalServerException", delay_seconds=BREAKER_SLOW),),
        (BreakerOpens("query", BREAKER_SLOW), *ELSEWHERE),
        basic=True,
        recover_seconds=45.0,
    ),
    Scenario(
        "dynamodb-throttling",
        "When DynamoDB throttles, the usage is refused with 503 and manuals go on.",
        (_down("dynamodb", "ProvisionedThroughputExceededException", 400),),
        (Answers("usage", 503, UNAVAILABLE), Answers("manuals"), Answers("health")),
    ),
    Scenario(
        "network-timeout",
        "When DynamoDB never answers, the usage is refused before API Gateway gives up, and manuals go on.",
        (Fault("dynamodb", "timeout"),),
        (Answers("usage", 503, UNAVAILABLE, times=2, within=12.0), Answers("manuals", times=2), Answers("health")),
    ),
    Scenario(
        "connection-refused",
        "When Bedrock cannot be connected to, questions are refused with 503 and everything else goes on.",
        (Fault("bedrock-agent-runtime", "refuse"),),
        (Answers("query", 503, UNAVAILABLE), *ELSEWHERE),
    ),
    Scenario(
        "slow-dependency",
        "When the search takes a second and a half longer, questions are still answered in time.",
        (Fault("bedrock-agent-runtime", "delay", delay_seconds=1.5),),
        (Answers("query"), *ELSEWHERE),
    ),
    Scenario(
        "s3-failure",
        "When S3 fails, the list of manuals is refused with 503; questions, uploads' permissions and usage go on.",
        (_down("s3", "SlowDown", 503),),
        (
            Answers("manuals", 503, UNAVAILABLE, within=8.0),
            Answers("query"),
            Answers("upload", 201, times=1),
            Answers("usage"),
            Answers("health"),
        ),
    ),
    Scenario(
        "partial-outage",
        "When three in ten calls to the model are throttled, nearly every question is answered all the same.",
        (_down("bedrock-runtime", "ThrottlingException", 429, percent=30.0),),
        (Answers("query", times=12, least_percent=75.0), *ELSEWHERE),
    ),
    Scenario(
        "function-outage",
        "When the usage function itself is down, the other functions go on.",
        (FunctionFault("usage", "UsageErrorTemplateId"),),
        (Answers("query"), Answers("manuals"), Answers("health"), Answers("usage", 502, "unavailable")),
        recover_seconds=45.0,
        lasts=180.0,
    ),
    Scenario(
        "recovery",
        "When everything behind the service fails at once, health still answers, and all is well soon afterwards.",
        (
            _down("dynamodb", "InternalServerError"),
            _down("s3", "InternalError"),
            _down("bedrock-runtime", "InternalServerException"),
            _down("bedrock-agent-runtime", "InternalServerException"),
        ),
        (
            Answers("query", 503, UNAVAILABLE, times=2),
            Answers("usage", 503, UNAVAILABLE, times=2),
            Answers("manuals", 503, UNAVAILABLE, times=2, within=8.0),
            Answers("health"),
            Answers("deep-health", 503, times=1),
        ),
        recover_seconds=30.0,
    ),
)
