"""The gates of a run, and how it is told: JUnit XML, JSON, a page and a screen."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from integration.suites import junit, page, screen
from integration.suites.config import CATEGORIES, Config
from integration.suites.contract import Answer
from integration.suites.coverage import Coverage
from integration.suites.results import Case, Gate, Results, judge
from tests_root import ROOT

from manuel_release import programs

if TYPE_CHECKING:
    from pathlib import Path

SEEN = Answer("GET", "/health", 200)
MISSED = Answer("POST", "/api/query", 413, "too_large")
APART = Answer("GET", "/api/usage", 503, "dependency_unavailable")
NASTY = "broken <tag> & \x00 \x1b[31m \ud800 ü"


def coverage(exercised: int = 19, missed: int = 1) -> Coverage:
    return Coverage(
        frozenset(Answer("GET", f"/{number}", 200) for number in range(exercised)),
        tuple(Answer("GET", f"/missed/{number}", 200) for number in range(missed)),
        (APART,),
        {"GET /health -> 418": 3},
    )


def cases(*outcomes: str) -> list[Case]:
    return [
        Case(CATEGORIES[number % 7], f"test_{number}", outcome, 1.25, f"why {outcome}", f"trace {NASTY}", "test_m")
        for number, outcome in enumerate(outcomes)
    ]


def results(config: Config, *outcomes: str, gates: tuple[Gate, ...] = ()) -> Results:
    made = tuple(cases(*outcomes))
    return Results(config, CATEGORIES, "2026-11-23T10:00:00", 12.5, made, coverage(), gates, {"r-7": 40, "gateway": 3})


def verdict(config: Config, name: str, **changed: Any) -> Gate:
    given: dict[str, Any] = {"releases": {"r-7": 3}, "leftovers": (), **changed}
    everything = cases(*["passed"] * 7)
    found = judge(
        config,
        given.pop("categories", CATEGORIES),
        given.pop("cases", everything),
        given.pop("coverage", coverage()),
        **given,
    )
    (gate,) = [one for one in found if one.name == name]
    return gate


def test_a_category_of_which_nothing_ran_is_no_pass(config: Config) -> None:
    assert verdict(config, "every category ran").passed
    gate = verdict(config, "every category ran", cases=cases(*["passed"] * 6, "skipped"))
    assert not gate.passed
    assert CATEGORIES[6] in gate.sentence


def test_what_is_left_behind_is_no_pass(config: Config) -> None:
    assert verdict(config, "nothing is left behind").passed
    gate = verdict(config, "nothing is left behind", leftovers=["user a@example.com: denied"])
    assert (gate.passed, "a@example.com" in gate.sentence) == (False, True)


@pytest.mark.parametrize(
    ("releases", "passed"),
    [
        ({"r-7": 3}, True),
        ({"r-7": 3, "gateway": 2}, True),
        ({"r-7": 3, "r-6": 1}, False),
        ({"gateway": 2}, False),
        ({}, False),
    ],
)
def test_every_answer_comes_from_the_expected_release(config: Config, releases: dict[str, int], passed: bool) -> None:
    expecting = replace(config, expected_release="r-7")

    assert verdict(expecting, "release", releases=releases).passed is passed


def test_without_an_expected_release_any_may_answer(config: Config) -> None:
    assert not [
        gate for gate in judge(config, CATEGORIES, [], coverage(), releases={}, leftovers=()) if gate.name == "release"
    ]


@pytest.mark.parametrize(("exercised", "missed", "passed"), [(91, 9, True), (90, 10, False), (0, 0, False)])
def test_more_than_nine_tenths_of_the_contract_have_to_be_exercised(
    config: Config, exercised: int, missed: int, passed: bool
) -> None:
    assert verdict(config, "coverage of the contract", coverage=coverage(exercised, missed)).passed is passed


@pytest.mark.parametrize("profile", ["smoke", "basic"])
def test_only_the_full_profile_has_to_exercise_the_contract(config: Config, profile: str) -> None:
    found = judge(replace(config, profile=profile), CATEGORIES, [], coverage(0, 9), releases={}, leftovers=())
    partly = judge(config, CATEGORIES[:6], [], coverage(0, 9), releases={}, leftovers=())

    assert "coverage of the contract" not in [gate.name for gate in (*found, *partly)]


@pytest.mark.parametrize(
    ("outcomes", "gates", "ok"),
    [
        (("passed", "skipped"), (Gate("g", passed=True, sentence="s"),), True),
        (("passed", "failed"), (), False),
        (("passed", "error"), (), False),
        (("passed",), (Gate("g", passed=False, sentence="s"),), False),
    ],
)
def test_a_run_is_good_when_every_test_and_every_gate_passed(
    config: Config, outcomes: tuple[str, ...], gates: tuple[Gate, ...], ok: bool
) -> None:
    assert results(config, *outcomes, gates=gates).ok is ok


def test_junit_has_a_suite_per_category_and_counts_what_is_in_it(config: Config) -> None:
    gates = (Gate("coverage", passed=False, sentence="too little"), Gate("clean", passed=True, sentence="fine"))
    made = junit.document(results(config, "passed", "failed", "error", "skipped", gates=gates))
    root = ET.fromstring(made)  # noqa: S314 - our own

    assert [suite.get("name") for suite in root] == [*CATEGORIES, "gates"]
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert [(node.tag, node.get("message")) for node in root.iterfind("*/testcase/*")] == [
        ("failure", "why failed"),
        ("error", "why error"),
        ("skipped", "why skipped"),
        ("failure", "too little"),
    ]


def test_junit_is_valid_whatever_an_answer_held(config: Config, tmp_path: Path) -> None:
    gates = (Gate("coverage", passed=False, sentence=NASTY),)
    path = tmp_path / "test-results.xml"
    path.write_bytes(junit.document(results(config, "passed", "failed", "error", "skipped", gates=gates)))
    wrong = tmp_path / "wrong.xml"
    wrong.write_bytes(path.read_bytes().replace(b"<testcase ", b"<testcase colour='red' ", 1))
    check = "import sys, xmlschema; sys.exit(not xmlschema.XMLSchema(sys.argv[1]).is_valid(sys.argv[2]))"
    python = str(programs.program("integration", "python"))
    schema = str(ROOT / "tests/integration/fixtures/junit.xsd")

    assert subprocess.run([python, "-c", check, schema, str(path)], check=False).returncode == 0
    assert subprocess.run([python, "-c", check, schema, str(wrong)], check=False).returncode == 1


def test_json_has_everything_and_no_secret(config: Config) -> None:
    text = json.dumps(results(config, "passed", "failed").as_json())
    found = json.loads(text)

    assert "very-secret" not in text
    assert (found["schema_version"], found["ok"], found["environment"]) == (1, False, "staging")
    assert found["categories"]["authentication"] == {
        "passed": 0, "failed": 1, "error": 0, "skipped": 0, "seconds": 1.2
    }  # fmt: skip
    assert found["coverage"]["percent"] == 95.0
    assert found["coverage"]["missed"] == ["GET /missed/0 -> 200"]
    assert found["coverage"]["needs_a_fault_injector"] == [str(APART)]


def test_the_page_needs_nothing_besides_itself_and_runs_nothing_that_an_answer_held(config: Config) -> None:
    bad = replace(results(config, "failed"), cases=(Case("api", "<script>x</script>", "failed", 1, "<b>", "<img>"),))
    text = page.document(bad)

    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "http-equiv" not in text
    assert " src=" not in text
    assert "GET /missed/0 -&gt; 200" in text


def test_the_screen_fits_80_columns_and_says_what_failed_and_what_was_missed(config: Config) -> None:
    gates = (Gate("coverage of the contract", passed=False, sentence="Some of it was not exercised, which is long."),)
    text = screen.text(results(config, "passed", "failed", "skipped", gates=gates), "results")

    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.startswith("✗ staging, full profile: 1 passed, 1 failed, 1 not shown in 12 s")
    for told in ("test_1", "why failed", "GET /missed/0 -> 200", str(APART), "GET /health -> 418 (3)", "why skipped"):
        assert told in text


def test_a_smoke_run_does_not_list_what_it_was_never_to_exercise(config: Config) -> None:
    text = screen.text(results(replace(config, profile="smoke"), "passed"), "results")

    assert "GET /missed/0" not in text
    assert "19 of 20 answers" in text
