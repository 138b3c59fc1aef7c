"""Deleting what an old release left; each step may be done again, also when it stopped half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.release_alarms import delete_release_alarms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.apply.context import Context
    from manuel_release.observe.service import Service


def delete_release(context: Context, service: Service, release: str) -> None:
    """Delete a release's alarms, then its aliases; raises ReleaseError."""
    delete_release_alarms(context, service, release)
    for name in service.functions:
        context.aws.functions.delete_alias(name, release)
    context.progress.note(f"{release}: its alarms and aliases are deleted")


def delete_versions(context: Context, function: str, versions: Iterable[str]) -> None:
    """Delete published versions of a function; raises ReleaseError, also for one that an alias names."""
    for version in versions:
        context.aws.functions.delete_version(function, version)
