"""`rollback`: away from a release in one call, and then everything else.

One implementation for people, the pipeline and the guard. Before the traffic is back it reads once, the API's stage or
(`--to`) the ledger, and changes once; `rollback_finish` does the rest, and may be run again by anybody.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from manuel_release.apply.restore import restore_traffic
from manuel_release.aws.errors import code_of
from manuel_release.errors import AccessError, Refused, ReleaseError, UsageError
from manuel_release.model.plan import NothingToDo, Refusal
from manuel_release.model.release import release_number
from manuel_release.model.rollback import Receipt, Restored, RollbackRequest, Target
from manuel_release.observe import location as locations
from manuel_release.observe.probe import Probe
from manuel_release.observe.rollback import Missing, observe_past, observe_stage
from manuel_release.plan import rollback as planning

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.app import App
    from manuel_release.model.environment import Environment
    from manuel_release.model.location import Location
    from manuel_release.model.progress import Progress
    from manuel_release.model.rollback import Past
    from manuel_release.model.traffic import ApiStage
    from manuel_release.restore_stack import Agree

STAGE, LEDGER, COMMAND = "the API's stage", "the ledger", "the command line"


@dataclass(frozen=True)
class Job:
    """Who does what where: `agree` is asked about the stack of `--infrastructure`."""

    app: App
    environment: Environment
    request: RollbackRequest
    progress: Progress
    agree: Agree


@dataclass(frozen=True)
class _Way:
    """Where the traffic goes, what that was read from, and the stage where it was read."""

    location: Location
    target: Target
    read: str
    before: ApiStage | None = None
    note: str = ""


def roll_back(
    app: App,
    request: RollbackRequest,
    progress: Progress,
    show: Callable[[Restored], None],
    agree: Agree,
) -> Receipt:
    """Take traffic back; `show` is called the moment it is back, `agree` asks about the stack of `--infrastructure`.

    The receipt's `left` says what needs a person.

    Raises:
        Refused: no release to go back to is known, or the named one is not to be gone to.
        AccessError, SettingsError, ReleaseError: the traffic call was not possible; nothing was changed.
    """
    app.hurried = True
    began = time.monotonic() if request.began is None else request.began
    if request.to is not None and release_number(request.to) is None:
        raise UsageError(f"{request.to!r} is not a release", hint="`manuel-release history` lists them, such as r-12.")
    environment = app.environment
    calls = app.calls if "aws" in vars(app) else 0  # asking would read the settings, which counts
    location = locations.find(app.aws, environment, app.memory)
    probe = _probe(app, location, request, began)
    try:
        way = _decide(app, environment, location, request)
        if isinstance(way, NothingToDo):
            resumed = None if request.dry_run else _resumed(app, environment, location, progress, agree)
            idle = resumed or _idle(environment, location, way, request.only)
            return _foretold(app, environment, location, idle) if request.dry_run else idle
        if request.dry_run:
            return _planned(environment, way)
        restored = _restore(app, environment, way, began, calls)
        if probe is not None:
            probe.restored(restored.target.bad)
        show(restored)
        return _finish(Job(app, environment, request, progress, agree), restored, probe)
    except KeyboardInterrupt as stopped:
        stopped.add_note("A rollback that was begun is finished by typing `manuel-release rollback` again.")
        raise
    finally:
        if probe is not None:
            probe.stop()


def resume(app: App, environment: Environment | str, progress: Progress) -> Receipt | None:
    """Finish a rollback that was begun: by its entry in the ledger, or because the stage is still pinned.

    None when none is unfinished. It moves no traffic but that of a stage that is pinned already.
    """
    if isinstance(environment, str):
        environment = app.settings.environment(environment)
    location = locations.find(app.aws, environment, app.memory, anew=True)
    return _resumed(app, environment, location, progress, lambda _release, _changes: False)


def _probe(app: App, location: Location, request: RollbackRequest, began: float) -> Probe | None:
    if not request.probe or request.dry_run:
        return None
    url = app.settings.public_url(location.rest_api_id, location.api_stage, app.aws.session.region) + "/health"
    probe = Probe(url, per_second=app.settings.probe_per_second, seconds=app.settings.probe_seconds, began=began)
    probe.start()
    return probe


def _decide(app: App, environment: Environment, location: Location, request: RollbackRequest) -> _Way | NothingToDo:
    """Where to go; raises Refused when nothing says where, AccessError when nothing may be asked."""
    if request.to is not None:
        return _named(app, environment, location, request.to, request.insist)
    try:
        stage, location = _look(app, environment, location)
    except Missing:
        raise
    except ReleaseError as error:
        return _blind(app, environment, location, request.only, error)
    if request.only is not None:
        target = planning.away_from(request.only, stage, environment.name)
    else:
        target = planning.from_stage(stage, environment.name, app.now())
    if isinstance(target, NothingToDo):
        return target
    return _Way(location, _admitted(target), STAGE, stage)


def _look(app: App, environment: Environment, location: Location) -> tuple[ApiStage, Location]:
    """The stage, and where it is; what this machine remembers is looked up again when it is not there."""
    try:
        return observe_stage(app.aws, location), location
    except Missing:
        if not location.remembered:
            raise
        found = locations.find(app.aws, environment, app.memory, anew=True)
        return observe_stage(app.aws, found), found


def _named(app: App, environment: Environment, location: Location, to: str, insist: bool) -> _Way:
    past: Past | None = None
    note = ""
    try:
        past = observe_past(lambda: app.ledger, environment)
    except ReleaseError as error:
        note = f"the ledger was not asked about {to}: {error.message}"
    target = planning.named(to, past.releases if past is not None else None, environment.name, insist)
    return _Way(location, _admitted(target), LEDGER if past is not None else COMMAND, note=note)


def _blind(
    app: App, environment: Environment, location: Location, only: str | None, error: ReleaseError
) -> _Way | NothingToDo:
    """By the ledger, because the stage could not be read; raises that error when the ledger says nothing either."""
    try:
        target = planning.from_past(observe_past(lambda: app.ledger, environment), environment.name)
    except ReleaseError as also:
        name = f"Name the release: `manuel-release rollback --env {environment.name} --to RELEASE`."
        kind = AccessError if isinstance(error, AccessError) else Refused
        raise kind(
            f"nothing was changed, no release to go back to is known: {error.message}; the ledger: {also.message}",
            hint=f"{name} {error.hint}".strip(),
        ) from error
    found = _admitted(target)
    if only is not None and found.bad != only:
        return NothingToDo(found.to, f"by the ledger {only} has no traffic that could be taken away")
    return _Way(location, found, LEDGER, note=f"the stage was not read: {error.message}")


def _admitted(target: Target | Refusal) -> Target:
    if isinstance(target, Refusal):
        raise Refused(target.reason, hint=target.hint)
    return target


def _restore(app: App, environment: Environment, way: _Way, began: float, calls: int) -> Restored:
    location, target = way.location, way.target
    try:
        stage = restore_traffic(app.aws, location, target.to, way.before)
    except ReleaseError as error:
        if not location.remembered or code_of(error) != "NotFoundException":
            raise
        location = locations.find(app.aws, environment, app.memory, anew=True)
        stage = restore_traffic(app.aws, location, target.to, way.before)
    seconds, made = time.monotonic() - began, app.calls - calls
    if target.bad is None:
        target = replace(target, bad=planning.taken_from(stage, target.to))
    return Restored(target, location, stage, app.now(), seconds, made, way.read, way.note)


def _resumed(
    app: App, environment: Environment, location: Location, progress: Progress, agree: Agree
) -> Receipt | None:
    """Finish what was begun; None when nothing was."""
    stage, location = _look(app, environment, location)
    target = _unfinished(app, environment, stage)
    if target is None:
        return None
    canary = stage.canary
    if stage.pinned is not None and canary is not None and (canary.percent, canary.release) != (0.0, target.to):
        stage = restore_traffic(app.aws, location, target.to, stage)
    restored = Restored(target, location, stage, app.now(), 0.0, 0, STAGE)
    request = RollbackRequest(probe=False, trigger="", reason="")
    return _finish(Job(app, environment, request, progress, agree), restored, None, resumed=True)


def _finish(job: Job, restored: Restored, probe: Probe | None, *, resumed: bool = False) -> Receipt:
    from manuel_release.rollback_finish import finish  # noqa: PLC0415 - loaded when the traffic is back

    return finish(job, restored, probe, resumed=resumed)


def _unfinished(app: App, environment: Environment, stage: ApiStage) -> Target | None:
    if stage.pinned is not None:
        target = planning.from_stage(stage, environment.name, app.now())
        return target if isinstance(target, Target) else None
    try:
        begun = observe_past(lambda: app.ledger, environment).unfinished
    except ReleaseError:
        return None
    if begun is None or begun[1].to != stage.current:
        return None
    return Target(begun[0].name, begun[1].to, f"a rollback to {begun[1].to} was begun before and is not finished")


def _idle(environment: Environment, location: Location, way: NothingToDo, only: str | None) -> Receipt:
    return Receipt(
        environment=environment.name,
        api_stage=location.api_stage,
        from_release=None,
        to_release=way.release,
        why="the same was done a moment ago" if only is None else f"{only} has no traffic any more",
        traffic_restored=True,
        message=way.reason,
    )


def _foretold(app: App, environment: Environment, location: Location, idle: Receipt) -> Receipt:
    """A dry run where no traffic moves, with what would be finished."""
    begun = _unfinished(app, environment, _look(app, environment, location)[0])
    first = f"the unfinished rollback to {begun.to} would be finished first; " if begun is not None else ""
    return replace(idle, message=f"dry run: {first}{idle.message}; nothing was changed")


def _planned(environment: Environment, way: _Way) -> Receipt:
    target, stage = way.target, way.before
    held_all = stage is None or stage.current == target.bad
    canary = " and the canary's share to 0 %" if stage is None or stage.canary is not None else ""
    return Receipt(
        environment=environment.name,
        api_stage=way.location.api_stage,
        from_release=target.bad,
        to_release=target.to,
        why=target.why,
        traffic_restored=False,
        undo_command=planning.undo(environment.name, target, held_all, ""),
        message=f"dry run: one UpdateStage would set release={target.to}{canary}; nothing was changed",
    )
