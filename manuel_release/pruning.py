"""Forgetting old releases at the end of a deploy; that never makes the deploy fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.apply.prune import delete_release, delete_versions
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.progress import StepResult
from manuel_release.observe.service import observe_live, observe_stage
from manuel_release.plan.prune import left_over, prunable, still_prunable, unnamed
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from manuel_release.apply.context import Context
    from manuel_release.model.release import Release
    from manuel_release.observe.service import Service
    from manuel_release.perform import Recorder

TITLE = "Delete what old releases left"
NO_TIME = 0.0
"""A pause of no length: it keeps the lease, or ends the pruning when somebody took that."""


def prune_after_deploy(record: Recorder, context: Context, service: Service) -> tuple[StepResult, ...]:
    """Keep the releases that the settings say (`retained_releases`) and delete the others; what was done.

    Nothing is said where nothing is to be deleted. A failure is told as a step that was skipped; the next deploy tries
    the rest again.
    """
    began = time.monotonic()
    try:
        history = releases(record.app.ledger.entries(record.environment, record.api_stage))
        left, old = _left_over(context, service, history), _old(context, service, history)
        if not left and not old:
            return ()
        context.progress.start(TITLE)
        gone = tuple(prune_releases(record, context, service, left, old))
        result = StepResult(TITLE, "done", time.monotonic() - began, ", ".join(gone) or "the stage names them by now")
    except ReleaseError as error:
        why = f"not all of it, and the next deploy tries again: {error.message}"
        result = StepResult(TITLE, "skipped", time.monotonic() - began, why)
    context.progress.end(result)
    return (result,)


def _left_over(context: Context, service: Service, history: Sequence[Release]) -> tuple[str, ...]:
    """What an earlier pruning wrote down and did not delete, because it died or was refused."""
    if not any(one.pruned_at is not None for one in history):
        return ()
    return left_over(history, (alias for name in service.functions for alias in context.aws.functions.aliases(name)))


def _old(context: Context, service: Service, history: Sequence[Release]) -> tuple[str, ...]:
    keep = context.settings.retained_releases
    if len(history) <= keep:
        return ()
    stage, live = observe_stage(context.aws, service), observe_live(context.aws, service)
    return prunable(history, stage, live.values(), keep)


def prune_releases(
    record: Recorder, context: Context, service: Service, left: Sequence[str], old: Sequence[str]
) -> Iterator[str]:
    """Delete releases, alarms first, then aliases, and yield each; at the end the versions that no alias names.

    An old release is written down as pruned before anything of it is deleted: whoever reads the ledger then sends no
    traffic there, also when this ends half-way. The stage is read again before each of them, and one that it names by
    then is left: a rollback does not wait for a lease. Raises ReleaseError.
    """
    functions = context.aws.functions
    for release in (*left, *old):
        context.sleep(NO_TIME)
        if still_prunable(release, observe_stage(context.aws, service)):
            if release not in left:
                record(EntryKind.RELEASES_PRUNED, releases=[release])
            delete_release(context, service, release)
            yield release
    for name in service.functions:
        delete_versions(context, name, unnamed(functions.versions(name), functions.aliases(name)))
