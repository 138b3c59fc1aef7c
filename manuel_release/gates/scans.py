"""What bandit and pip-audit found, as test cases: their own formats are none that CodeBuild can show as a report.

Report formats: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#reports-buildspec-file
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STOPS = "HIGH"
"""bandit's worst severity; the specification's "critical" does not exist there."""

NOT_ASKED = "could not be asked"
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")  # https://www.w3.org/TR/xml/#charsets


class UnreadableScanError(ValueError):
    """The scanner's output is not what it writes; the message says why."""


@dataclass(frozen=True)
class Case:
    """One thing that was looked at. outcome: passed, failed, error or skipped; message: why it did not pass."""

    group: str
    name: str
    outcome: str = "passed"
    message: str = ""


def security(text: str) -> tuple[Case, ...]:
    """The cases in bandit's JSON: what stops has failed, what is less severe is skipped with its text.

    A file that bandit could not read is an error, because nobody knows what is in it; so is a scan of no code at all.
    Raises UnreadableScanError.
    """
    data = _document(text, "bandit", "results")
    cases = [Case("bandit", str(one["filename"]), "error", str(one["reason"])) for one in data.get("errors") or []]
    for one in data["results"]:
        name = f"{one['test_id']} {one['filename']}:{one['line_number']}"
        outcome = "failed" if one["issue_severity"] == STOPS else "skipped"
        cases.append(Case("bandit", name, outcome, f"{one['issue_severity'].lower()}: {one['issue_text']}"))
    lines = (data.get("metrics") or {}).get("_totals", {}).get("loc", 0)
    looked = Case("bandit", f"{lines} lines of code", *(() if lines else ("error", "nothing was looked at")))
    return (looked, *cases)


def dependencies(text: str) -> tuple[Case, ...]:
    """The cases in pip-audit's JSON, one for each dependency; raises UnreadableScanError."""
    data = _document(text, "pip-audit", "dependencies")
    return tuple(_dependency(one) for one in data["dependencies"])


def _dependency(one: Any) -> Case:
    name = f"{one['name']} {one.get('version', '')}".strip()
    if one.get("skip_reason"):
        return Case("pip-audit", name, "skipped", str(one["skip_reason"]))
    known = [f"{v['id']} (fixed in {', '.join(v.get('fix_versions') or []) or 'nothing yet'})" for v in one["vulns"]]
    return Case("pip-audit", name, "failed" if known else "passed", "; ".join(known))


def unasked(why: str) -> tuple[Case, ...]:
    """The one case of an audit for which nobody could be asked: neither passed nor failed."""
    return (Case("pip-audit", "known vulnerabilities", "skipped", f"{NOT_ASKED}: {why}"),)


def _document(text: str, program: str, member: str) -> Any:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UnreadableScanError(f"{program} did not write JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get(member), list):
        raise UnreadableScanError(f"what {program} wrote has no {member}")
    return data


def junit(name: str, cases: Sequence[Case]) -> bytes:
    """A JUnit document of one suite."""
    root = ET.Element("testsuites", name=name)
    counts = {
        "tests": len(cases),
        "failures": sum(one.outcome == "failed" for one in cases),
        "errors": sum(one.outcome == "error" for one in cases),
        "skipped": sum(one.outcome == "skipped" for one in cases),
    }
    suite = ET.SubElement(root, "testsuite", {"name": name, **{key: str(value) for key, value in counts.items()}})
    for one in cases:
        case = ET.SubElement(suite, "testcase", classname=one.group, name=_legal(one.name), time="0")
        if one.outcome != "passed":
            kind = {"failed": "failure"}.get(one.outcome, one.outcome)
            ET.SubElement(case, kind, message=_legal(one.message))
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def told(cases: Sequence[Case]) -> Iterator[str]:
    """A line for each case that failed or could not be looked at."""
    for one in cases:
        if one.outcome in {"failed", "error"}:
            yield f"{one.name}: {one.message}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("?", text)
