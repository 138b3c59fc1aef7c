"""A change set in the words of its resources: what a canary covers, and what changes for everybody at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from manuel_release.model.preview import Area, Effect
from manuel_release.model.stack import Action
from manuel_release.view import symbols, words
from manuel_release.view.layout import indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from manuel_release.model.plan import DeployPlan
    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.stack import PropertyChange
    from manuel_release.view.layout import Part

HEADINGS = {
    Area.FUNCTIONS: "Functions: users meet this when `live` moves, and a canary covers it",
    Area.SHARED: "Shared: for everybody as soon as the stack is updated, and no canary covers it",
}
EFFECTS = {Effect.IN_PLACE: "changes in place", Effect.ADDITIVE: "only adds"}
ORDER = (Effect.BREAKING, Effect.IN_PLACE, Effect.ADDITIVE)
NO_VALUES = "AWS gives no values for these changes, only names."
_LONGEST_VALUE = 120
_MOST_NAMES = 4


def end_sentence(release: str, previous: str, *, serves: bool) -> str:
    """Who has the traffic when the deploy is over, without a full stop."""
    if serves:
        return f"{release} serves all requests"
    return f"{release} is held at 0 % and {previous or 'what runs'} goes on serving"


def stack_sentence(plan: DeployPlan) -> str:
    """What happens to the stack as a whole."""
    found = plan.change_set
    if found.creates_stack:
        return f"{found.stack} is created with {words.count(len(found.changes), 'resource')}"
    if not found.changes:
        return f"{found.stack} stays as it is"
    parts = []
    for area, noun in ((Area.FUNCTIONS, "of functions"), (Area.SHARED, "shared")):
        here = [one for one in plan.changes if one.area is area]
        never, bad = sum(bool(one.forbidden) for one in here), sum(bool(one.objection) for one in here)
        told = [*([f"{never} not allowed"] if never else []), *([f"{bad} not additive"] if bad else [])]
        if here:
            parts.append(f"{len(here)} {noun}" + (f" ({', '.join(told)})" if told else ""))
    return f"{found.stack}: {words.count(len(found.changes), 'change')}, {', '.join(parts)}"


def change_blocks(plan: DeployPlan, *, ascii_only: bool, every: bool) -> Iterator[Sequence[RenderableType]]:
    """Each resource with what happens to it, a block for each area; a new stack only by number and type unless `every`.

    A blank line belongs behind every block.
    """
    values = plan.change_set.values
    if plan.change_set.creates_stack and not every:
        yield [_summary(plan.changes)]
    else:
        for area, heading in HEADINGS.items():
            rows = [_row(one, values, ascii_only) for one in _sorted(plan.changes) if one.area is area]
            if rows:
                yield [indented(heading), table(("", "CHANGE", "LOGICAL ID"), rows)]
        if values and not any(_known(detail) for one in plan.changes for detail in one.change.details):
            yield [indented(NO_VALUES)]
    iam = [one.change.logical_id for one in plan.changes if one.iam]
    if iam:
        yield [indented(_iam_sentence(iam, new=plan.change_set.creates_stack))]


def _iam_sentence(names: Sequence[str], *, new: bool) -> str:
    shown = ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )
    beginning = f"IAM: {words.count(len(names), 'change')} of permissions ({shown})"
    return f"{beginning}." if new else f"{beginning}; whether one takes something away, a change set does not tell."


def _sorted(changes: Sequence[JudgedChange]) -> list[JudgedChange]:
    """What takes something away comes first."""
    return sorted(changes, key=lambda one: (ORDER.index(one.effect), one.change.action, one.change.logical_id))


def _summary(changes: Sequence[JudgedChange]) -> RenderableType:
    mark = symbols.ACTION[Action.ADD]
    kinds = sorted(Counter(one.change.type for one in changes).items())
    return table(("", "", "TYPE"), [((mark.symbol, mark.colour), str(number), kind) for kind, number in kinds])


def _row(one: JudgedChange, values: bool, ascii_only: bool) -> tuple[Part, tuple[Part, ...], str]:
    change, mark = one.change, symbols.ACTION[one.change.action]
    told: list[Part] = [(change.name, "")]
    if one.forbidden or one.area is Area.FUNCTIONS:
        told += [(why, "red")] if (why := one.forbidden or one.objection) else []
    elif one.objection:
        told.append((f"{one.subject}: {one.objection}", "red"))
    else:
        told.append((f"{one.subject}: {EFFECTS[one.effect]}", "bright_black"))
    if values and change.details:
        told += [(_difference(detail), "bright_black") for detail in change.details]
    elif change.properties:
        told.append((", ".join(change.properties), "bright_black"))
    return (mark.sign(ascii_only), mark.colour), tuple(told), change.logical_id


def _known(detail: PropertyChange) -> bool:
    return detail.before is not None or detail.after is not None


def _difference(detail: PropertyChange) -> str:
    """`Environment/Variables/LEVEL: "INFO" -> "DEBUG"`, as far as AWS tells."""
    name = detail.path or detail.name
    if not _known(detail):
        return f"{name} (from {detail.cause})" if detail.cause else name
    return f"{name}: {_value(detail.before)} -> {_value(detail.after)}"


def _value(text: str | None) -> str:
    if text is None:
        return "nothing"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
