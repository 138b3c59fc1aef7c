"""What a Makefile can make, and which targets a shell command asks it for."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULE = re.compile(r"^([A-Za-z0-9][\w.-]*(?:[ \t]+[A-Za-z0-9][\w.-]*)*)[ \t]*::?(?![:=])", re.MULTILINE)
_WITH_VALUE = {"-C", "-f", "-j", "-o", "-W", "-I", "--directory", "--file", "--jobs"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def targets(text: str) -> frozenset[str]:
    """The names of the explicit rules; patterns, files and special targets (`.PHONY`) are none."""
    return frozenset(name for match in _RULE.finditer(text) for name in match[1].split())


def expanded(command: str, variables: Mapping[str, str]) -> str:
    """A command with the variables that are known; the others stay as they are."""
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), command)


def asked(command: str) -> tuple[str, ...] | None:
    """The targets in `make [options] [NAME=value] target...`; None when the command does not call make.

    A word that is not known before it runs (`$TARGETS`) is returned as it is.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or words[0] != "make":
        return None
    found: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word in {"&&", "||", ";", "|", ">", ">>"}:
            break
        if word in _WITH_VALUE:
            next(rest, "")
        elif not word.startswith("-") and "=" not in word:
            found.append(word)
    return tuple(found)
