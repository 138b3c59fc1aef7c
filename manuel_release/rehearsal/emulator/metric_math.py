"""Metric math: the language of the expressions that release and service alarms use, parsed here.

It follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: numbers, ids,
+ - * /, comparisons, && and || (AND, OR), parentheses, [arrays], FILL, IF, ABS, RATE, SUM, AVG, MIN, MAX, METRICS.
Everything else is refused by name when an alarm is made, so that no alarm silently means something else here than on
AWS. `metric_math_evaluation.py` computes.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["scalar", "series", "array"]


class MathError(ValueError):
    """The expression is not one that this parser knows; the text says what is wrong with it."""


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Reference:
    """The id of another metric or expression."""

    name: str


@dataclass(frozen=True)
class Array:
    """[a, b, ...]."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Binary:
    """Two operands and what is between them."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node = Number | Reference | Array | Binary | Call

REPEAT = Reference("REPEAT")
"""FILL's second argument when gaps take the value before them."""

_TOKEN = re.compile(
    r"""\s*(?:
    \d+\.?\d*(?:[eE][+-]?\d+)? | \.\d+  # number
    | [A-Za-z_]\w* | "[^"]*"             # id, function, text
    | && | \|\| | [<>=!]= | [-+*/()\[\],<>]
    )""",
    re.VERBOSE,
)
_END = "end of expression"
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||", "OR"),
    ("&&", "AND"),
    ("==", "!=", "<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/"),
)
_ARITIES = {"FILL": (2, 2), "IF": (2, 3), "ABS": (1, 1), "RATE": (1, 1), "METRICS": (0, 1)}
_AGGREGATES = ("SUM", "AVG", "MIN", "MAX")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                raise MathError(f"unexpected character '{text[position:].lstrip()[0]}' in expression '{text}'")
            self._tokens.append(found[0].strip())
            position = found.end()
        self._tokens.append(_END)
        self._at = 0
        self._text = text

    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise MathError(f"expected '{token}' but found '{self._next()}' in expression '{self._text}'")
        self._at += 1

    def whole(self) -> Node:
        node = self._level(0)
        self._expect(_END)
        return node

    def _level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self._operand()
        node = self._level(depth + 1)
        while self._next() in _LEVELS[depth]:
            word = self._take()
            sign = {"OR": "||", "AND": "&&"}.get(word, word)
            node = Binary(sign, node, self._level(depth + 1))
        return node

    def _operand(self) -> Node:
        if self._next() == _END:
            raise MathError(f"the expression '{self._text}' ends too early")
        first = self._take()
        if first == "-":
            return Binary("-", Number(0.0), self._operand())
        if first == "(":
            node = self._level(0)
            self._expect(")")
            return node
        if first == "[":
            return Array(self._list("]"))
        if first[0].isdigit() or first[0] == ".":
            return Number(float(first))
        if self._next() == "(" and first[0].isalpha():
            self._at += 1
            return self._call(first)
        if first[0].islower() or first == REPEAT.name or first[0] == '"':
            return Reference(first)
        raise MathError(f"unexpected '{first}' in expression '{self._text}'")

    def _call(self, name: str) -> Node:
        if name not in _ARITIES and name not in _AGGREGATES:
            known = ", ".join(sorted((*_ARITIES, *_AGGREGATES)))
            raise MathError(f"the function '{name}' is not supported here; supported are {known}")
        arguments = self._list(")")
        least, most = _ARITIES.get(name, (1, 1))
        if not least <= len(arguments) <= most:
            raise MathError(f"the function '{name}' takes {least} to {most} arguments, not {len(arguments)}")
        return Call(name, arguments)

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._next() != closing:
            if items:
                self._expect(",")
            items.append(self._level(0))
        self._at += 1
        return tuple(items)


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Parse an expression; raises MathError with the reason."""
    return _Parser(text).whole()


def references(node: Node) -> set[str]:
    """Ids that an expression names; METRICS() names none."""
    match node:
        case Number():
            return set()
        case Reference():
            return {node.name} - {REPEAT.name}
        case Array():
            return set().union(*map(references, node.items))
        case Binary():
            return references(node.left) | references(node.right)
        case Call():
            if node.name == "METRICS":
                return set()
            return set().union(*map(references, node.arguments))


def kind(node: Node, kinds: Mapping[str, Kind]) -> Kind:
    """Whether an expression gives a number, one series or several; raises MathError for an unknown id."""
    match node:
        case Number():
            return "scalar"
        case Reference():
            if node.name not in kinds:
                raise MathError(f"'{node.name}' is not the id of a metric or expression")
            return kinds[node.name]
        case Array():
            return "array"
        case Binary():
            sides = {kind(node.left, kinds), kind(node.right, kinds)}
            return "array" if "array" in sides else "series" if "series" in sides else "scalar"
        case Call():
            return _call_kind(node, kinds)


def _call_kind(node: Call, kinds: Mapping[str, Kind]) -> Kind:
    if node.name == "METRICS":
        return "array"
    first = kind(node.arguments[0], kinds)
    if node.name in _AGGREGATES:
        return "series" if first == "array" else "scalar"
    if node.name == "IF":
        others = {kind(each, kinds) for each in node.arguments[1:]}
        if "array" in others | {first}:
            raise MathError("IF takes numbers and single time series, not an array of them")
        return "series" if "series" in others | {first} else "scalar"
    return first
