"""Artifacts hold the files that patterns name; reports are counted."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from manuel_release.rehearsal.emulator.codebuild import files, report_files
from manuel_release.rehearsal.emulator.codebuild.buildspec import Artifacts

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="unit">
  <testcase classname="a.B" name="passes" time="1.5"/>
  <testcase classname="a.B" name="fails" time="0.5"><failure message="expected 1">trace</failure></testcase>
  <testcase classname="a.B" name="breaks"><error>boom</error></testcase>
  <testcase classname="a.B" name="waits"><skipped message="later"/></testcase>
</testsuite></testsuites>"""
COBERTURA = """<coverage><packages><package><classes>
  <class filename="a.py"><lines>
    <line number="1" hits="1"/><line number="2" hits="0"/>
    <line number="3" hits="4" branch="true" condition-coverage="50% (1/2)"/>
  </lines></class>
  <class filename="b.py"><lines><line number="1" hits="1"/></lines></class>
</classes></package></packages></coverage>"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.md", "out/c.txt", "out/deep/d.txt", "out/deep/e.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return sorted(packed.namelist())


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Artifacts(("**/*",)), ["a.txt", "b.md", "out/c.txt", "out/deep/d.txt", "out/deep/e.pyc"]),
        (Artifacts(("*",)), ["a.txt", "b.md"]),
        (Artifacts(("out/*",)), ["out/c.txt"]),
        (Artifacts(("out/**/*",)), ["out/c.txt", "out/deep/d.txt", "out/deep/e.pyc"]),
        (Artifacts(("**/*.txt",)), ["a.txt", "out/c.txt", "out/deep/d.txt"]),
        (Artifacts(("**/*",), base="out"), ["c.txt", "deep/d.txt", "deep/e.pyc"]),
        (Artifacts(("**/*",), base="o*"), ["c.txt", "deep/d.txt", "deep/e.pyc"]),
        (Artifacts(("**/*",), base="out", exclude=("**/*.pyc",)), ["c.txt", "deep/d.txt"]),
        (Artifacts(("**/*.txt",), base="out", discard_paths=True), ["c.txt", "d.txt"]),
        (Artifacts(("b.md", "out/c.txt")), ["b.md", "out/c.txt"]),
    ],
)
def test_an_artifact_holds_what_its_patterns_name(tree: Path, wanted: Artifacts, expected: list[str]) -> None:
    assert names(files.pack(tree, wanted)) == expected


@pytest.mark.parametrize("wanted", [Artifacts(("*.none",)), Artifacts(("*",), base="gone"), Artifacts(("out",))])
def test_patterns_that_name_nothing_are_an_error(tree: Path, wanted: Artifacts) -> None:
    with pytest.raises(files.NoFiles):
        files.pack(tree, wanted)


def test_the_same_files_make_the_same_artifact(tree: Path) -> None:
    assert files.pack(tree, Artifacts(("**/*",))) == files.pack(tree, Artifacts(("**/*",)))


def test_a_program_stays_one_when_it_is_packed_and_unpacked(tree: Path) -> None:
    (tree / "a.txt").chmod(0o755)
    files.unpack(files.pack(tree, Artifacts(("*",))), tree / "again")
    assert (tree / "again" / "a.txt").stat().st_mode & 0o111
    assert not (tree / "again" / "b.md").stat().st_mode & 0o111


def test_a_zip_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("../outside", "x")
    with pytest.raises(ValueError, match="leaves the folder"):
        files.unpack(made.getvalue(), tmp_path / "in")
    with pytest.raises(ValueError, match="not a zip file"):
        files.unpack(b"no zip", tmp_path)


def test_tests_are_counted_by_their_outcome(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT)
    results = report_files.read([tmp_path / "junit.xml"], "JUNITXML")
    assert results.test_summary() == {
        "total": 4,
        "statusCounts": {"ERROR": 1, "FAILED": 1, "SKIPPED": 1, "SUCCEEDED": 1, "UNKNOWN": 0},
        "durationInNanoSeconds": 2_000_000_000,
    }
    assert not results.passed
    assert [test.message for test in results.tests] == ["", "expected 1", "boom", "later"]


def test_a_report_without_failures_passed(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text('<testsuite name="x"><testcase name="ok"/></testsuite>')
    assert report_files.read([tmp_path / "junit.xml"], "JUNITXML").passed


def test_covered_lines_and_branches_are_counted_over_files(tmp_path: Path) -> None:
    (tmp_path / "cov.xml").write_text(COBERTURA)
    results = report_files.read([tmp_path / "cov.xml"], "COBERTURAXML")
    assert [(file.path, file.lines_covered, file.lines_missed) for file in results.coverage] == [
        ("a.py", 2, 1),
        ("b.py", 1, 0),
    ]
    assert results.coverage_summary() == {
        "lineCoveragePercentage": 75.0,
        "linesCovered": 3,
        "linesMissed": 1,
        "branchCoveragePercentage": 50.0,
        "branchesCovered": 1,
        "branchesMissed": 1,
    }


@pytest.mark.parametrize(
    ("text", "file_format", "said"),
    [
        ("not xml", "JUNITXML", "is not XML"),
        ("<coverage/>", "JUNITXML", "is not JUnit XML: its root is coverage"),
        ("<testsuite/>", "COBERTURAXML", "is not Cobertura XML"),
        ("{}", "CUCUMBERJSON", "not read here"),
    ],
)
def test_a_file_of_another_format_is_said(tmp_path: Path, text: str, file_format: str, said: str) -> None:
    (tmp_path / "report").write_text(text)
    with pytest.raises(report_files.ReportError, match=said):
        report_files.read([tmp_path / "report"], file_format)
