"""Parameter files, checked against the template before anything is called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from manuel_release.artifact import parameter_forms
from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from manuel_release.artifact.parameter_forms import ParameterFile


def read(path: Path) -> ParameterFile:
    """The parameter file at `path`, in any form; raises UsageError when it is missing or has none of them."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the parameter file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the parameter file {path} is not valid JSON: {error}") from error
    return parameter_forms.parse(text, str(path))


def load(path: Path) -> dict[str, str]:
    """The values in the parameter file at `path`, in any form; raises UsageError as `read` does."""
    return dict(read(path).values)


def complaints(template: Mapping[str, Any], values: Mapping[str, str]) -> Sequence[str]:
    """Everything that CloudFormation would object to in these values, all at once, a sentence each.

    A value that is left to SSM (`ssm:/path`) is not known here and fits.
    The rules are those of the template reference, "Parameters": AllowedValues, AllowedPattern, MinLength, MaxLength,
    MinValue, MaxValue and the types String, Number, CommaDelimitedList and List<Number>.
    """
    declared: Mapping[str, Any] = template.get("Parameters") or {}
    found = [
        f"{name} is not a parameter of the template{_near(name, declared)}." for name in values if name not in declared
    ]
    for name, rules in declared.items():
        if name in values:
            known = parameter_forms.reference(values[name]) is None
            found.extend(f"{name} {text}" for text in (_value_complaints(rules, values[name]) if known else ()))
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
    shown = "the given value" if is_no_echo(rules) else repr(value)
    items = [v.strip() for v in value.split(",")] if kind in {"CommaDelimitedList", "List<Number>"} else [value]
    found: list[str] = []
    for item in items:
        number = _number(item)
        if kind in {"Number", "List<Number>"} and number is None:
            found.append(f"must be a number, {shown} is not.")
            continue
        allowed = [parameter_forms.text(v) for v in rules.get("AllowedValues", [])]
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


def is_no_echo(rules: Mapping[str, Any]) -> bool:
    """Whether CloudFormation masks the parameter's value."""
    return str(rules.get("NoEcho", "")).lower() == "true"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def check(template: Mapping[str, Any], values: Mapping[str, str], name: str) -> None:
    """Raise UsageError with every complaint about the parameter file called `name`."""
    refuse(complaints(template, values), name)


def refuse(wrong: Sequence[str], name: str) -> None:
    """Raise UsageError with these complaints about the parameter file called `name`, if there are any."""
    if wrong:
        raise UsageError(
            f"{name} does not fit the template:\n" + "\n".join(f"  - {text}" for text in wrong),
            hint="Correct the file; nothing was changed.",
        )
