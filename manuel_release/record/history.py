"""Releases as the ledger's entries tell them; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.release import Release, ReleaseState, release_number

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str, str]


def releases(entries: Iterable[Entry]) -> tuple[Release, ...]:
    """Fold entries (oldest first, of any environments and API stages) into releases, newest first.

    A deploy that was started and never ended is DEPLOYING: it runs, or its process died. In one API stage at most one
    release is LIVE. Where the beginning of the history is missing, a release begins with its first entry.
    """
    known: dict[Key, Release] = {}
    for entry in entries:
        key = (entry.environment, entry.api_stage, entry.release)
        before = known.get(key) or Release(
            name=entry.release,
            environment=entry.environment,
            api_stage=entry.api_stage,
            state=ReleaseState.DEPLOYING,
            started_at=entry.at,
            by=entry.by,
        )
        known[key] = _after(before, entry)
        if entry.kind is EntryKind.RELEASE_LIVE:
            _replace_others(known, key)
        elif entry.kind is EntryKind.TRAFFIC_RETURNED:
            _give_back(known, (entry.environment, entry.api_stage, str(entry.details.get("to") or "")))
    return tuple(sorted(known.values(), key=_age, reverse=True))


def _after(release: Release, entry: Entry) -> Release:
    """The release after one more entry about it."""
    details = entry.details
    told = replace(
        release,
        digest=str(details.get("digest", release.digest)),
        code_digest=str(details.get("code_digest", release.code_digest)),
        commit=str(details.get("commit", release.commit)),
        versions=dict(details.get("versions", release.versions)),
        failure=str(details.get("message", "")),
    )
    match entry.kind:
        case EntryKind.DEPLOY_STARTED:
            return replace(told, state=ReleaseState.DEPLOYING, by=entry.by, reason=entry.reason)
        case EntryKind.RELEASE_STAGED:
            return replace(told, state=ReleaseState.STAGED)
        case EntryKind.RELEASE_LIVE:
            return replace(told, state=ReleaseState.LIVE, live_at=entry.at)
        case EntryKind.DEPLOY_FAILED:
            return replace(told, state=ReleaseState.FAILED)
        case EntryKind.TRAFFIC_RETURNED:
            return replace(told, state=ReleaseState.FAILED, rolled_back_at=entry.at)
        case _:
            assert_never(entry.kind)


def _replace_others(known: dict[Key, Release], live: Key) -> None:
    for key, release in known.items():
        if key[:2] == live[:2] and key != live and release.state is ReleaseState.LIVE:
            known[key] = replace(release, state=ReleaseState.REPLACED)


def _give_back(known: dict[Key, Release], to: Key) -> None:
    if to in known:
        _replace_others(known, to)
        known[to] = replace(known[to], state=ReleaseState.LIVE)


def _age(release: Release) -> tuple[object, ...]:
    return (release.started_at, release_number(release.name) or 0, release.environment, release.api_stage)
