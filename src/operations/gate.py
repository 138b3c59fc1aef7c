"""Which release people were asked about: CodePipeline's events name the execution and its gate, and no release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.approval import GATES
from manuel_release.model.canary_run import newest_run
from manuel_release.model.entry import EntryKind
from manuel_release.observe.exposure import MOST_ENTRIES
from manuel_release.plan.approval import REQUESTED
from operations.log import say

if TYPE_CHECKING:
    from manuel_release.model.entry import Entry
    from manuel_release.observe.exposure import Scene
    from manuel_release.record.ledger import Ledger

_OF_A_CANARY = frozenset(GATES) - {"production"}


def asked_about(ledger: Ledger | None, scene: Scene, execution: str) -> str | None:
    """The release whose canary ran when an execution's gate was opened; None where the ledger does not tell.

    A gate that was left waiting when its canary was taken back may be refused hours later, when the next one runs.
    """
    if ledger is None or not execution:
        return None
    try:
        told = ledger.entries(scene.environment.name, "", MOST_ENTRIES)  # approvals belong to no stage of the API
    except ReleaseError as error:
        say(problem=error.message)
        return None
    asked = [one.at for one in told if _asks(one, execution)]
    run = newest_run(one for one in scene.entries if one.at <= asked[-1]) if asked else None
    return run.release if run is not None else None


def _asks(entry: Entry, execution: str) -> bool:
    said = entry.details
    of_it = entry.kind is EntryKind.APPROVAL and said.get("execution_id") == execution
    return of_it and said.get("decision") == REQUESTED and said.get("gate") in _OF_A_CANARY
