"""Reports -> evidence: what the build's tools and the suites left in files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from manuel_release.errors import UsageError
from manuel_release.gates.quality import Counts, Evidence, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KINDS = {
    "results.json": "integration",
    "security-results.json": "security",
    "e2e-results.json": "e2e",
    "performance.json": "performance",
    "chaos-results.json": "chaos",
}
"""A suite's document -> its kind."""


def read(reports: Path, results: Sequence[Path]) -> Evidence:
    """The evidence in a build's reports and in folders of the suites' results; what is not there is left out.

    Raises UsageError for a report that cannot be understood: it is no evidence of anything.
    """
    return Evidence(
        unit=_counts(reports / "unit-tests.xml"),
        coverage_percent=_coverage(reports / "coverage.xml"),
        security=_counts(reports / "security-scan.xml"),
        dependencies=_counts(reports / "dependency-audit.xml"),
        runs=tuple(run for folder in results for run in _runs(folder)),
    )


def _root(path: Path) -> ET.Element | None:
    try:
        return ET.fromstring(path.read_bytes())  # noqa: S314 - made by this build itself
    except FileNotFoundError:
        return None
    except (OSError, ET.ParseError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} is no report: {error}", hint="Delete it and run the target again that makes it.")


def _counts(path: Path) -> Counts | None:
    root = _root(path)
    if root is None:
        return None
    cases = list(root.iter("testcase"))
    skipped = [case.find("skipped") for case in cases]
    return Counts(
        len(cases),
        sum(case.find("failure") is not None or case.find("error") is not None for case in cases),
        sum(one is not None for one in skipped),
        tuple(dict.fromkeys(one.get("message", "") for one in skipped if one is not None)),
    )


def _coverage(path: Path) -> float | None:
    """Percent of lines, as Cobertura has it."""
    root = _root(path)
    if root is None:
        return None
    try:
        if int(root.attrib["lines-valid"]) <= 0:
            return 0.0  # nothing was measured, which proves nothing
        return float(root.attrib["line-rate"]) * 100
    except (KeyError, ValueError) as error:
        raise _unreadable(path, error) from error


def _runs(folder: Path) -> Iterator[Run]:
    for name, kind in KINDS.items():
        for path in sorted(folder.rglob(name)):
            try:
                yield _run(kind, json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise _unreadable(path, error) from error


def _run(kind: str, data: Any) -> Run:
    if kind == "chaos":
        return Run(kind, str(data["environment"]), str(data["suite"]), data["passed"] is True)
    covered = data["coverage"]["percent"] if kind == "integration" else None
    return Run(kind, str(data["environment"]), str(data["profile"]), data["ok"] is True, covered)
