"""How much of the contract the suites exercised: what was really answered, over everything that can be.

An answer that only a failing dependency can bring about counts where the environment has a way to make that dependency
fail (`dependency_faults`); elsewhere it is listed apart, because the chaos suite is what answers for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from integration.suites.contract import DEPENDENCIES, Answer, Contract

GATEWAY = "gateway"  # X-Manuel-Release of what no release answered


@dataclass
class Exercised:
    """Collects what was answered while the suites run."""

    contract: Contract
    answers: Counter[Answer] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    undocumented: Counter[Answer] = field(default_factory=Counter)

    def saw(self, method: str, path: str, status: int, code: str, release: str) -> None:
        """One answer; `path` is below the stage, without the query."""
        if release:
            self.releases[release] += 1
        route = self.contract.route(method, path)
        if route is None:
            return
        answer = Answer(*route, status, code)
        documented = str(status) in self.contract.operations[route]["responses"]
        (self.answers if documented else self.undocumented)[answer] += 1


@dataclass(frozen=True)
class Coverage:
    """The share of the contract that was exercised; `apart` are answers that this environment cannot bring about."""

    exercised: frozenset[Answer]
    missed: tuple[Answer, ...]
    apart: tuple[Answer, ...]
    undocumented: dict[str, int]

    @property
    def percent(self) -> float:
        """0 to 100."""
        total = len(self.exercised) + len(self.missed)
        return 100 * len(self.exercised) / total if total else 0.0

    def as_json(self) -> dict[str, Any]:
        """For results.json."""
        return {
            "percent": round(self.percent, 1),
            "exercised": len(self.exercised),
            "total": len(self.exercised) + len(self.missed),
            "missed": [str(answer) for answer in self.missed],
            "needs_a_fault_injector": [str(answer) for answer in self.apart],
            "undocumented": self.undocumented,
        }


def measure(exercised: Exercised, *, advanced_security: bool, faults: tuple[str, ...]) -> Coverage:
    """Compare what was answered with what can be answered in an environment.

    advanced_security: whether the rate limit is on. faults: the dependencies that can be made to fail there.
    """
    wanted = exercised.contract.answers(advanced_security=advanced_security)
    seen = set(exercised.answers) & wanted
    unseen = wanted - seen
    apart = {a for a in unseen if a.status == 503 and DEPENDENCIES.get((a.method, a.path)) not in faults}
    return Coverage(
        exercised=frozenset(seen),
        missed=tuple(sorted(unseen - apart)),
        apart=tuple(sorted(apart)),
        undocumented={str(answer): count for answer, count in sorted(exercised.undocumented.items())},
    )
