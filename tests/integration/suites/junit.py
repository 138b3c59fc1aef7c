"""The results as JUnit XML, one suite per category and one for the gates; fixtures/junit.xsd is its schema.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from integration.suites.results import Case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.suites.results import Results

ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # https://www.w3.org/TR/xml/#charsets
GATES = "gates"


def document(results: Results) -> bytes:
    """The XML document of a run of the suites, in UTF-8."""
    suites = {name: [case for case in results.cases if case.category == name] for name in results.categories}
    suites[GATES] = [_gate(gate.name, gate.sentence, passed=gate.passed) for gate in results.gates]
    name = f"manuel {results.config.environment} {results.config.profile}"
    return written(name, results.config.environment, results.started_at, results.seconds, suites)


def written(
    name: str, environment: str, started_at: str, seconds: float, suites: Mapping[str, Sequence[Case]]
) -> bytes:
    """The XML document of suites of cases, in UTF-8.

    started_at: ISO 8601 UTC without a zone. seconds: in all.
    """
    root = ET.Element("testsuites", name=name)
    for suite, cases in suites.items():
        _suite(root, suite, cases, environment, started_at)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", f"{seconds:.3f}")
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _suite(root: ET.Element, name: str, cases: Sequence[Case], environment: str, started_at: str) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(case.outcome == "failed" for case in cases)),
        errors=str(sum(case.outcome == "error" for case in cases)),
        skipped=str(sum(case.outcome == "skipped" for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
        timestamp=started_at,
        hostname=environment,
    )
    for case in cases:
        node = ET.SubElement(
            suite,
            "testcase",
            classname=".".join(filter(None, (environment, name, case.module))),
            name=_legal(case.name),
            time=f"{case.seconds:.3f}",
        )
        if case.outcome != "passed":
            kind = {"failed": "failure", "error": "error", "skipped": "skipped"}[case.outcome]
            detail = ET.SubElement(node, kind, message=_legal(case.message))
            if kind != "skipped":
                detail.set("type", kind)
                detail.text = _legal(case.text)
        if case.output:
            ET.SubElement(node, "system-out").text = _legal(case.output)


def _gate(name: str, sentence: str, *, passed: bool) -> Case:
    return Case(GATES, name, "passed" if passed else "failed", 0.0, "" if passed else sentence)


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
