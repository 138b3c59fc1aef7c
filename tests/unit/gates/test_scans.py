"""What the scanners write becomes test cases: what stops has failed, and silence is never "nothing found"."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from manuel_release.gates import scans
from manuel_release.gates.scans import Case


def bandit(*severities, errors=()):
    results = [
        {"test_id": "B1", "filename": "a.py", "line_number": n, "issue_severity": one, "issue_text": "text"}
        for n, one in enumerate(severities, 1)
    ]
    return json.dumps({"results": results, "errors": list(errors), "metrics": {"_totals": {"loc": 12}}})


def audit(*dependencies):
    return json.dumps({"dependencies": list(dependencies), "fixes": []})


def test_only_high_severity_stops_and_the_rest_is_there_to_be_read() -> None:
    cases = scans.security(bandit("LOW", "MEDIUM", "HIGH"))

    assert [one.outcome for one in cases] == ["passed", "skipped", "skipped", "failed"]
    assert list(scans.told(cases)) == ["B1 a.py:3: high: text"]


def test_a_file_that_could_not_be_read_stops_too() -> None:
    cases = scans.security(bandit(errors=[{"filename": "b.py", "reason": "syntax error"}]))

    assert list(scans.told(cases)) == ["b.py: syntax error"]


@pytest.mark.parametrize("metrics", [{}, {"metrics": {}}, {"metrics": {"_totals": {"loc": 0}}}])
def test_a_scan_that_looked_at_nothing_stops_too(metrics) -> None:
    cases = scans.security(json.dumps({"results": [], "errors": [], **metrics}))

    assert [(one.outcome, one.message) for one in cases] == [("error", "nothing was looked at")]


def test_each_dependency_is_a_case_with_what_mends_it() -> None:
    cases = scans.dependencies(
        audit(
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "old", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
            {"name": "hopeless", "version": "3", "vulns": [{"id": "GHSA-2", "fix_versions": []}]},
            {"name": "ours", "skip_reason": "not on PyPI"},
        )
    )

    assert [(one.name, one.outcome, one.message) for one in cases] == [
        ("sound 1.0", "passed", ""),
        ("old 2.0", "failed", "PYSEC-1 (fixed in 2.1)"),
        ("hopeless 3", "failed", "GHSA-2 (fixed in nothing yet)"),
        ("ours", "skipped", "not on PyPI"),
    ]


@pytest.mark.parametrize("text", ["", "Traceback", "[]", '{"results": 1}'])
@pytest.mark.parametrize("read", [scans.security, scans.dependencies])
def test_what_no_scanner_wrote_is_no_empty_list_of_findings(read, text) -> None:
    with pytest.raises(scans.UnreadableScanError):
        read(text)


def test_the_report_is_junit_with_counts_and_legal_characters() -> None:
    cases = (Case("g", "a"), Case("g", "b\x00", "failed", "why\x1b"), Case("g", "c", "error"), *scans.unasked("no net"))

    root = ET.fromstring(scans.junit("name", cases))  # noqa: S314 - made here

    suite = root.find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    assert [(case.get("name"), [(child.tag, child.get("message")) for child in case]) for case in suite] == [
        ("a", []),
        ("b?", [("failure", "why?")]),
        ("c", [("error", "")]),
        ("known vulnerabilities", [("skipped", "could not be asked: no net")]),
    ]
