"""What a release would change, read back from the document of its dry run, for those who approve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from manuel_release.model.plan import DeployPlan
from manuel_release.model.preview import Area, Effect, JudgedChange
from manuel_release.model.stack import Action, Change, ChangeSet, Replacement
from manuel_release.view import symbols
from manuel_release.view.changes import EFFECTS, HEADINGS, ORDER, change_blocks, end_sentence, stack_sentence
from manuel_release.view.layout import facts, headline, indented, table
from manuel_release.view.members import Members, Unexpected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from enum import StrEnum

    from rich.console import RenderableType

    from manuel_release.view.layout import Cell, Part
    from manuel_release.view.symbols import Mark

    Word = TypeVar("Word", bound=StrEnum)

_DOCUMENT = frozenset(
    {"environment", "api_stage", "release", "previous_release", "status", "message", "url", "seconds", "steps"}
    | {"plan", "next_command", "error", "not_computed", "hint", "resources"}
)
_PLAN = frozenset(
    {"commit", "digest", "code_digest", "stack", "creates_stack", "changes", "refusal", "override_shared", "steps"}
    | {"serves_at_end", "warnings"}
)
_REPLACED = {Replacement.YES: "is replaced by a new one", Replacement.PERHAPS: "may be replaced by a new one"}


def rest(found: Members) -> dict[str, object]:
    """What the document has that `drawn` does not know."""
    plan, more = found.inner("plan"), found.rest(_DOCUMENT)
    inside = plan.rest(_PLAN) if plan is not None else {}
    return {**more, "plan": inside} if inside else more


def drawn(found: Members, ascii_only: bool) -> Iterator[RenderableType]:
    """From which release to which, what speaks against it, and a line for each change.

    Raises Unexpected where the document does not say what one has to know: nothing that matters is guessed.
    """
    inner = found.inner("plan")
    plan = _plan(found, inner) if inner is not None else _everything_new(found)
    (why, hint), told = _refusal(found, inner), found.text("not_computed") or _ended(found)
    if plan is None and not why and not told:
        raise Unexpected
    warnings = inner.texts("warnings") if inner is not None else []
    override = inner.text("override_shared") if inner is not None else ""
    yield headline(f"Change set: {_sentence(found)}", _mark(plan, why, told, warnings), ascii_only=ascii_only)
    yield facts(
        ("Refused", tuple((line, "red") for line in why)),
        ("Way out", hint),
        ("Not known" if "not_computed" in found.data else "", (told, "yellow") if told else ""),
        ("Overridden", (f"shared changes may be breaking: {override}", "yellow") if override else ""),
        ("Warning", tuple((warning, "yellow") for warning in warnings)),
        ("Stack", stack_sentence(plan) if plan is not None else ""),
        ("At the end", _end(found, inner)),
    )
    if plan is None:
        return
    if plan.change_set.creates_stack:
        for block in change_blocks(plan, ascii_only=ascii_only, every=False):
            yield ""
            yield from block
        return
    for area in (Area.SHARED, Area.FUNCTIONS):
        here = sorted(
            (one for one in plan.changes if one.area is area),
            key=lambda one: (ORDER.index(one.effect), one.change.action, one.change.logical_id),
        )
        if here:
            yield ""
            yield _heading(area, ascii_only)
            yield table(("", "CHANGE", "LOGICAL ID"), [_row(one, ascii_only) for one in here])


def _heading(area: Area, ascii_only: bool) -> RenderableType:
    if area is Area.FUNCTIONS:
        return indented(HEADINGS[area])
    return indented(f"{symbols.waiting('').sign(ascii_only)} {HEADINGS[area]}", 0, "yellow")  # in the margin


def _sentence(found: Members) -> str:
    release, previous, environment = (found.text(key) for key in ("release", "previous_release", "environment"))
    where = f" in {environment}" if environment else ""
    if not release:
        return f"what would change{where}"
    if previous:
        return f"{previous} -> {release}{where}"
    return f"{release}{where}" + (", the first release" if "previous_release" in found.data else "")


def _mark(plan: DeployPlan | None, why: Sequence[str], told: str, warnings: Sequence[str]) -> Mark:
    if why:
        return symbols.bad("refused")
    shared = plan is not None and any(one.area is Area.SHARED for one in plan.changes)
    return symbols.waiting("look") if shared or told or warnings or plan is None else symbols.quiet("planned")


def _refusal(found: Members, plan: Members | None) -> tuple[list[str], str]:
    """Lines that say why it would be refused, and the way out; an error tells what its plan tells."""
    for one in (found.inner("error"), plan.inner("refusal") if plan is not None else None):
        if one is not None:
            return one.needed("message").splitlines(), one.text("hint")
    return [], found.text("hint")


def _ended(found: Members) -> str:
    """What the document says of itself where it is not what a dry run writes."""
    return "" if found.text("status") == "planned" else found.text("message")


def _end(found: Members, plan: Members | None) -> str:
    release, serves = found.text("release"), plan.flag("serves_at_end") if plan is not None else None
    if serves is None or not release:
        return ""
    return end_sentence(release, found.text("previous_release"), serves=serves)


def _plan(found: Members, plan: Members) -> DeployPlan:
    new = plan.flag("creates_stack")
    if new is None or "changes" not in plan.data:
        raise Unexpected
    changes = tuple(_change(one) for one in plan.several("changes"))
    return _made(found, plan.text("stack") or "the stack", changes, new=new)


def _everything_new(found: Members) -> DeployPlan | None:
    """A stack that does not exist yet: the template's resources, which nobody judged."""
    if not (resources := found.several("resources")):
        return None
    changes = (Change(Action.ADD, one.text("logical_id"), "", one.needed("type")) for one in resources)
    judged = tuple(JudgedChange(one, Area.SHARED, "", Effect.ADDITIVE) for one in changes)
    return _made(found, "the stack", judged, new=True)


def _made(found: Members, stack: str, changes: tuple[JudgedChange, ...], *, new: bool) -> DeployPlan:
    """As much of a plan as the preview's own words need."""
    return DeployPlan(
        environment=found.text("environment"),
        api_stage=found.text("api_stage"),
        release=found.text("release"),
        digest="",
        code_digest="",
        commit="",
        change_set=ChangeSet("", stack, tuple(one.change for one in changes), creates_stack=new),
        steps=(),
        serves_at_end=False,
        changes=changes,
    )


def _change(one: Members) -> JudgedChange:
    iam, objection = one.flag("iam"), one.text("objection")
    if iam is None:
        raise Unexpected
    change = Change(
        _word(Action, one.needed("action")),
        one.needed("logical_id"),
        one.text("physical_id"),
        one.text("type"),
        _word(Replacement, one.needed("replacement")),
        one.texts("properties"),
        description=one.text("description"),
    )
    forbidden = objection if one.flag("overridable") is False else ""
    return JudgedChange(
        change,
        _word(Area, one.needed("area")),
        one.text("subject"),
        _word(Effect, one.needed("effect")),
        iam,
        "" if forbidden else objection,
        forbidden,
    )


def _word(kind: type[Word], word: str) -> Word:
    try:
        return kind(word)
    except ValueError as error:
        raise Unexpected from error


def _row(one: JudgedChange, ascii_only: bool) -> tuple[Cell, ...]:
    change, mark = one.change, symbols.ACTION[one.change.action]
    notes: list[str] = []
    against = one.forbidden or one.objection or ("is breaking" if one.effect is Effect.BREAKING else "")
    subject = f"{one.subject}: " if one.subject else ""
    if against or one.effect is Effect.ADDITIVE:
        notes.append(f"{subject}{against or EFFECTS[one.effect]}")
    if change.replacement in _REPLACED and "replaced" not in against:
        notes.append(_REPLACED[change.replacement])
    if one.iam:
        notes.append("IAM: changes who may do what")
    colour = "red" if against else ("yellow" if len(notes) > 1 or one.effect is Effect.IN_PLACE else "bright_black")
    if one.area is Area.SHARED and change.properties:
        notes.append(f"in {', '.join(change.properties)}")
    word = f"{mark.sign(ascii_only)} {change.action.name.lower()}"  # the marks' own words may be sentences
    told: list[Part] = [(change.name, ""), *([("; ".join(notes), colour)] if notes else [])]
    return (word, mark.colour), told, change.logical_id
