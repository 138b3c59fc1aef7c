"""`quality`: scanners' findings as reports, and the decision about a build."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli.conftest import OfflineApp
from click.testing import CliRunner

from manuel_release.cli import root
from manuel_release.errors import ReleaseError

HIGH = {"test_id": "B1", "filename": "a.py", "line_number": 7, "issue_severity": "HIGH", "issue_text": "shell"}
VULNERABLE = {"name": "old", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
SOUND = {"name": "sound", "version": "1.0", "vulns": []}


@pytest.fixture
def found(tmp_path):
    def write(document: object) -> tuple[str, str, str]:
        path = tmp_path / "found.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path), "--report", str(tmp_path / "reports" / "report.xml")

    return write


def bandit(*results):
    return {"results": list(results), "errors": [], "metrics": {"_totals": {"loc": 3}}}


def test_high_severity_ends_with_3_and_the_report_is_there(shell, found, tmp_path) -> None:
    result = shell("quality", "security", *found(bandit(HIGH)))

    assert result.exit_code == 3
    assert "B1 a.py:7: high: shell" in result.stderr
    assert 'failures="1"' in (tmp_path / "reports" / "report.xml").read_text()


def test_lower_severity_passes(shell, found, tmp_path) -> None:
    assert shell("quality", "security", *found(bandit({**HIGH, "issue_severity": "LOW"}))).exit_code == 0
    assert 'failures="0"' in (tmp_path / "reports" / "report.xml").read_text()


def test_a_scan_that_did_not_take_place_is_refused(shell, found) -> None:
    result = shell("quality", "security", *found("Traceback"))

    assert (result.exit_code, "the code was not looked at" in result.stderr) == (3, True)


class Topics:
    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.error = error

    def publish(self, *message: Any) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(message)


def audited(topics, arguments, *more):
    def build(options, screen):
        app = OfflineApp(options, screen)
        app.aws = type("Aws", (), {"topics": topics})()
        return app

    return CliRunner().invoke(root, ("quality", "dependencies", *arguments, *more), obj=build)


def test_known_vulnerabilities_are_told_and_stop_nothing(found) -> None:
    topics = Topics()

    result = audited(topics, found({"dependencies": [VULNERABLE, SOUND]}), "--topic", "arn:topic")

    assert result.exit_code == 0
    assert "old 2.0: PYSEC-1 (fixed in 2.1)" in result.stderr
    ((topic, subject, _chat, mail, _attributes),) = topics.sent
    assert topic == "arn:topic"
    assert subject.startswith("To be investigated")
    assert "PYSEC-1" in mail


def test_nobody_is_told_of_nothing_nor_without_a_topic(found) -> None:
    topics = Topics()

    audited(topics, found({"dependencies": [SOUND]}), "--topic", "arn:topic")
    audited(topics, found({"dependencies": [VULNERABLE]}))

    assert topics.sent == []


def test_a_message_that_is_not_taken_stops_nothing_either(found) -> None:
    result = audited(
        Topics(ReleaseError("cannot publish")), found({"dependencies": [VULNERABLE]}), "--topic", "arn:topic"
    )

    assert (result.exit_code, "nobody was told: cannot publish" in result.stderr) == (0, True)


def test_a_database_that_could_not_be_asked_is_said_and_never_no_findings(found, tmp_path) -> None:
    (tmp_path / "log").write_text("Traceback\nConnectionError: no route to api.osv.dev\n")

    result = audited(Topics(), found(""), "--complaints", str(tmp_path / "log"))

    assert result.exit_code == 0
    assert "could not be asked: ConnectionError: no route" in result.stderr
    assert "No known vulnerability" not in result.stderr
    assert 'skipped="1"' in (tmp_path / "reports" / "report.xml").read_text()


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    suite = '<testsuite><testcase name="a"/></testsuite>'
    for name in ("unit-tests", "security-scan", "dependency-audit"):
        (folder / f"{name}.xml").write_text(suite)
    (folder / "coverage.xml").write_text('<coverage lines-valid="10" line-rate="0.9"/>')
    return folder


def test_a_build_that_is_good_enough_ends_with_0_and_says_why(shell, reports, tmp_path) -> None:
    result = shell("quality", "check", "--stage", "build", "--reports", str(reports), "--to", str(tmp_path / "q.json"))

    assert result.exit_code == 0
    assert "4 of 4 quality gates passed" in result.stdout
    assert json.loads((tmp_path / "q.json").read_text())["good_enough"] is True


def test_a_red_gate_ends_with_3_and_names_the_target(shell, reports, tmp_path) -> None:
    (reports / "coverage.xml").unlink()

    result = shell("quality", "check", "--stage", "build", "--reports", str(reports), "--results", f"x={tmp_path}")
    document = json.loads(
        shell("quality", "check", "--stage", "build", "--reports", str(reports), "--output", "json").stdout
    )

    assert result.exit_code == 3
    assert "Next: `make test-unit`" in result.stdout
    assert (document["good_enough"], [one["name"] for one in document["gates"] if one["state"] == "missing"]) == (
        False,
        ["Coverage of unit tests"],
    )
