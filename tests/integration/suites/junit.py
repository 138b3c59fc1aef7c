"""The results as JUnit XML, one suite per category and one for the gates; fixtures/junit.xsd is its schema.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from integration.suites.results import Case

if TYPE_CHECKING:
    from integration.suites.results import Results

ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # https://www.w3.org/TR/xml/#charsets
GATES = "gates"


def document(results: Results) -> bytes:
    """The XML document, in UTF-8."""
    root = ET.Element("testsuites", name=f"manuel {results.config.environment} {results.config.profile}")
    for category in results.categories:
        cases = [case for case in results.cases if case.category == category]
        _suite(root, category, cases, results)
    _suite(root, GATES, [_gate(gate.name, gate.sentence, passed=gate.passed) for gate in results.gates], results)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{results.seconds:.3f}")
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _suite(root: ET.Element, name: str, cases: list[Case], results: Results) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(case.outcome == "failed" for case in cases)),
        errors=str(sum(case.outcome == "error" for case in cases)),
        skipped=str(sum(case.outcome == "skipped" for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
        timestamp=results.started_at,
        hostname=results.config.environment,
    )
    for case in cases:
        node = ET.SubElement(
            suite,
            "testcase",
            classname=".".join(filter(None, (results.config.environment, name, case.module))),
            name=_legal(case.name),
            time=f"{case.seconds:.3f}",
        )
        if case.outcome != "passed":
            kind = {"failed": "failure", "error": "error", "skipped": "skipped"}[case.outcome]
            detail = ET.SubElement(node, kind, message=_legal(case.message))
            if kind != "skipped":
                detail.set("type", kind)
                detail.text = _legal(case.text)


def _gate(name: str, sentence: str, *, passed: bool) -> Case:
    return Case(GATES, name, "passed" if passed else "failed", 0.0, "" if passed else sentence)


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
