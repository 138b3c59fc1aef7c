"""The three forms that parameter files have.

flat            {"Environment": "dev"}: the specification's, and what `sam deploy --parameter-overrides file://` reads
codepipeline    {"Parameters": {"Environment": "dev"}, "Tags": {...}, "StackPolicy": {...}}
cli             [{"ParameterKey": "Environment", "ParameterValue": "dev"}]

Sources: CodePipeline user guide, "Template configuration file"; CloudFormation API reference, "Parameter".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARAMETERS, TAGS, STACK_POLICY = "Parameters", "Tags", "StackPolicy"
KEY, VALUE = "ParameterKey", "ParameterValue"
_ENTRY = {KEY, VALUE, "UsePreviousValue", "ResolvedValue"}
_REFERENCE = re.compile(r"ssm:(/[A-Za-z0-9_./-]+(?::[1-9][0-9]*)?)")


class Form(StrEnum):
    """How a parameter file is written."""

    FLAT = "flat"
    CODEPIPELINE = "codepipeline"
    CLI = "cli"


@dataclass(frozen=True)
class ParameterFile:
    """What a parameter file says; only CodePipeline's form has tags and a stack policy."""

    values: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    stack_policy: Mapping[str, Any] | None = None


def parse(text: str, name: str) -> ParameterFile:
    """The parameter file called `name`, in whichever form; raises UsageError that says what is wrong with it."""
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise UsageError(f"the parameter file {name} is not valid JSON: {error}") from error
    match data:
        case list():
            return ParameterFile(_listed(data, name))
        case dict() if any(isinstance(data.get(key), dict) for key in (PARAMETERS, TAGS, STACK_POLICY)):
            return _configuration(data, name)
        case dict():
            return ParameterFile(_texts(data, name))
        case _:
            raise UsageError(f"the parameter file {name} is neither an object nor a list", hint=_HINT)


_HINT = (
    'The forms are {"Environment": "dev"}, {"Parameters": {"Environment": "dev"}} as CodePipeline has it, and '
    '[{"ParameterKey": "Environment", "ParameterValue": "dev"}] as the AWS CLI has it.'
)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different; JSON itself lets the last of two win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is given twice")
    return found


def _texts(data: Mapping[str, Any], name: str) -> dict[str, str]:
    nested = sorted(key for key, value in data.items() if isinstance(value, dict | list))
    if nested:
        raise UsageError(f"the parameter file {name} has more than a value in {', '.join(nested)}", hint=_HINT)
    return {key: text(value) for key, value in data.items()}


def text(value: object) -> str:
    """A JSON value as the text that CloudFormation takes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _configuration(data: Mapping[str, Any], name: str) -> ParameterFile:
    strange = [key for key in data if key not in {PARAMETERS, TAGS, STACK_POLICY}]
    wrong = [key for key in (PARAMETERS, TAGS, STACK_POLICY) if not isinstance(data.get(key, {}), dict)]
    if strange or wrong:
        told = [f"{key} does not belong beside {PARAMETERS}" for key in strange]
        told += [f"{key} is no object" for key in wrong]
        raise UsageError(f"the parameter file {name} is not as CodePipeline has it: {'; '.join(told)}", hint=_HINT)
    return ParameterFile(
        _texts(data.get(PARAMETERS, {}), name), _texts(data.get(TAGS, {}), name), data.get(STACK_POLICY)
    )


def _listed(data: Sequence[Any], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, entry in enumerate(data, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get(KEY), str) or entry.keys() - _ENTRY:
            raise UsageError(f"the parameter file {name} is not as the AWS CLI has it: entry {number}", hint=_HINT)
        key = entry[KEY]
        if entry.get("UsePreviousValue"):
            raise UsageError(
                f"the parameter file {name} takes the previous value of {key}, which nobody can check",
                hint="Write the value; `aws cloudformation describe-stacks` shows what it is now.",
            )
        if VALUE not in entry or key in found:
            raise UsageError(
                f"the parameter file {name} has {'two entries' if key in found else 'no ParameterValue'} for {key}"
            )
        found |= _texts({key: entry[VALUE]}, name)
    return found


def reference(value: str) -> str | None:
    """The SSM parameter that a value refers to (`/path`, `/path:3` for `ssm:/path:3`); None for a plain value."""
    match = _REFERENCE.fullmatch(value)
    return match[1] if match else None


def written(file: ParameterFile, form: Form) -> object:
    """The JSON value of a file in that form; tags and policy are left out where the form has no place for them."""
    match form:
        case Form.FLAT:
            return dict(file.values)
        case Form.CODEPIPELINE:
            document: dict[str, Any] = {PARAMETERS: dict(file.values)}
            if file.tags:
                document[TAGS] = dict(file.tags)
            if file.stack_policy is not None:
                document[STACK_POLICY] = file.stack_policy
            return document
        case Form.CLI:
            return [{KEY: key, VALUE: value} for key, value in file.values.items()]
        case _:
            assert_never(form)
