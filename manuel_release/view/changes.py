"""A change set in the words of its resources."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from manuel_release.model.stack import Action, Replacement
from manuel_release.view import symbols, words
from manuel_release.view.layout import table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from manuel_release.model.stack import Change, ChangeSet
    from manuel_release.view.layout import Part

REPLACEMENT = {
    Replacement.YES: "replaced: a new one is made and this one is deleted",
    Replacement.PERHAPS: "may be replaced: AWS decides while it runs",
}


def stack_sentence(change_set: ChangeSet) -> str:
    """What happens to the stack as a whole."""
    if change_set.creates_stack:
        return f"{change_set.stack} is created with {words.count(len(change_set.changes), 'resource')}"
    if not change_set.changes:
        return f"{change_set.stack} stays as it is"
    return f"{change_set.stack}: {words.count(len(change_set.changes), 'change')}"


def change_table(change_set: ChangeSet, *, ascii_only: bool, every: bool) -> RenderableType:
    """Each resource with what happens to it, deletions first; a new stack only by number and type unless `every`."""
    if change_set.creates_stack and not every:
        return _summary(change_set)
    rows = []
    for change in sorted(change_set.changes, key=lambda c: (_danger(c), c.action, c.logical_id)):
        mark = symbols.ACTION[change.action]
        rows.append(((mark.sign(ascii_only), mark.colour), _told(change), change.logical_id))
    return table(("", "CHANGE", "LOGICAL ID"), rows)


def _summary(change_set: ChangeSet) -> RenderableType:
    mark = symbols.ACTION[Action.ADD]
    kinds = sorted(Counter(change.type for change in change_set.changes).items())
    return table(("", "", "TYPE"), [((mark.symbol, mark.colour), str(number), kind) for kind, number in kinds])


def _danger(change: Change) -> int:
    """Place in the list: what deletes something comes first."""
    if change.action is Action.REMOVE or change.replacement is Replacement.YES:
        return 0
    return 1 if change.replacement is Replacement.PERHAPS else 2


def _told(change: Change) -> tuple[Part, ...]:
    parts: list[Part] = [(change.description or change.type, "")]
    if change.action is Action.REMOVE:
        parts.append(("deleted", "red"))
    if change.replacement in REPLACEMENT:
        parts.append((REPLACEMENT[change.replacement], "red"))
    if change.properties:
        parts.append((", ".join(change.properties), "bright_black"))
    return tuple(parts)
