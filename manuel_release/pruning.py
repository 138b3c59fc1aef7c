"""Forgetting old releases at the end of a deploy; that never makes the deploy fail."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from manuel_release.apply.prune import delete_release, delete_versions
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.progress import StepResult
from manuel_release.observe.service import observe_live, observe_stage
from manuel_release.plan.prune import prunable, still_prunable, unnamed
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from manuel_release.apply.context import Context
    from manuel_release.observe.service import Service
    from manuel_release.perform import Recorder

TITLE = "Delete what old releases left"
NO_TIME = 0.0
"""A pause of no length: it keeps the lease, or ends the pruning when somebody took that."""


def prune_after_deploy(record: Recorder, context: Context, service: Service) -> tuple[StepResult, ...]:
    """Keep the releases that the settings say (`retained_releases`) and delete the others; what was done.

    Nothing is said where nothing is to be deleted. A failure is told as a step that was skipped, and what had been
    deleted by then is written down: the next deploy tries the rest again.
    """
    began = time.monotonic()
    gone: list[str] = []
    try:
        history = releases(record.app.ledger.entries(record.environment, record.api_stage))
        keep = context.settings.retained_releases
        if len(history) <= keep:
            return ()
        stage, live = observe_stage(context.aws, service), observe_live(context.aws, service)
        old = prunable(history, stage, live.values(), keep)
        if not old:
            return ()
        context.progress.start(TITLE)
        for release in prune_releases(context, service, old):
            gone.append(release)  # noqa: PERF402 - what was deleted stays known when the next one fails
        _write_down(record, gone)
        result = StepResult(TITLE, "done", time.monotonic() - began, ", ".join(gone) or "the stage names them by now")
    except ReleaseError as error:
        with suppress(ReleaseError):
            _write_down(record, gone)
        why = f"not all of it, and the next deploy tries again: {error.message}"
        result = StepResult(TITLE, "skipped", time.monotonic() - began, why)
    context.progress.end(result)
    return (result,)


def _write_down(record: Recorder, gone: Sequence[str]) -> None:
    if gone:
        record(EntryKind.RELEASES_PRUNED, releases=list(gone))


def prune_releases(context: Context, service: Service, old: Sequence[str]) -> Iterator[str]:
    """Delete releases, alarms first, then aliases, and yield each; at the end the versions that no alias names.

    The stage is read again before each of them, and one that it names by then is left: a rollback does not wait for a
    lease. Raises ReleaseError.
    """
    functions = context.aws.functions
    for release in old:
        context.sleep(NO_TIME)
        if still_prunable(release, observe_stage(context.aws, service)):
            delete_release(context, service, release)
            yield release
    for name in service.functions:
        delete_versions(context, name, unnamed(functions.versions(name), functions.aliases(name)))
