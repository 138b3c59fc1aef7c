"""Which releases may be forgotten: their aliases, versions and alarms; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.release import ReleaseState, release_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from manuel_release.model.release import Release
    from manuel_release.model.traffic import Alias, ApiStage

FIRST_VERSION = "1"
"""The stack declares it; AWS lets it be deleted, and the next stack update would fail."""

_HAS_TRAFFIC = frozenset({ReleaseState.CANARY, ReleaseState.ROLLING_OUT, ReleaseState.LIVE})
_BAD = frozenset({ReleaseState.FAILED, ReleaseState.ROLLED_BACK})


def prunable(history: Sequence[Release], stage: ApiStage | None, live: Iterable[Alias], keep: int) -> tuple[str, ...]:
    """Names of the releases that may be deleted, oldest first; none while the stage is not known.

    Kept are the newest `keep` releases, the newest `keep` that a rollback may go back to (they held 100 % and were not
    bad), whatever the stage names, `live` is on or the ledger says has traffic, and the target of a rollback that has
    not ended.

    Args:
        history: releases of one API stage, newest first; those that the ledger does not know are not touched.
        stage: as it is now.
        live: the alias `live` of every function.
        keep: how many, at least one.
    """
    if stage is None:
        return ()
    kept = _named(stage) | _under(live, history)
    kept |= {one.name for one in history[:keep]}
    kept |= {one.name for one in [one for one in history if one.held_all and one.state not in _BAD][:keep]}
    kept |= {one.name for one in history if one.state in _HAS_TRAFFIC}
    kept |= {back.to for one in history for back in one.returns if not back.done}
    old = [one for one in history if one.pruned_at is None and one.name not in kept and release_number(one.name)]
    return tuple(one.name for one in reversed(old))


def _named(stage: ApiStage) -> set[str]:
    """What the stage's variables and its canary name."""
    canary = {stage.canary.release or ""} if stage.canary is not None else set()
    return {*stage.variables.values(), *canary}


def _under(live: Iterable[Alias], history: Sequence[Release]) -> set[str]:
    """Releases that have a version of which `live` gives some function's requests."""
    serving = {(alias.function, version) for alias in live for version in (alias.version, *alias.weights)}
    return {one.name for one in history if serving & set(one.versions.items())}


def left_over(history: Sequence[Release], aliases: Iterable[Alias]) -> tuple[str, ...]:
    """Names of the releases that are pruned by the ledger and that some function still has the alias of, oldest first.

    Args:
        history: releases of one API stage, newest first.
        aliases: of every function.
    """
    there = {alias.name for alias in aliases}
    return tuple(one.name for one in reversed(history) if one.pruned_at is not None and one.name in there)


def still_prunable(release: str, stage: ApiStage | None) -> bool:
    """Whether the stage, read again, still does not name the release: a rollback takes no notice of a lease."""
    return stage is not None and release not in _named(stage)


def unnamed(versions: Sequence[str], aliases: Iterable[Alias]) -> tuple[str, ...]:
    """A function's versions that no alias names, oldest first; never the first one, nor the newest.

    The newest may have been published by somebody whose alias is not there yet.
    """
    named = {version for alias in aliases for version in (alias.version, *alias.weights)}
    newest = max(versions, key=int, default="")
    return tuple(sorted((v for v in versions if v not in {*named, FIRST_VERSION, newest}), key=int))
