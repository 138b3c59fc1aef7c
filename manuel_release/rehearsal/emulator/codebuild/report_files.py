"""Report files read: how many tests passed and failed, how many lines are covered.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_TestReportSummary.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

READ = ("JUNITXML", "COBERTURAXML")
NANO = 1_000_000_000


class ReportError(Exception):
    """A report file cannot be read; the message says which and why."""


@dataclass(frozen=True)
class TestCase:
    """One test: status is `SUCCEEDED`, `FAILED`, `ERROR` or `SKIPPED`; nanoseconds is how long it took."""

    name: str
    prefix: str
    suite: str
    status: str
    nanoseconds: int
    message: str = ""


@dataclass(frozen=True)
class FileCoverage:
    """Lines and branches of one source file."""

    path: str
    lines_covered: int
    lines_missed: int
    branches_covered: int
    branches_missed: int


@dataclass(frozen=True)
class Results:
    """What a group's files say together."""

    tests: tuple[TestCase, ...] = ()
    coverage: tuple[FileCoverage, ...] = ()

    def test_summary(self) -> dict[str, Any]:
        """As `TestReportSummary`."""
        counts = dict.fromkeys(("ERROR", "FAILED", "SKIPPED", "SUCCEEDED", "UNKNOWN"), 0)
        for test in self.tests:
            counts[test.status] += 1
        took = sum(test.nanoseconds for test in self.tests)
        return {"total": len(self.tests), "statusCounts": counts, "durationInNanoSeconds": took}

    def coverage_summary(self) -> dict[str, Any]:
        """As `CodeCoverageReportSummary`, percent 0-100."""
        lines = sum(file.lines_covered for file in self.coverage)
        missed = sum(file.lines_missed for file in self.coverage)
        branches = sum(file.branches_covered for file in self.coverage)
        untaken = sum(file.branches_missed for file in self.coverage)
        return {
            "lineCoveragePercentage": percent(lines, missed),
            "linesCovered": lines,
            "linesMissed": missed,
            "branchCoveragePercentage": percent(branches, untaken),
            "branchesCovered": branches,
            "branchesMissed": untaken,
        }

    @property
    def passed(self) -> bool:
        """Whether no test failed: a report with failed tests has the status FAILED."""
        return not any(test.status in {"FAILED", "ERROR"} for test in self.tests)


def percent(covered: int, missed: int) -> float:
    """Share covered, 0-100; 0 of nothing is 0."""
    return round(100 * covered / (covered + missed), 2) if covered + missed else 0.0


def read(paths: Iterable[Path], file_format: str) -> Results:
    """Read report files of one format; raises ReportError."""
    if file_format not in READ:
        raise ReportError(f"{file_format} is accepted by CodeBuild and not read here; {' and '.join(READ)} are")
    tests: list[TestCase] = []
    coverage: list[FileCoverage] = []
    for path in paths:
        try:
            root = ET.fromstring(path.read_bytes())  # noqa: S314 - written by the build, which can do anything anyway
        except ET.ParseError as error:
            raise ReportError(f"{path.name} is not XML: {error}") from error
        if file_format == "JUNITXML":
            tests += _junit(root, path.name)
        else:
            coverage += _cobertura(root, path.name)
    return Results(tuple(tests), tuple(coverage))


def _junit(root: ET.Element, name: str) -> Iterator[TestCase]:
    if root.tag not in {"testsuite", "testsuites"}:
        raise ReportError(f"{name} is not JUnit XML: its root is {root.tag}")
    for suite in [root] if root.tag == "testsuite" else root.iter("testsuite"):
        for case in suite.findall("testcase"):
            status, message = "SUCCEEDED", ""
            for tag, meaning in (("error", "ERROR"), ("failure", "FAILED"), ("skipped", "SKIPPED")):
                found = case.find(tag)
                if found is not None:
                    status, message = meaning, found.get("message") or (found.text or "").strip()
                    break
            seconds = float(case.get("time") or 0)
            yield TestCase(
                case.get("name") or "", case.get("classname") or "", suite.get("name") or "", status,
                round(seconds * NANO), message,
            )  # fmt: skip


@dataclass
class _Counts:
    lines: dict[str, bool] = field(default_factory=dict)
    taken: int = 0
    untaken: int = 0


def _cobertura(root: ET.Element, name: str) -> Iterator[FileCoverage]:
    if root.tag != "coverage":
        raise ReportError(f"{name} is not Cobertura XML: its root is {root.tag}")
    files: dict[str, _Counts] = {}
    for unit in root.iter("class"):
        counts = files.setdefault(unit.get("filename") or unit.get("name") or "", _Counts())
        for line in unit.findall("lines/line"):
            number = line.get("number") or ""
            counts.lines[number] = counts.lines.get(number, False) or int(line.get("hits") or 0) > 0
            share = (line.get("condition-coverage") or "").partition("(")[2].partition(")")[0]
            if share:
                taken, _slash, all_of = share.partition("/")
                counts.taken += int(taken)
                counts.untaken += int(all_of) - int(taken)
    for path, counts in sorted(files.items()):
        covered = sum(counts.lines.values())
        yield FileCoverage(path, covered, len(counts.lines) - covered, counts.taken, counts.untaken)
