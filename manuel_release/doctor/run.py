"""All checks, in the order in which they are read; what cannot be looked at is said once, with what is missing."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from manuel_release.doctor import account, aliases, drift, files, machine, reach, stack
from manuel_release.doctor.results import attempted, counted, skipped
from manuel_release.doctor.subject import Subject
from manuel_release.errors import SettingsError
from manuel_release.model.check import Check, Level, Report
from manuel_release.model.progress import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from manuel_release.app import App
    from manuel_release.model.progress import Progress

    Group = Callable[[], Iterable[Check]]


def examine(app: App, progress: Progress) -> Report:
    """Look at everything, or at the one environment that --env names.

    Raises UsageError for an environment that does not exist; everything else is a result.
    """
    try:
        environments = app.environments
    except SettingsError:
        environments = ()  # the check of the settings says why
    found = [*_step(progress, "Look at this machine", partial(_machine, app))]
    settings_count = not any(check.title == "Settings" and check.level is Level.ERROR for check in found)
    asked = _step(progress, "Look at the account", partial(_account, app, settings_count))
    found += asked
    reached = settings_count and any(check.title == "Credentials" and check.level is Level.OK for check in asked)
    subjects = [Subject(app, one) for one in environments]
    began = app.now()
    detections = {one: _detection(one) for one in subjects} if reached else {}

    def left() -> float:
        limit = app.options.timeout or drift.DRIFT_SECONDS
        return max(0.0, limit - (app.now() - began).total_seconds())

    for subject in subjects:
        look = partial(_environment, subject, detections.get(subject), left, reached=reached)
        found += _step(progress, f"Look at {subject.environment.name}", look)
    return Report(tuple(found))


def _step(progress: Progress, title: str, group: Group) -> list[Check]:
    progress.start(title)
    began = time.monotonic()
    found = list(group())
    counts = [(sum(check.level is level for check in found), level) for level in (Level.ERROR, Level.WARNING)]
    told = ", ".join(counted(number, level) for number, level in counts if number)
    progress.end(StepResult(title, "done", time.monotonic() - began, told))
    return found


def _machine(app: App) -> Iterable[Check]:
    """What needs neither credentials nor a network."""
    checks: tuple[tuple[str, Callable[[App], Iterable[Check]]], ...] = (
        ("Settings", machine.settings),
        ("Python", machine.python),
        ("git", machine.git),
        ("SAM CLI", partial(machine.build_tool, name="sam", title="SAM CLI")),
        ("uv", partial(machine.build_tool, name="uv", title="uv")),
        ("Template", files.template_file),
    )
    for title, check in checks:
        yield from attempted(title, partial(check, app))


def _account(app: App, settings_count: bool) -> Iterable[Check]:
    if not settings_count:
        yield skipped("AWS", "not asked: the settings, which name what to look for, are wrong")
        return
    signed_in = attempted("Credentials", partial(account.credentials, app))
    yield from signed_in
    yield from attempted("Region", partial(account.region, app))
    if signed_in[0].level is Level.OK:
        yield from attempted("Bootstrap", partial(account.bootstrap, app))
    else:
        yield skipped("Bootstrap", "ledger, artifact bucket and settings in SSM are not looked at: AWS cannot be asked")
    yield from attempted("Clock", partial(account.clock, app))


def _detection(subject: Subject) -> str | Exception | None:
    """The id of a drift detection that has begun, or why it has not."""
    try:
        return drift.begin(subject)
    except Exception as problem:
        return problem


def _drift(subject: Subject, detection: str | Exception | None, left: Callable[[], float]) -> Iterable[Check]:
    if isinstance(detection, Exception):
        raise detection
    return drift.drift(subject, detection, left())


def _environment(
    subject: Subject, detection: str | Exception | None, left: Callable[[], float], *, reached: bool
) -> Iterable[Check]:
    app, environment = subject.app, subject.environment
    on_disk = partial(files.parameter_file, app, environment)
    if not reached:
        yield from attempted(files.TITLE, on_disk, environment.name)
        told = "stack, values in SSM, aliases, drift and public URL are not looked at: AWS cannot be asked"
        yield from attempted("AWS", lambda: [skipped("AWS", told)], environment.name)
        return
    checks: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
        (stack.TITLE, partial(stack.stack_state, subject)),
        (files.TITLE, on_disk),
        (files.SSM_TITLE, partial(files.values_in_ssm, app, environment)),
        (aliases.TITLE, partial(aliases.aliases, subject)),
        (reach.TITLE, partial(reach.public_url, subject)),
        (drift.TITLE, partial(_drift, subject, detection, left)),
    )
    for title, check in checks:
        yield from attempted(title, check, environment.name)
