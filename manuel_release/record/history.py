"""Releases as the ledger's entries tell them; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.release import CanaryStep, Release, ReleaseState, Return, release_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Key = tuple[str, str, str]

STATE_AFTER: Mapping[EntryKind, ReleaseState | None] = {
    EntryKind.DEPLOY_STARTED: ReleaseState.DEPLOYING,
    EntryKind.RELEASE_STAGED: ReleaseState.STAGED,
    EntryKind.RELEASE_LIVE: ReleaseState.LIVE,
    EntryKind.DEPLOY_FAILED: ReleaseState.FAILED,
    EntryKind.TRAFFIC_RETURNED: ReleaseState.FAILED,
    EntryKind.CANARY_STARTED: ReleaseState.CANARY,
    EntryKind.CANARY_PROMOTED: ReleaseState.CANARY,
    EntryKind.CANARY_EXTENDED: ReleaseState.CANARY,
    EntryKind.CANARY_ENDED: ReleaseState.STAGED,
    EntryKind.ROLLOUT_STARTED: ReleaseState.ROLLING_OUT,
    EntryKind.ROLLBACK_STARTED: ReleaseState.ROLLED_BACK,
    EntryKind.ROLLED_BACK: ReleaseState.ROLLED_BACK,
    EntryKind.ROLLBACK_UNFINISHED: ReleaseState.ROLLED_BACK,
    EntryKind.INVESTIGATE: None,
    EntryKind.RELEASES_PRUNED: None,
    EntryKind.QUARANTINED: None,
    EntryKind.QUARANTINE_LIFTED: None,
    EntryKind.FROZEN: None,
    EntryKind.UNFROZEN: None,
    EntryKind.LEASE_TAKEN: None,
    EntryKind.APPROVAL: None,
}
"""What an entry makes of the release that it is about; None: it happens beside the releases' lives."""

_TAKES_BACK = frozenset(
    {
        EntryKind.TRAFFIC_RETURNED,
        EntryKind.ROLLBACK_STARTED,
        EntryKind.ROLLED_BACK,
        EntryKind.ROLLBACK_UNFINISHED,
    }
)

_SHARES = (ReleaseState.CANARY, ReleaseState.ROLLING_OUT)


def releases(entries: Iterable[Entry]) -> tuple[Release, ...]:
    """Fold entries (oldest first, of any environments and API stages) into releases, newest first.

    A deploy that was started and never ended is DEPLOYING: it runs, or its process died. In one API stage at most one
    release is LIVE. Where the beginning of the history is missing, a release begins with its first entry.
    """
    known: dict[Key, Release] = {}
    for entry in entries:
        state = STATE_AFTER[entry.kind]
        key = (entry.environment, entry.api_stage, entry.release)
        if state is None:
            _prune(known, entry)
            continue
        if entry.release:
            before = known.get(key) or Release(
                name=entry.release,
                environment=entry.environment,
                api_stage=entry.api_stage,
                state=state,
                started_at=entry.at,
                by=entry.by,
            )
            known[key] = _after(before, state, entry)
        if key in known and state in {*_SHARES, ReleaseState.LIVE}:
            _replace_others(known, key)
        elif entry.kind in _TAKES_BACK:
            _give_back(known, (entry.environment, entry.api_stage, str(entry.details.get("to") or "")), entry)
    return tuple(sorted(known.values(), key=_age, reverse=True))


def _after(release: Release, state: ReleaseState, entry: Entry) -> Release:
    """The release after one more entry about it."""
    details = entry.details
    told = replace(
        release,
        state=state,
        digest=str(details.get("digest", release.digest)),
        code_digest=str(details.get("code_digest", release.code_digest)),
        commit=str(details.get("commit", release.commit)),
        versions=dict(details.get("versions") or release.versions),
        api_deployment_id=str(details.get("api_deployment_id") or release.api_deployment_id),
        override_shared=str(details.get("override_shared") or release.override_shared),
        failure=str(details.get("message", "")),
    )
    match entry.kind:
        case EntryKind.DEPLOY_STARTED:
            told = replace(told, by=entry.by, reason=entry.reason)
        case EntryKind.CANARY_STARTED | EntryKind.CANARY_PROMOTED:
            told = replace(told, steps=(*told.steps, _step(entry)))
        case EntryKind.ROLLOUT_STARTED if release.state is not ReleaseState.ROLLING_OUT:
            told = replace(told, steps=(*told.steps, _step(entry, 100.0)))
        case EntryKind.CANARY_EXTENDED:
            told = replace(told, state=release.state, steps=_extended(told.steps, entry))
        case EntryKind.RELEASE_LIVE:
            told = replace(told, live_at=told.live_at or entry.at)
        case EntryKind.TRAFFIC_RETURNED:
            told = replace(told, rolled_back_at=entry.at)
        case EntryKind.ROLLBACK_STARTED | EntryKind.ROLLED_BACK | EntryKind.ROLLBACK_UNFINISHED:
            told = _rolled_back(told, entry)
    return told


def _step(entry: Entry, percent: float = 0.0) -> CanaryStep:
    details = entry.details
    return CanaryStep(
        percent=float(details.get("percent") or percent),
        at=entry.at,
        by=entry.by,
        override=str(details.get("override") or ""),
    )


def _extended(steps: tuple[CanaryStep, ...], entry: Entry) -> tuple[CanaryStep, ...]:
    until = str(entry.details.get("until") or "")
    if not steps or not until:
        return steps
    return (*steps[:-1], replace(steps[-1], until=datetime.fromisoformat(until)))


def _rolled_back(release: Release, entry: Entry) -> Release:
    """After any entry of a rollback; those that follow its beginning complete what that said."""
    details = entry.details
    begun = release.returns[-1] if release.returns and not release.returns[-1].done else None
    before = begun or Return(at=entry.at, to="", by=entry.by, reason=entry.reason)
    told = replace(
        before,
        to=str(details.get("to") or before.to),
        trigger=str(details.get("trigger") or before.trigger),
        incident=str(details.get("incident") or before.incident),
        done=entry.kind is EntryKind.ROLLED_BACK,
    )
    left = "; ".join(map(str, details.get("left") or ()))
    return replace(
        release,
        rolled_back_at=told.at,
        failure=release.failure or (f"left to do: {left}" if left else ""),
        returns=(*(release.returns[:-1] if begun else release.returns), told),
    )


def _prune(known: dict[Key, Release], entry: Entry) -> None:
    if entry.kind is EntryKind.RELEASES_PRUNED:
        for name in entry.details.get("releases") or ():
            key = (entry.environment, entry.api_stage, str(name))
            if key in known:
                known[key] = replace(known[key], pruned_at=entry.at)


def _replace_others(known: dict[Key, Release], one: Key) -> None:
    """Only one release holds 100 %, and only one more a share of it."""
    took_all = known[one].state is ReleaseState.LIVE
    for key, release in known.items():
        if key[:2] != one[:2] or key == one:
            continue
        if release.state in _SHARES:
            known[key] = replace(release, state=ReleaseState.STAGED)
        elif took_all and release.state is ReleaseState.LIVE:
            known[key] = replace(release, state=ReleaseState.REPLACED)


def _give_back(known: dict[Key, Release], to: Key, entry: Entry) -> None:
    if to in known:
        known[to] = replace(known[to], state=ReleaseState.LIVE, live_at=known[to].live_at or entry.at)
        _replace_others(known, to)


def _age(release: Release) -> tuple[object, ...]:
    return (release.started_at, release_number(release.name) or 0, release.environment, release.api_stage)
