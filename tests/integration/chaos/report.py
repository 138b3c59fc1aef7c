"""What is left of a run: JUnit XML for CodeBuild's reports, and a JSON timeline."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.chaos.experiment import Result

SCHEMA_VERSION = 1
ORDER = {"failures": "failed", "errors": "aborted", "skipped": "skipped"}


def junit(results: Sequence[Result], suite: str) -> bytes:
    """JUnit XML: a test case for each scenario, its checks as its output."""
    counts = {name: str(sum(one.outcome == outcome for one in results)) for name, outcome in ORDER.items()}
    seconds = f"{sum(one.seconds for one in results):.3f}"
    root = ET.Element("testsuites", {"tests": str(len(results)), "time": seconds, **counts})
    case = ET.SubElement(
        root, "testsuite", {"name": f"chaos-{suite}", "tests": str(len(results)), "time": seconds, **counts}
    )
    for one in results:
        members = {"classname": f"chaos.{suite}", "name": one.scenario, "time": f"{one.seconds:.3f}"}
        test = ET.SubElement(case, "testcase", members)
        if one.outcome == "failed":
            ET.SubElement(test, "failure", {"message": one.reason, "type": "hypothesis"})
        elif one.outcome == "aborted":
            ET.SubElement(test, "error", {"message": one.reason, "type": "aborted"})
        elif one.outcome == "skipped":
            ET.SubElement(test, "skipped", {"message": one.reason})
        lines = [f"{'ok  ' if c.ok else 'FAIL'} {c.phase}: {c.sentence} ({c.detail})" for c in one.checks]
        ET.SubElement(test, "system-out").text = "\n".join([one.hypothesis, *lines])
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root)


def document(results: Sequence[Result], events: list[dict[str, Any]], **facts: Any) -> dict[str, Any]:
    """The JSON: environment, suite, release, each scenario with its checks, and the timeline."""
    passed = bool(results) and all(one.outcome in {"passed", "skipped"} for one in results)
    return {
        "schema_version": SCHEMA_VERSION,
        **facts,
        "passed": passed and any(one.outcome == "passed" for one in results),
        "scenarios": [asdict(one) for one in results],
        "timeline": events,
    }
