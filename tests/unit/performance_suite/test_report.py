"""The reports say the same, in forms that CodeBuild, gates and people read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from integration.performance import judged, plot, report
from integration.performance.judged import RUN, Check
from integration.performance.measured import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.performance.measured import Record

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def outcome(record: Callable[..., Record]) -> report.Outcome:
    records = [record("r-1"), record("r-2", ok=False), record("r-3", profile="smoke"), record("r-4", seed=4)]
    return report.Outcome(
        record=records[-1],
        checks=[
            Check("query", "P95 below 5 s", passed=True, sentence="It is <fine> & quick."),
            Check("query", "P50 at most 10 % above r-1", passed=True, sentence="Cannot tell.", unsure=True),
            Check(RUN, "release", passed=False, sentence="r-5 was expected."),
        ],
        comparisons=[],
        baseline="r-1",
        records=records,
        releases={"r-4": 1200},
        url="https://api.example.com",
        seconds=12.3,
        rate=9.0,
        passes=2,
        left_out={"usage": "nobody <asked>"},
        kept=("here",),
        notes=("the bucket cannot be read",),
    )


def test_junit_has_a_case_for_each_check_and_tells_what_passed_too(outcome: report.Outcome) -> None:
    root = ET.fromstring(report.as_junit(outcome))  # noqa: S314 - our own

    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    assert root.findtext("*/testcase/system-out") == "It is <fine> & quick."
    failure = root.find("*/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "r-5 was expected."


def test_json_holds_the_verdict_the_sample_and_the_histogram(outcome: report.Outcome) -> None:
    told = report.as_json(outcome)

    assert (told["ok"], told["release"], told["baseline"], told["passes"]) == (False, "r-4", "r-1", 2)
    assert told["scenarios"]["query"]["requests"] == len(told["scenarios"]["query"]["sample_ms"]) == 400
    assert [one["passed"] for one in told["checks"]] == [True, True, False]
    assert told["notes"] == ["the bucket cannot be read"]


def test_the_page_shows_only_runs_of_the_same_profile_and_escapes_what_it_quotes(outcome: report.Outcome) -> None:
    page = report.as_html(outcome)

    assert ">r-4<" in page
    assert ">r-2 ✗<" in page
    assert "r-3" not in page
    assert "It is &lt;fine&gt; &amp; quick." in page
    assert "nobody &lt;asked&gt;" in page


def test_the_terminal_marks_what_failed_and_what_nobody_could_tell_in_80_columns(outcome: report.Outcome) -> None:
    text = report.as_text(outcome, "results")

    assert "✗ r-5 was expected." in text
    assert "? query: Cannot tell." in text
    assert "- usage was not measured: nobody <asked>." in text
    assert "- the bucket cannot be read." in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_table_says_how_each_scenario_compares(outcome: report.Outcome, record: Callable[..., Record]) -> None:
    now = record("r-4", seed=4, count=4000, factor=0.5)
    comparisons = judged.compared(now.scenarios, record("r-1", count=4000), [])
    told = report.as_markdown(replace(outcome, record=now, comparisons=comparisons)).splitlines()

    assert "P50 beside r-1" in told[0]
    assert [line.startswith("| query | 4000 | 0 | 50 ms |") for line in told[2:]] == [True]
    assert told[2].count("fine") == 2


def test_the_plot_has_a_dot_for_each_quantile_of_each_release_the_higher_the_slower(
    record: Callable[..., Record],
) -> None:
    records = [record("r-1"), record("r-2", factor=2.0)]
    root = ET.fromstring(plot.svg("query", records))  # noqa: S314 - our own
    dots = {str(dot.findtext(f"{SVG}title"))[:7]: float(dot.get("cy", "")) for dot in root.iter(f"{SVG}circle")}

    assert dots.keys() == {"r-1 P50", "r-1 P95", "r-2 P50", "r-2 P95"}
    assert dots["r-2 P95"] < dots["r-2 P50"] < dots["r-1 P50"]
    assert dots["r-2 P95"] < dots["r-1 P95"] < dots["r-1 P50"]
    assert "2 releases up to r-2" in str(root.get("aria-label"))


def test_nothing_is_drawn_outside_and_names_at_the_end_stay_apart(record: Callable[..., Record]) -> None:
    wild = Measurement("query", (100.0,) * 107 + (101.0, 9000.0, 9000.0))
    records = [record("r-1", scenarios={"query": wild})]
    assert wild.interval(0.95) == (100.0, 9000.0)
    root = ET.fromstring(plot.svg("query", records))  # noqa: S314 - our own
    heights = [float(line.get(name, "")) for line in root.iter(f"{SVG}line") for name in ("y1", "y2")]
    ends = [float(one.get("y", "")) for one in root.iter(f"{SVG}text") if str(one.text).startswith("P")]

    assert plot.TOP <= min(heights) <= max(heights) <= plot.HEIGHT - plot.BOTTOM
    assert abs(ends[0] - ends[1]) >= plot.LETTERS


def test_many_releases_do_not_write_their_names_over_each_other(record: Callable[..., Record]) -> None:
    records = [record(f"r-{number}") for number in range(1, 29)]
    root = ET.fromstring(plot.svg("query", records))  # noqa: S314 - our own
    names = [str(one.text) for one in root.iter(f"{SVG}text") if str(one.text).startswith("r-")]

    assert len(names) == 10
    assert names[-1] == "r-28"
    assert len(list(root.iter(f"{SVG}circle"))) == 2 * plot.SHOWN


def test_a_scenario_that_nobody_measured_has_no_plot(record: Callable[..., Record]) -> None:
    assert plot.svg("usage", [record("r-1")]) == ""
    assert plot.svg("usage", [record("r-1", scenarios={"usage": Measurement("usage", ())})]) == ""
