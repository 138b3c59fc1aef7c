"""The judge, with everything that the ledger knows of a canary: for commands that look, and for those that decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from manuel_release.errors import AccessError, ReleaseError, SettingsError
from manuel_release.model.canary_run import CanaryRun, newest_run
from manuel_release.model.release import ReleaseState
from manuel_release.model.traffic_drift import traffic_drift
from manuel_release.observe.canary import CanaryObserver
from manuel_release.observe.judged import Judged, Past, past
from manuel_release.observe.subject import Subject, find_canary
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.app import App
    from manuel_release.model.canary_change import CanaryState
    from manuel_release.model.environment import Environment
    from manuel_release.model.progress import Progress
    from manuel_release.observe.service import Service


@dataclass(frozen=True)
class Observation:
    """A canary under observation: the observer, and whose it is; `run` is None where the ledger does not know it."""

    observer: CanaryObserver
    subject: Subject
    run: CanaryRun | None


def observation(app: App, environment: Environment, warn: Callable[[str], None]) -> Observation:
    """The environment's canary under observation, going on where others ended.

    `warn` is told what is missing when there is no ledger. Raises ReleaseError when there is no canary.
    """
    live, held_by, before, drift, run = None, "", Past(), "", None
    try:
        ledger = app.ledger
        entries = ledger.entries(environment.name, None)
    except AccessError:
        raise
    except ReleaseError as error:  # before the first bootstrap AWS can be asked all the same
        if not isinstance(error, SettingsError):
            warn(f"the ledger cannot be read, so the canary is judged from AWS's metrics alone: {error.message}")
        else:
            warn(f"{error.message}. {error.hint}".strip())
        return _made(app, find_canary(app.aws, environment), held_by, before, drift, run)
    history = releases(entries)
    live = next((one.name for one in history if one.state is ReleaseState.LIVE), None)
    subject = find_canary(app.aws, environment, live)
    api_stage = subject.stage.name
    lease = ledger.lease(environment.name, api_stage)
    run = newest_run(entry for entry in entries if entry.api_stage == api_stage)
    if lease is None:
        drift = traffic_drift(subject.stage, run)
    before = past(run, ledger.counts(environment.name, subject.release))
    return _made(app, subject, lease.holder if lease is not None else "", before, drift, run)


def _made(  # noqa: PLR0917 - what an observer needs
    app: App, subject: Subject, held_by: str, before: Past, drift: str, run: CanaryRun | None
) -> Observation:
    observer = CanaryObserver(app.aws, subject, app.settings, app.now(), held_by, before, drift)
    return Observation(observer, subject, run)


def judged_state(app: App, state: CanaryState, service: Service, progress: Progress) -> CanaryState:
    """The state with what the judge says of the canary over all that was counted since it started.

    What it judges newly is kept in the ledger. Without a canary, or without counts, nothing is said.
    """
    stage, stable = state.stage, state.stable
    if stage is None or stage.canary is None or not stage.canary.percent or not stage.canary.release or not stable:
        return state
    before = past(state.run, app.ledger.counts(state.environment.name, stage.canary.release))
    try:
        subject = Subject(state.environment, service, stage, stable)
        observer = CanaryObserver(app.aws, subject, app.settings, app.now(), past=before)
        status = observer.look(app.now())
    except AccessError:
        raise
    except ReleaseError as error:
        progress.note(f"the canary cannot be judged: {error.message}")
        return state
    keep(app, state.environment.name, stage.canary.release, observer.fresh())
    return replace(state, status=status)


def keep(app: App, environment: str, release: str, judged: tuple[Judged, ...]) -> None:
    """Write judged intervals into the ledger; whoever was first counts. Raises ReleaseError."""
    for one in judged:
        app.ledger.put_counts(environment, release, one.t, one.payload)
