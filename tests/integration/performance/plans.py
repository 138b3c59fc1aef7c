"""How much load: the profiles, what each scenario asks, and how many people that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTION = "What do I descale the kettle with?"
MANUAL_NAME = "kettle.md"
MANUAL = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"

# The service lets one person ask 20 times at once and 2 times a second (src/app/manuel/logic/rate.py); a bit less here.
AT_ONCE = 16
PER_SECOND = 1.6
ASKED_BEFORE = 17  # questions until a new manual answers, which count as operations too
PASSES = 2  # a regression is measured again by the same people


@dataclass(frozen=True)
class Profile:
    """rate: requests per second in all; questions: how many of them; warm_up and measured: seconds.

    Questions cost operations, and each person who asks some a manual that has to be read: the longer, the fewer.
    """

    name: str
    rate: float
    questions: float
    warm_up: float
    measured: float

    @property
    def seconds(self) -> float:
        """How long requests are sent."""
        return self.warm_up + self.measured

    def at(self, rate: float) -> Profile:
        """The same mixture at another rate."""
        return replace(self, rate=rate, questions=self.questions * rate / self.rate)


# In environments with a firewall one address may send 2000 requests in five minutes (template.yaml), other suites' too.
PROFILES = {
    one.name: one
    for one in (
        Profile("smoke", rate=7.5, questions=2.5, warm_up=1.0, measured=5.0),
        Profile("basic", rate=6.0, questions=2.0, warm_up=5.0, measured=60.0),
        Profile("full", rate=4.5, questions=0.5, warm_up=20.0, measured=480.0),
    )
}


@dataclass(frozen=True)
class Scenario:
    """One kind of request. holds: what the answer's JSON must have; may_be_empty: that may be empty."""

    name: str
    method: str
    path: str
    holds: str
    body: dict[str, str] | None = None
    may_be_empty: bool = False

    @property
    def writes(self) -> bool:
        """Whether an answer of it costs the person an operation."""
        return self.method != "GET"


SCENARIOS = (
    Scenario("query", "POST", "/api/query", "sources", {"question": QUESTION}),
    Scenario("manuals", "GET", "/api/manuals", "manuals", may_be_empty=True),
    Scenario("usage", "GET", "/api/usage", "daily"),
)


def people_needed(profile: Profile, scenarios: Sequence[Scenario], quota: int) -> int:
    """How many people it takes so that nobody is asked to wait or uses up their quota (operations a day).

    Raises ValueError for a quota that leaves nothing to measure with.
    """
    spare = quota - ASKED_BEFORE - 1
    if spare < 1:
        raise ValueError(f"a daily quota of {quota} operations leaves none to measure questions with")
    asked = PASSES * profile.seconds * sum(rate for one, rate in rates(profile, scenarios) if one.writes)
    at_once = profile.rate * profile.seconds / (AT_ONCE + PER_SECOND * profile.seconds)
    return max(1, math.ceil(at_once), math.ceil(asked / spare))


def for_people(profile: Profile, people: int) -> Profile:
    """The profile at the rate that so many people can make."""
    most = people * (AT_ONCE + PER_SECOND * profile.seconds) / profile.seconds
    return profile.at(min(profile.rate, most))


def rates(profile: Profile, scenarios: Sequence[Scenario]) -> list[tuple[Scenario, float]]:
    """Requests per second of each scenario: questions as the profile says, the others share what is left."""
    writing, reading = (sum(one.writes is kind for one in scenarios) for kind in (True, False))
    left = profile.rate - (profile.questions if writing else 0.0)
    return [(one, profile.questions / writing if one.writes else left / reading) for one in scenarios]


def plan(profile: Profile, scenarios: Sequence[Scenario], url: str, tokens: Sequence[str]) -> dict[str, Any]:
    """What load.py is told; tokens: one of each person."""
    return {
        "url": url,
        "warm_up_seconds": profile.warm_up,
        "seconds": profile.measured,
        "scenarios": [
            {
                "name": one.name,
                "method": one.method,
                "path": one.path,
                "body": one.body,
                "rate": rate,
                "people": list(tokens),
                "wanted": {"status": 200, "holds": one.holds, "may_be_empty": one.may_be_empty},
            }
            for one, rate in rates(profile, scenarios)
        ],
    }
