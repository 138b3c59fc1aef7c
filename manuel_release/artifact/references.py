"""Values that a parameter file leaves to SSM: `ssm:/path`, or `ssm:/path:3` for one version of it.

A deploy pins each to the version that it checked: `ssm:/path:3` goes into the plan and the digest, and the value itself
is read again only when the change set is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.artifact import parameters
from manuel_release.artifact.parameter_forms import reference
from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from manuel_release.model.parameter import StoredValue

    Read = Callable[[str], StoredValue | None]

PREFIX = "ssm:"
READ_HERE = ("Environment", "ApiVersionStage")
"""What the tool itself decides by: it must stand in the file."""


def complaints(values: Mapping[str, str]) -> list[str]:
    """What is wrong with the references themselves, a sentence each; SSM is not asked."""
    found = [
        f"{name} is {value!r}, which names no SSM parameter: write ssm:/path or ssm:/path:3."
        for name, value in values.items()
        if value.startswith(PREFIX) and reference(value) is None
    ]
    found += [
        f"{name} must stand in the file itself, it cannot come from SSM."
        for name in READ_HERE
        if reference(values.get(name, "")) is not None
    ]
    return found


def pinned(template: Mapping[str, Any], values: Mapping[str, str], read: Read, file: str) -> dict[str, str]:
    """The values with each reference pinned to its present version, all of them checked against the template.

    Raises UsageError with everything that is wrong with them, without the value of a secret.
    """
    answers, missing = _asked(values, read)
    declared: Mapping[str, Any] = template.get("Parameters") or {}
    visible = {
        name: f"{name} is a secret in SSM ({one.name} is a SecureString), and the template does not hide it: declare "
        "the parameter with `NoEcho: true`."
        for name, one in answers.items()
        if one.secret and not parameters.is_no_echo(declared.get(name, {}))
    }
    known = {name: one.value for name, one in answers.items() if name not in visible}
    wrong = [*complaints(values), *missing, *visible.values(), *parameters.complaints(template, {**values, **known})]
    parameters.refuse(wrong, file)
    return {**values, **{name: f"{PREFIX}{one.name}:{one.version}" for name, one in answers.items()}}


def revealed(values: Mapping[str, str], read: Read) -> dict[str, str]:
    """The values as CloudFormation needs them, secrets included: for the change set and nothing else.

    Raises UsageError when SSM does not have one of them.
    """
    return {**values, **{name: one.value for name, one in _found(values, read).items()}}


def shown(values: Mapping[str, str], read: Read) -> dict[str, str]:
    """The values with what SSM has in the place of each reference; raises UsageError when that is a secret."""
    answers = _found(values, read)
    secret = [name for name, one in answers.items() if one.secret]
    if secret:
        raise UsageError(
            f"{', '.join(secret)}: a secret in SSM is never shown, and this form would have to",
            hint="The flat form keeps the references: --form flat.",
        )
    return {**values, **{name: one.value for name, one in answers.items()}}


def _found(values: Mapping[str, str], read: Read) -> dict[str, StoredValue]:
    answers, missing = _asked(values, read)
    if missing:
        raise UsageError(" ".join(missing), hint="Check account and region, or write it with `aws ssm put-parameter`.")
    return answers


def _asked(values: Mapping[str, str], read: Read) -> tuple[dict[str, StoredValue], list[str]]:
    """What SSM has, by the names of our parameters, and a sentence for each reference that it does not have."""
    found: dict[str, StoredValue] = {}
    missing: list[str] = []
    for name, value in values.items():
        where = reference(value)
        answer = None if where is None else read(where)
        if answer is not None:
            found[name] = answer
        elif where is not None:
            missing.append(f"{name} comes from the SSM parameter {where}, which does not exist here.")
    return found, missing
