"""Parameter files, checked against the template before anything is called.

The file is flat, `{"Key": "Value"}`, as the specification has it and as `sam deploy
--parameter-overrides file://` reads it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def load(path: Path) -> dict[str, str]:
    """The flat parameter file at `path`; raises UsageError when it is missing or not flat."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the parameter file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the parameter file {path} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"the parameter file {path} is not an object of names and values")
    nested = sorted(k for k, v in data.items() if isinstance(v, dict | list))
    if nested:
        raise UsageError(
            f"the parameter file {path} is not flat: not a value: {', '.join(nested)}",
            hint='The form is {"Environment": "dev", ...}, as in the specification.',
        )
    return {str(k): _text(v) for k, v in data.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def complaints(template: Mapping[str, Any], values: Mapping[str, str]) -> Sequence[str]:
    """Everything that CloudFormation would object to in these values, all at once, a sentence each.

    The rules are those of the template reference, "Parameters": AllowedValues, AllowedPattern, MinLength, MaxLength,
    MinValue, MaxValue and the types String, Number, CommaDelimitedList and List<Number>.
    """
    declared: Mapping[str, Any] = template.get("Parameters") or {}
    found = [
        f"{name} is not a parameter of the template{_near(name, declared)}." for name in values if name not in declared
    ]
    for name, rules in declared.items():
        if name in values:
            found.extend(f"{name} {text}" for text in _value_complaints(rules, values[name]))
        elif "Default" not in rules:
            found.append(
                f"{name} is missing: the template has no default for it ({rules.get('Description', 'no description')})"
            )
    return found


def _near(name: str, declared: Mapping[str, Any]) -> str:
    import difflib  # noqa: PLC0415 - only for a mistake

    close = difflib.get_close_matches(name, list(declared), n=1)
    return f" (is {close[0]} meant?)" if close else ""


def _value_complaints(rules: Mapping[str, Any], value: str) -> list[str]:
    kind = rules.get("Type", "String")
    shown = "the given value" if str(rules.get("NoEcho", "")).lower() == "true" else repr(value)
    items = [v.strip() for v in value.split(",")] if kind in {"CommaDelimitedList", "List<Number>"} else [value]
    found: list[str] = []
    for item in items:
        number = _number(item)
        if kind in {"Number", "List<Number>"} and number is None:
            found.append(f"must be a number, {shown} is not.")
            continue
        allowed = [_text(v) for v in rules.get("AllowedValues", [])]
        if allowed and item not in allowed:
            found.append(f"must be one of {', '.join(v or 'empty' for v in allowed)}, not {shown}.")
        if number is not None and "MinValue" in rules and number < float(rules["MinValue"]):
            found.append(f"must be at least {rules['MinValue']}, {shown} is less.")
        if number is not None and "MaxValue" in rules and number > float(rules["MaxValue"]):
            found.append(f"must be at most {rules['MaxValue']}, {shown} is more.")
        if kind == "String" and len(item) < int(rules.get("MinLength", 0)):
            found.append(f"must have at least {rules['MinLength']} characters, {shown} has {len(item)}.")
        if kind == "String" and "MaxLength" in rules and len(item) > int(rules["MaxLength"]):
            found.append(f"must have at most {rules['MaxLength']} characters, {shown} has {len(item)}.")
        if "AllowedPattern" in rules and not re.fullmatch(str(rules["AllowedPattern"]), item):
            found.append(f"must match {rules['AllowedPattern']}, {shown} does not.")
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def check(template: Mapping[str, Any], values: Mapping[str, str], name: str) -> None:
    """Raise UsageError with every complaint about the parameter file called `name`."""
    wrong = complaints(template, values)
    if wrong:
        raise UsageError(
            f"{name} does not fit the template:\n" + "\n".join(f"  - {text}" for text in wrong),
            hint="Correct the file; nothing was called.",
        )
