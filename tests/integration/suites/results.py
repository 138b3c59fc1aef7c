"""What a run showed: the cases, the gates that they and the coverage have to pass, and all of it as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from integration.suites.config import CATEGORIES
from integration.suites.coverage import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.suites.config import Config
    from integration.suites.coverage import Coverage

SCHEMA_VERSION = 1
OUTCOMES = ("passed", "failed", "error", "skipped")
SHOWN_RELEASES = 5


@dataclass(frozen=True)
class Case:
    """One test: its category, name, outcome (one of OUTCOMES), seconds, and why it failed or was skipped.

    module: the file that it is in, without its ending; empty for what belongs to no file. output: what it told.
    """

    category: str
    name: str
    outcome: str
    seconds: float
    message: str = ""
    text: str = ""
    module: str = ""
    output: str = ""


@dataclass(frozen=True)
class Gate:
    """Something that must hold besides every test: its name, whether it does, and one sentence."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Results:
    """One run. started_at: ISO 8601 UTC; releases: who answered how many requests; seconds in all."""

    config: Config
    categories: tuple[str, ...]
    started_at: str
    seconds: float
    cases: tuple[Case, ...]
    coverage: Coverage
    gates: tuple[Gate, ...]
    releases: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether every test and every gate passed."""
        return all(gate.passed for gate in self.gates) and not self.of("failed", "error")

    def of(self, *outcomes: str, category: str = "") -> list[Case]:
        """The cases with one of these outcomes, of one category or of all."""
        return [case for case in self.cases if case.outcome in outcomes and category in {"", case.category}]

    def as_json(self) -> dict[str, Any]:
        """The whole run; no secrets."""
        counted = Counter((case.category, case.outcome) for case in self.cases)
        return {
            "schema_version": SCHEMA_VERSION,
            "ok": self.ok,
            "environment": self.config.environment,
            "profile": self.config.profile,
            "started_at": self.started_at,
            "seconds": round(self.seconds, 1),
            "releases": dict(self.releases),
            "categories": {
                name: {
                    **{outcome: counted[name, outcome] for outcome in OUTCOMES},
                    "seconds": round(sum(case.seconds for case in self.cases if case.category == name), 1),
                }
                for name in self.categories
            },
            "gates": [asdict(gate) for gate in self.gates],
            "coverage": self.coverage.as_json(),
            "cases": [asdict(case) for case in self.cases],
            "config": self.config.public,
        }


def judge(
    config: Config,
    categories: Sequence[str],
    cases: Sequence[Case],
    coverage: Coverage,
    *,
    releases: Mapping[str, int],
    leftovers: Sequence[str],
) -> tuple[Gate, ...]:
    """The gates of a run; the coverage is only demanded where every category of the full profile ran."""
    gates = [_shown(categories, cases), _clean(leftovers)]
    if config.expected_release:
        gates.append(_released(config.expected_release, releases))
    if config.profile == "full" and set(categories) == set(CATEGORIES):
        gates.append(_covered(config.coverage_percent, coverage))
    return tuple(gates)


def _shown(categories: Sequence[str], cases: Sequence[Case]) -> Gate:
    """A category of which nothing ran proves nothing."""
    ran = {case.category for case in cases if case.outcome != "skipped"}
    silent = [name for name in categories if name not in ran]
    if silent:
        return Gate("every category ran", passed=False, sentence=f"Nothing ran of {', '.join(silent)}.")
    return Gate("every category ran", passed=True, sentence=f"Something ran of each of {len(categories)} categories.")


def _clean(leftovers: Sequence[str]) -> Gate:
    if leftovers:
        return Gate("nothing is left behind", passed=False, sentence=f"Still there: {'; '.join(leftovers)}.")
    return Gate("nothing is left behind", passed=True, sentence="Every user and manual that was made is deleted.")


def _released(expected: str, releases: Mapping[str, int]) -> Gate:
    others = {name: count for name, count in releases.items() if name not in {expected, GATEWAY}}
    right = releases.get(expected, 0)
    if right and not others:
        return Gate("release", passed=True, sentence=f"All {right} answers came from {expected}.")
    told = ", ".join(f"{count} from {name}" for name, count in list(others.items())[:SHOWN_RELEASES]) or "none"
    return Gate("release", passed=False, sentence=f"Expected {expected}: {right} answers came from it; others: {told}.")


def _covered(wanted: float, coverage: Coverage) -> Gate:
    total = len(coverage.exercised) + len(coverage.missed)
    sentence = (
        f"{coverage.percent:.1f} % of what the API documents was exercised ({len(coverage.exercised)} of {total} "
        f"answers); more than {wanted:g} % is wanted."
    )
    return Gate("coverage of the contract", passed=coverage.percent > wanted, sentence=sentence)
