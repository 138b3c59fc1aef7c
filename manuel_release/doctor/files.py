"""The repository's template and the environment's parameter file, and what that file leaves to SSM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.artifact import parameters, references, sam, template
from manuel_release.artifact.parameter_forms import reference
from manuel_release.doctor.machine import root
from manuel_release.doctor.results import counted, error, ok, skipped
from manuel_release.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.model.check import Check
    from manuel_release.model.environment import Environment

TITLE = "Parameters"
SSM_TITLE = "Values in SSM"


def template_file(app: App) -> Iterator[Check]:
    """The template can be read."""
    folder = root(app)
    if not (folder / sam.TEMPLATE).is_file():
        yield skipped("Template", f"not read: {folder} is no clone of the service, it has no {sam.TEMPLATE}")
        return
    try:
        known = template.load(folder / sam.TEMPLATE)
    except SettingsError as problem:
        yield error("Template", problem.message, problem.hint)
        return
    counts = (
        f"{counted(len(known['Resources']), 'resource')}, {counted(len(known.get('Parameters') or {}), 'parameter')}"
    )
    yield ok("Template", f"{sam.TEMPLATE}: {counts}")


def _read(app: App, environment: Environment) -> tuple[Mapping[str, Any], Mapping[str, str], Path] | None:
    """Template, values and parameter file; None without a template, which its own check tells."""
    try:
        known = template.load(app.root / sam.TEMPLATE)
    except SettingsError:
        return None
    path = app.root / environment.parameters_file
    return known, parameters.load(path), path


def _wrong(known: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    return [*references.complaints(values), *parameters.complaints(known, values)]


def parameter_file(app: App, environment: Environment) -> Iterator[Check]:
    """The environment's parameter file fits the template, and is of this environment."""
    read = _read(app, environment)
    if read is None:
        return
    known, values, path = read
    wrong = _wrong(known, values)
    if values.get("Environment", environment.short) != environment.short:
        wrong.append(f"Environment is {values['Environment']!r}, and this file is for {environment.short!r}.")
    if wrong:
        yield error(TITLE, "\n".join([f"{path.name} does not fit the template:", *wrong]), "Correct the file.")
    else:
        yield ok(TITLE, f"{path.name} fits the template")


def values_in_ssm(app: App, environment: Environment) -> Iterator[Check]:
    """What the parameter file leaves to SSM is there, and fits too; nothing where it leaves nothing to it."""
    try:
        read = _read(app, environment)
    except UsageError:
        return
    if read is None or _wrong(*read[:2]):
        return  # the check of the file says why
    known, values, path = read
    mine = {name: value for name, value in values.items() if reference(value) is not None}
    if not mine:
        return
    pinned = references.pinned(known, values, app.aws.parameters.read, path.name)
    yield ok(SSM_TITLE, ", ".join(f"{name} is {pinned[name]}" for name in mine))
