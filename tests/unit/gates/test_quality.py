"""The quality gates: what is good enough, and that missing evidence is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from manuel_release.errors import UsageError
from manuel_release.gates import evidence, quality
from manuel_release.gates.quality import Counts, Evidence, Run, Stage, State

RUNS = (
    Run("integration", "dev", "full", ok=True, coverage_percent=95.0),
    Run("integration", "staging", "full", ok=True, coverage_percent=90.1),
    Run("performance", "staging", "full", ok=True),
    Run("security", "staging", "full", ok=True),
    Run("e2e", "staging", "full", ok=True),
    Run("chaos", "staging", "basic", ok=True),
)
GOOD = Evidence(Counts(10), 80.0, Counts(3, skipped=2), Counts(5), RUNS)


def red(given: Evidence, stage: Stage = Stage.PRODUCTION) -> list[tuple[str, State]]:
    return [(gate.name, gate.state) for gate in quality.decide(given, stage) if gate.red]


def run(kind, environment, **changes):
    """The good evidence with one run changed."""
    return replace(
        GOOD,
        runs=[replace(r, **changes) if (r.kind, r.environment) == (kind, environment) else r for r in RUNS],
    )


def test_what_meets_every_gate_is_good_enough() -> None:
    gates = quality.decide(GOOD, Stage.PRODUCTION)

    assert {gate.state for gate in gates} == {State.PASSED}
    assert quality.summary(gates) == "11 of 11 quality gates passed"


def test_nothing_is_red_at_every_gate_and_each_names_the_target_that_helps() -> None:
    gates = quality.decide(Evidence(), Stage.PRODUCTION)

    assert all(gate.state is State.MISSING for gate in gates)
    assert all(f"`make {gate.target}`" in gate.why for gate in gates)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (replace(GOOD, unit=Counts(10, failed=1)), "Unit tests"),
        (replace(GOOD, unit=Counts(0)), "Unit tests"),
        (replace(GOOD, unit=Counts(4, skipped=4)), "Unit tests"),
        (replace(GOOD, coverage_percent=79.9), "Coverage of unit tests"),
        (replace(GOOD, security=Counts(3, failed=1)), "Security scan"),
        (replace(GOOD, security=Counts(0)), "Security scan"),
        (run("integration", "dev", ok=False), "Integration tests in dev"),
        (run("integration", "staging", ok=False), "Integration tests in staging"),
        (run("integration", "staging", coverage_percent=90.0), "Coverage of integration tests"),
        (run("performance", "staging", ok=False), "Performance baseline"),
        (run("security", "staging", ok=False), "Security validation"),
        (run("e2e", "staging", ok=False), "End-to-end tests"),
        (run("chaos", "staging", ok=False), "Chaos tests"),
    ],
)
def test_each_gate_is_red_by_itself(given, name) -> None:
    assert red(given) == [(name, State.FAILED)]


def test_the_last_run_of_a_suite_counts() -> None:
    assert red(replace(GOOD, runs=(Run("e2e", "staging", "full", ok=False), *RUNS))) == []


@pytest.mark.parametrize(
    "given",
    [
        replace(GOOD, dependencies=Counts(5, failed=2)),
        replace(GOOD, dependencies=Counts(1, skipped=1, reasons=("could not be asked: no net",))),
        run("integration", "staging", extent="smoke", coverage_percent=12.0),
        run("chaos", "staging", extent="selected"),
    ],
)
def test_what_people_should_know_stops_nothing_and_is_told(given) -> None:
    gates = quality.decide(given, Stage.PRODUCTION)

    assert red(given) == []
    assert [gate.state for gate in gates].count(State.TOLD) == 1
    assert "to be known: " in quality.summary(gates)


def test_before_the_canary_goes_on_the_full_chaos_suite_is_asked_for() -> None:
    full = replace(GOOD, runs=(Run("chaos", "staging", "full", ok=True),))

    assert red(full, Stage.CANARY) == []
    assert red(replace(full, runs=()), Stage.CANARY) == [("Chaos tests", State.MISSING)]
    assert [gate.state for gate in quality.decide(GOOD, Stage.CANARY)][-1] is State.TOLD


def written(folder, name, document):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))


def test_the_evidence_is_read_from_what_tools_and_suites_leave(tmp_path) -> None:
    reports, dev, staging = tmp_path / "reports", tmp_path / "dev", tmp_path / "staging" / "deep"
    written(
        reports,
        "unit-tests.xml",
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase>"
        '<testcase><skipped message="slow"/></testcase></testsuite></testsuites>',
    )
    written(reports, "coverage.xml", '<coverage lines-valid="10" line-rate="0.85"/>')
    written(
        dev,
        "results.json",
        {"environment": "dev", "profile": "full", "ok": True, "coverage": {"percent": 91.5}},
    )
    written(staging, "performance.json", {"environment": "staging", "profile": "smoke", "ok": False})
    written(staging, "chaos-results.json", {"environment": "staging", "suite": "full", "passed": True})

    found = evidence.read(reports, [dev, staging.parent, tmp_path / "nowhere"])

    assert found.unit == Counts(3, failed=1, skipped=1, reasons=("slow",))
    assert found.coverage_percent == pytest.approx(85.0)
    assert (found.security, found.dependencies) == (None, None)
    assert found.runs == (
        Run("integration", "dev", "full", ok=True, coverage_percent=91.5),
        Run("performance", "staging", "smoke", ok=False),
        Run("chaos", "staging", "full", ok=True),
    )


def test_coverage_of_no_line_is_no_coverage(tmp_path) -> None:
    written(tmp_path, "coverage.xml", '<coverage lines-valid="0" line-rate="1"/>')

    assert evidence.read(tmp_path, []).coverage_percent == 0.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("unit-tests.xml", "<half"),
        ("coverage.xml", "<coverage/>"),
        ("results.json", "{}"),
        ("chaos-results.json", "[]"),
    ],
)
def test_a_report_that_is_none_is_no_evidence(tmp_path, name, text) -> None:
    written(tmp_path, name, text)

    with pytest.raises(UsageError, match=name):
        evidence.read(tmp_path, [tmp_path])
