"""What the doctor says, on screens and as a document."""

from __future__ import annotations

import pytest

from manuel_release.model.check import Check, Level, Report
from manuel_release.view.doctor import MARK, ReportScreen, as_json

FINE = Check(Level.OK, "SAM CLI", "1.170.0")
REPORT = Report(
    (
        FINE,
        Check(
            Level.ERROR,
            "Credentials",
            "cannot find out who you are on AWS: the credentials have expired",
            "Sign in (`aws sso login`), or name other credentials with --profile.",
            access=True,
        ),
        Check(Level.SKIPPED, "Clock", "not compared: AWS has not answered"),
        Check(Level.OK, "Stack", "manuel-dev is UPDATE_COMPLETE", environment="dev"),
        Check(
            Level.WARNING,
            "Drift",
            "HealthFunction (AWS::Lambda::Function) differs in /MemorySize\nTable (AWS::DynamoDB::Table) was deleted",
            "Find out who changed it.",
            environment="dev",
        ),
        Check(Level.ERROR, "Parameters", "parameters-production.json does not fit", environment="production"),
    )
)


def test_a_report_with_everything_in_it(golden):
    golden("doctor", ReportScreen(REPORT))


def test_every_level_has_a_mark_and_a_word_of_its_own(drawn):
    assert set(MARK) == set(Level)
    assert len({(mark.symbol, mark.word) for mark in MARK.values()}) == len(Level)
    for level, mark in MARK.items():
        text = drawn(ReportScreen(Report((Check(level, "title", "message"),))), "80", "ascii")
        assert mark.ascii in text
        assert level is Level.OK or f"{mark.word}: message" in text


@pytest.mark.parametrize(
    ("levels", "last"),
    [
        ((), "✔ Nothing is wrong (0 checks)"),
        (("ok",), "✔ Nothing is wrong (1 check)"),
        (("ok", "ok", "skipped"), "✔ Nothing is wrong (2 checks), 1 check could not be made"),
        (("ok", "warning"), "⚠ 1 warning"),
        (("error", "error", "warning", "skipped", "skipped"), "✖ 2 errors and 1 warning, 2 checks could not be made"),
    ],
)
def test_the_last_line_is_the_sum(drawn, levels, last):
    checks = tuple(Check(Level(level), "title", "message") for level in levels)

    assert drawn(ReportScreen(Report(checks)), "120").splitlines()[-1] == last


def test_the_document_has_every_check():
    document = as_json(REPORT)

    assert document.keys() == {"schema_version", "healthy", "counts", "checks"}
    assert (document["schema_version"], document["healthy"]) == (1, False)
    assert document["counts"] == {"ok": 2, "warning": 1, "error": 2, "skipped": 1}
    assert len(document["checks"]) == len(REPORT.checks)
    assert document["checks"][0] == {
        "environment": None,
        "title": "SAM CLI",
        "level": "ok",
        "message": "1.170.0",
        "hint": "",
    }
    assert document["checks"][-1]["environment"] == "production"


def test_a_report_without_errors_is_healthy():
    assert as_json(Report((FINE,)))["healthy"] is True
