"""Filter patterns of CloudWatch Logs: terms and JSON selectors, parsed once, matched per log event.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Terms (`ERROR`,
`"exact phrase"`, `-excluded`, `?either ?or`) are case-sensitive. JSON patterns (`{ $.status = 5* && $.path != "/a" }`)
know = != > >= < <=, && || and parentheses, IS NULL/TRUE/FALSE, EXISTS, NOT EXISTS, `*` in text, and array indexes.
Space-delimited patterns and regular expressions are refused. A comparison with a field that an event does not have is
false, != included; text is never compared as a number (whether AWS does, is not established).
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class PatternError(ValueError):
    """The text is not a filter pattern that is understood here."""


_MISSING = object()
_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?=\s|$)')
_PATH_STEP = re.compile(r"""\.([\w-]+)|\[(\d+)\]|\.?\[(?:'([^']+)'|"([^"]+)")\]""")
_JSON_TOKEN = re.compile(
    r"""\s*(?:
    (?P<path>\$(?:\.[\w-]+|\.?\[[^\]]*\])+)
    | (?P<sign>&&|\|\||!=|>=|<=|[=<>()])
    | "(?P<text>(?:[^"\\]|\\.)*)"
    | (?P<word>[\w.*:/@+-]+)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


@functools.lru_cache(maxsize=512)
def steps(selector: str) -> tuple[str | int, ...]:
    """Names and indexes of a selector such as `$.a.b[0]`; raises PatternError for another text."""
    if not selector.startswith("$"):
        raise PatternError(f"a property selector starts with $: {selector}")
    found: list[str | int] = []
    position = 1
    while position < len(selector):
        step = _PATH_STEP.match(selector, position)
        if step is None:
            raise PatternError(f"property selector not understood: {selector}")
        found.append(int(step[2]) if step[2] is not None else step[1] or step[3] or step[4])
        position = step.end()
    return tuple(found)


def field(document: object, selector: str) -> object:
    """What a selector finds in a parsed document; raises KeyError when there is nothing there."""
    for step in steps(selector):
        match document, step:
            case list(), int() if step < len(document):
                document = document[step]
            case dict(), str() if step in document:
                document = document[step]
            case _:
                raise KeyError(selector)
    return document


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether a log message matches; raises PatternError."""
    text = pattern.strip()
    if not text:
        return lambda _message: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise PatternError("a JSON pattern ends with }")
        return _json_matcher(_Parser(text[1:-1]).whole())
    if text.startswith("["):
        raise PatternError("space-delimited patterns are not supported by this emulator")
    return _term_matcher(text)


def _json_matcher(test: Callable[[object], bool]) -> Callable[[str], bool]:
    def matches(message: str) -> bool:
        document = as_document(message)
        return document is not None and test(document)

    return matches


def as_document(message: str) -> dict[str, Any] | None:
    """A log message that is a JSON object, parsed; None for every other."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(message)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _term_matcher(text: str) -> Callable[[str], bool]:
    wanted: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while text[position:].strip():
        found = _TERM.match(text, position)
        if found is None:
            raise PatternError(f"term not understood (quote what is not alphanumeric): {text[position:].strip()}")
        wanted[found[1]].append(re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3])
        position = found.end()
    if wanted["?"] and (wanted[""] or wanted["-"]):
        raise PatternError("?terms cannot be mixed with others; CloudWatch Logs would ignore them")

    def matches(message: str) -> bool:
        return (
            all(term in message for term in wanted[""])
            and not any(term in message for term in wanted["-"])
            and (not wanted["?"] or any(term in message for term in wanted["?"]))
        )

    return matches


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[_Token] = []
        position = 0
        while text[position:].strip():
            found = _JSON_TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise PatternError(f"JSON pattern not understood at: {text[position:].strip()}")
            self._tokens.append(_Token(found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._tokens.append(_Token("end", "the end"))
        self._at = 0

    def _take(self, *texts: str, kind: str = "sign") -> _Token | None:
        found = self._tokens[self._at]
        if found.kind != kind or (texts and found.text.upper() not in texts):
            return None
        self._at += 1
        return found

    def _wrong(self, expected: str) -> PatternError:
        return PatternError(f"expected {expected} but found {self._tokens[self._at].text} in {{{self._text}}}")

    def whole(self) -> Callable[[object], bool]:
        test = self._either()
        if self._take(kind="end") is None:
            raise self._wrong("&&, || or the end")
        return test

    def _either(self) -> Callable[[object], bool]:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return lambda document: any(test(document) for test in tests)

    def _both(self) -> Callable[[object], bool]:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return lambda document: all(test(document) for test in tests)

    def _one(self) -> Callable[[object], bool]:
        if self._take("("):
            test = self._either()
            if not self._take(")"):
                raise self._wrong(")")
            return test
        path = self._take(kind="path")
        if path is None:
            raise self._wrong("a property selector such as $.status")
        selector = path.text
        steps(selector)
        condition = self._state() or self._comparison()

        def test_field(document: object) -> bool:
            try:
                return condition(field(document, selector))
            except KeyError:
                return condition(_MISSING)

        return test_field

    def _state(self) -> Callable[[object], bool] | None:
        if self._take("IS", kind="word"):
            word = self._take("NULL", "TRUE", "FALSE", kind="word")
            if word is None:
                raise self._wrong("NULL, TRUE or FALSE")
            constant = {"NULL": None, "TRUE": True, "FALSE": False}[word.text.upper()]
            return lambda value: value is constant
        if self._take("NOT", kind="word"):
            if not self._take("EXISTS", kind="word"):
                raise self._wrong("EXISTS")
            return lambda value: value is _MISSING
        if self._take("EXISTS", kind="word"):
            return lambda value: value is not _MISSING
        return None

    def _comparison(self) -> Callable[[object], bool]:
        sign = self._take("=", "!=", ">", ">=", "<", "<=")
        if sign is None:
            raise self._wrong("an operator")
        literal = self._take(kind="text") or self._take(kind="word")
        if literal is None:
            raise self._wrong("a value")
        if sign.text in ("=", "!="):
            equal = _equals(literal)
            if sign.text == "=":
                return equal
            return lambda value: value is not _MISSING and not equal(value)
        if literal.kind != "word" or not _NUMBER.fullmatch(literal.text):
            raise PatternError(f"{sign.text} compares numbers, not {literal.text}")
        return _ordered(sign.text, float(literal.text))


def _equals(literal: _Token) -> Callable[[object], bool]:
    text = re.sub(r"\\(.)", r"\1", literal.text) if literal.kind == "text" else literal.text
    glob = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
    number = float(text) if literal.kind == "word" and _NUMBER.fullmatch(text) else None

    def equal(value: object) -> bool:
        if isinstance(value, bool) or value is _MISSING:
            return False
        if isinstance(value, int | float):
            same = number is not None and value == number
            return same or (literal.kind == "word" and "*" in text and glob.fullmatch(str(value)) is not None)
        return isinstance(value, str) and glob.fullmatch(value) is not None

    return equal


def _ordered(sign: str, limit: float) -> Callable[[object], bool]:
    def ordered(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return {">": value > limit, ">=": value >= limit, "<": value < limit, "<=": value <= limit}[sign]

    return ordered
