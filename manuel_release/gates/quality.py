"""Whether a build is good enough to be released: the specification's quality gates, decided in this one place; pure.

Specification, "Quality Gates Matrix" and "Key Performance Indicators".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Rule = Callable[["Evidence"], Iterator["Gate"]]

UNIT_COVERAGE_PERCENT = 80.0
INTEGRATION_COVERAGE_PERCENT = 90.0


class Stage(StrEnum):
    """How far a build has come; each asks for what the ones before it ask for, but chaos, of which more is asked."""

    BUILD = "build"
    PRODUCTION = "production"
    CANARY = "canary"


class State(StrEnum):
    """What the evidence says of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"  # there is no evidence, which counts as failed
    TOLD = "told"  # people should know, and nothing stops


@dataclass(frozen=True)
class Counts:
    """A JUnit report: test cases, those with a failure or an error, those that were skipped, and why they were."""

    tests: int
    failed: int = 0
    skipped: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """Test cases that were run and passed."""
        return self.tests - self.failed - self.skipped


@dataclass(frozen=True)
class Run:
    """A suite that ran against an environment.

    kind: integration, security, e2e, performance, chaos. extent: the profile (smoke, basic, full), or chaos's suite
    (basic, full, selected). coverage_percent: of the API's contract, 0-100; None where it is not measured.
    """

    kind: str
    environment: str
    extent: str
    ok: bool
    coverage_percent: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What the reports say; None and nothing for those that are not there. coverage_percent: of lines, 0-100."""

    unit: Counts | None = None
    coverage_percent: float | None = None
    security: Counts | None = None
    dependencies: Counts | None = None
    runs: Sequence[Run] = ()

    def run(self, kind: str, environment: str) -> Run | None:
        """The last run of a suite against an environment."""
        return next((one for one in reversed(self.runs) if (one.kind, one.environment) == (kind, environment)), None)


@dataclass(frozen=True)
class Gate:
    """One gate: its name, what the evidence says of it, one sentence why, and the target that makes the evidence."""

    name: str
    state: State
    why: str
    target: str

    @property
    def red(self) -> bool:
        """Whether it stops a release."""
        return self.state in {State.FAILED, State.MISSING}


def decide(evidence: Evidence, stage: Stage) -> tuple[Gate, ...]:
    """Every gate up to a stage."""
    return tuple(gate for rule in _RULES[stage] for gate in rule(evidence))


def _missing(name: str, target: str) -> Gate:
    return Gate(name, State.MISSING, f"there is no report; `make {target}` makes it", target)


def _state(good: bool) -> State:
    return State.PASSED if good else State.FAILED


def _unit(evidence: Evidence) -> Iterator[Gate]:
    name, target, found = "Unit tests", "test-unit", evidence.unit
    if found is None:
        yield _missing(name, target)
    else:
        good = not found.failed and found.passed > 0
        yield Gate(name, _state(good), f"{found.passed} passed, {found.failed} failed, {found.skipped} skipped", target)


def _coverage(evidence: Evidence) -> Iterator[Gate]:
    name, target, found = "Coverage of unit tests", "test-unit", evidence.coverage_percent
    if found is None:
        yield _missing(name, target)
    else:
        good = found >= UNIT_COVERAGE_PERCENT
        yield Gate(name, _state(good), f"{found:.1f} % of the lines; {UNIT_COVERAGE_PERCENT:g} % are needed", target)


def _security(evidence: Evidence) -> Iterator[Gate]:
    name, target, found = "Security scan", "security-scan", evidence.security
    if found is None:
        yield _missing(name, target)
    else:
        why = f"{found.failed} findings of high severity, {found.skipped} of lower severity"
        yield Gate(name, _state(not found.failed and found.tests > 0), why, target)


def _dependencies(evidence: Evidence) -> Iterator[Gate]:
    """Known vulnerabilities are told and stop nothing, as the specification has it; an audit must have been tried."""
    name, target, found = "Dependencies", "dependency-audit", evidence.dependencies
    if found is None:
        yield _missing(name, target)
    elif not found.passed and not found.failed:
        yield Gate(name, State.TOLD, "; ".join(found.reasons) or "nothing was looked at", target)
    else:
        why = f"{found.failed} of {found.passed + found.failed} have known vulnerabilities"
        yield Gate(name, State.TOLD if found.failed else State.PASSED, why, target)


def _suite(kind: str, environment: str, target: str, name: str, wanted: str = "") -> Rule:
    """A rule: the suite passed in the environment, and where `wanted` is named, in that extent."""
    command = f"{target} ENVIRONMENT={environment}"

    def rule(evidence: Evidence) -> Iterator[Gate]:
        found = evidence.run(kind, environment)
        if found is None:
            yield _missing(name, command)
        elif not found.ok:
            yield Gate(name, State.FAILED, f"the {found.extent} suite failed in {environment}", command)
        elif wanted and found.extent != wanted:
            yield Gate(name, State.TOLD, f"only the {found.extent} suite ran in {environment}, not {wanted}", command)
        else:
            yield Gate(name, State.PASSED, f"the {found.extent} suite passed in {environment}", command)

    return rule


def _contract(evidence: Evidence) -> Iterator[Gate]:
    name, target = "Coverage of integration tests", "test-integration ENVIRONMENT=staging"
    found = evidence.run("integration", "staging")
    if found is None or found.coverage_percent is None:
        yield _missing(name, target)
    else:
        needed = f"more than {INTEGRATION_COVERAGE_PERCENT:g} % are needed"
        why = f"{found.coverage_percent:.1f} % of the API's contract; {needed}"
        if found.extent != "full":
            yield Gate(name, State.TOLD, f"{why}, of the full suite: this was the {found.extent} one", target)
        else:
            yield Gate(name, _state(found.coverage_percent > INTEGRATION_COVERAGE_PERCENT), why, target)


_BUILD = (_unit, _coverage, _security, _dependencies)
_PRODUCTION = (
    *_BUILD,
    _suite("integration", "dev", "test-integration", "Integration tests in dev"),
    _suite("integration", "staging", "test-integration", "Integration tests in staging"),
    _contract,
    _suite("performance", "staging", "test-performance", "Performance baseline"),
    _suite("security", "staging", "test-security", "Security validation"),
    _suite("e2e", "staging", "test-e2e", "End-to-end tests"),
    _suite("chaos", "staging", "test-chaos", "Chaos tests", "basic"),
)
_RULES: dict[Stage, tuple[Rule, ...]] = {
    Stage.BUILD: _BUILD,
    Stage.PRODUCTION: _PRODUCTION,
    # What was tested before production was approved is in that gate's package; this asks for what came after it.
    Stage.CANARY: (*_BUILD, _suite("chaos", "staging", "test-chaos CHAOS_SUITE=full", "Chaos tests", "full")),
}


def summary(gates: Sequence[Gate]) -> str:
    """One sentence: how many passed, and which ones did not."""
    red = [gate.name for gate in gates if gate.red]
    told = [gate.name for gate in gates if gate.state is State.TOLD]
    parts = [f"{len(gates) - len(red) - len(told)} of {len(gates)} quality gates passed"]
    parts += [f"red: {', '.join(red)}"] if red else []
    parts += [f"to be known: {', '.join(told)}"] if told else []
    return "; ".join(parts)
