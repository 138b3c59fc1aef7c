"""What runs in an environment now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.canary_run import newest_run
from manuel_release.model.release import LIVE, Release, ReleaseState
from manuel_release.model.status import Difference, EnvironmentStatus
from manuel_release.model.traffic_drift import traffic_drift
from manuel_release.observe import service as parts
from manuel_release.observe.actual import observe_actual_percent
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from manuel_release.aws import Aws
    from manuel_release.model.environment import Environment
    from manuel_release.model.traffic import Alias, ApiStage
    from manuel_release.record.ledger import Ledger


def observe_status(aws: Aws, ledger: Ledger | None, environment: Environment, now: datetime) -> EnvironmentStatus:
    """One environment's status; without a ledger what AWS itself shows, and a note that says so.

    Raises ReleaseError when AWS cannot be asked.
    """
    note = "" if ledger is not None else "the ledger cannot be read: releases and leases are not known"
    stack = aws.stacks.describe(environment.stack)
    service = parts.observe_service(aws, environment.stack) if stack is not None else None
    entries = ledger.entries(environment.name, None) if ledger is not None else ()
    freeze = ledger.frozen(environment.name) if ledger is not None else None
    if service is None:
        api_stage = entries[-1].api_stage if entries else ""
        history = releases(entries)
        return EnvironmentStatus(
            name=environment.name,
            api_stage=api_stage,
            stack=environment.stack,
            found=stack,
            lease=ledger.lease(environment.name, api_stage) if ledger is not None and api_stage else None,
            freeze=freeze,
            unfinished=_unfinished(history),
            note=note,
        )
    history = releases(entry for entry in entries if entry.api_stage == service.api_stage)
    stage, live = parts.observe_stage(aws, service), parts.observe_live(aws, service)
    live_name = live_release(history, stage)
    lease = ledger.lease(environment.name, service.api_stage) if ledger is not None else None
    run = newest_run(entry for entry in entries if entry.api_stage == service.api_stage)
    settled = ledger is not None and lease is None and stage is not None
    return EnvironmentStatus(
        name=environment.name,
        api_stage=service.api_stage,
        stack=environment.stack,
        found=service.stack,
        live_release=live_name,
        pinned_release=stage.pinned if stage is not None else None,
        canary=stage.canary if stage is not None else None,
        alarms=aws.alarms.by_prefix(f"{environment.stack}-"),
        lease=lease,
        freeze=freeze,
        unfinished=_unfinished(history),
        actual_percent=observe_actual_percent(aws, service, stage, now) if stage is not None else None,
        traffic_drift=traffic_drift(stage, run) if stage is not None and settled else "",
        interrupted=run.release if settled and run is not None and run.rolling_out else None,
        waiting=waiting(history),
        serving_differs=differences(history, live, live_name),
        note=note,
    )


def live_release(history: tuple[Release, ...], stage: ApiStage | None) -> str | None:
    """The release that holds 100 %: the ledger's word, else what the stage remembers."""
    known = next((r.name for r in history if r.state is ReleaseState.LIVE), None)
    return known or (stage.current if stage is not None else None)


def waiting(history: tuple[Release, ...]) -> Release | None:
    """The newest release, when it is held at 0 %."""
    newest = history[0] if history else None
    return newest if newest is not None and newest.state is ReleaseState.STAGED else None


def differences(
    history: tuple[Release, ...], live: Mapping[str, Alias], live_name: str | None
) -> tuple[Difference, ...]:
    """The functions whose `live` is on another version than the live release's."""
    versions = next((r.versions for r in history if r.name == live_name), {})
    return tuple(
        Difference(function, LIVE, alias.version, versions[function])
        for function, alias in sorted(live.items())
        if function in versions and alias.version != versions[function]
    )


def _unfinished(history: tuple[Release, ...]) -> tuple[Release, ...]:
    """The newest release when it never ended; an older one was gone past."""
    return tuple(r for r in history[:1] if r.state is ReleaseState.DEPLOYING)
