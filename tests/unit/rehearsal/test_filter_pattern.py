"""Filter patterns of CloudWatch Logs: what matches, what does not, what is refused."""

from __future__ import annotations

import json

import pytest

from manuel_release.rehearsal.emulator.filter_pattern import PatternError, as_document, compile_pattern, field


def matches(pattern: str, message: str | dict[str, object]) -> bool:
    return compile_pattern(pattern)(message if isinstance(message, str) else json.dumps(message))


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("  ", "anything", True),
        ("ERROR", "an ERROR happened", True),
        ("ERROR", "an error happened", False),
        ("ERROR timed", "ERROR: timed out", True),
        ("ERROR timed", "ERROR only", False),
        ('"Task timed out"', "x Task timed out after 3 s", True),
        ('"Task timed out"', "Task was timed out", False),
        ('"a \\"b\\""', 'say a "b" now', True),
        ("ERROR -retry", "ERROR final", True),
        ("ERROR -retry", "ERROR retry", False),
        ('-"will retry"', "will retry", False),
        ("?ERROR ?WARN", "a WARN line", True),
        ("?ERROR ?WARN", "an INFO line", False),
    ],
)
def test_terms_are_case_sensitive_and_all_needed(pattern: str, message: str, expected: bool) -> None:
    assert matches(pattern, message) is expected


EVENT = {
    "status": 503,
    "text_status": "503",
    "isCanaryRequest": "true",
    "path": "/manuals/7",
    "latency": 12.5,
    "user": {"name": "Ann", "groups": ["dev", "ops"], "x-id": None},
    "ok": True,
    "bad": False,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ $.status = 503 }", True),
        ("{ $.status = 500 }", False),
        ("{ $.status = 5* }", True),
        ("{ $.status = 4* }", False),
        ("{ $.text_status = 5* }", True),
        ('{ $.status = "503" }', False),
        ("{ $.text_status >= 500 }", False),
        ("{$.status>=500}", True),
        ("{ $.status > 503 }", False),
        ("{ $.status < 504 }", True),
        ("{ $.status <= 502 }", False),
        ("{ $.latency > 12 }", True),
        ("{ $.status != 503 }", False),
        ("{ $.status != 200 }", True),
        ('{ $.isCanaryRequest = "true" && $.status >= 500 }', True),
        ('{ $.isCanaryRequest = "false" && $.status >= 500 }', False),
        ('{ $.isCanaryRequest = "false" || $.status >= 500 }', True),
        ('{ $.status = 1 && $.status = 503 || $.path = "/manuals/*" }', True),
        ('{ $.status = 1 && ($.status = 503 || $.path = "/manuals/*") }', False),
        ('{ $.path = "*/7" }', True),
        ('{ $.path = "/manuals" }', False),
        ("{ $.path = /manuals/* }", True),
        ('{ $.user.name = "Ann" }', True),
        ('{ $.user.groups[1] = "ops" }', True),
        ('{ $.user.groups[2] = "ops" }', False),
        ("{ $.user['x-id'] IS NULL }", True),
        ("{ $.nothing IS NULL }", True),
        ("{ $.absent IS NULL }", False),
        ("{ $.ok IS TRUE }", True),
        ("{ $.bad IS TRUE }", False),
        ("{ $.bad IS FALSE }", True),
        ("{ $.absent NOT EXISTS }", True),
        ("{ $.nothing NOT EXISTS }", False),
        ("{ $.nothing EXISTS }", True),
        ("{ $.absent != 1 }", False),
        ("{ $.absent = 1 }", False),
        ("{ $.ok = 1 }", False),
        ("{ $.user = 1 }", False),
    ],
)
def test_json_selectors_compare_numbers_text_and_presence(pattern: str, expected: bool) -> None:
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize("message", ["plain text", "[1, 2]", "{broken", '"text"', ""])
def test_a_json_pattern_never_matches_what_is_no_json_object(message: str) -> None:
    assert matches("{ $.status NOT EXISTS }", message) is False
    assert as_document(message) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.status = }",
        "{ $.status 5 }",
        "{ status = 5 }",
        "{ $.status = 5",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = 1) }",
        "{ $.a IS MAYBE }",
        "{ $.a NOT NULL }",
        "{ $.a > 5* }",
        '{ $.a > "5" }',
        "{ $.a = %5..% }",
        "{ $.a[x] = 1 }",
        "{ }",
        "[ip, user]",
        "%regex%",
        "foo:bar",
        '"open',
        "?a b",
        "-a ?b",
    ],
)
def test_what_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_a_selector_reads_nested_values_and_misses_loudly() -> None:
    assert field({"a": {"b": [{"c": 3}]}}, "$.a.b[0].c") == 3
    with pytest.raises(KeyError):
        field({"a": 1}, "$.a.b")
    with pytest.raises(PatternError):
        field({}, "$..a")
