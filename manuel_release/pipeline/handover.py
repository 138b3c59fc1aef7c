"""Checks of artifacts: each is made once, before it is read, by an action whose buildspec hands something on.

https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from manuel_release.model.pipeline import Finding
from manuel_release.pipeline.actions import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.model.buildspec import Buildspec
    from manuel_release.model.pipeline import Action, Delivery

NAME = re.compile(r"[A-Za-z0-9_\-]{1,100}")


def produced(d: Delivery) -> Iterator[Finding]:
    """Artifacts that are read before anything made them, made twice, or made and never read."""
    made: dict[str, str] = {}
    read: set[str] = set()
    for stage in d.pipeline.stages:
        for group in stage.groups:
            for action in group:
                yield from (_unmade(d, action, name) for name in action.inputs if name not in made)
                read.update(action.inputs)
            for action in group:
                for name in action.outputs:
                    if name in made:
                        yield _finding(
                            d,
                            action,
                            f"{made[name]} makes {name} too",
                            "an artifact has one producer",
                            "Choose another name.",
                        )
                    made.setdefault(name, action.where)
    for action in d.pipeline.actions:
        for name in action.outputs:
            if name not in read:
                yield _finding(
                    d,
                    action,
                    f"nothing reads {name}",
                    "it is uploaded for nobody",
                    "Give it to an action that needs it, or take it out of the outputs.",
                )


def _unmade(d: Delivery, action: Action, name: str) -> Finding:
    later = next((one.where for one in d.pipeline.actions if name in one.outputs), "")
    why = f"{later} makes it, and not before {action.where} starts" if later else "no action makes it"
    return _finding(d, action, f"it reads {name}", why, "Correct the name, or have an earlier action make it.")


def counted(d: Delivery) -> Iterator[Finding]:
    """Wrong numbers and names of artifacts, and several sources of which none is the first."""
    for action in d.pipeline.actions:
        kind = type_of(action)
        if kind is None:
            continue
        for what, names, (least, most) in (
            ("inputs", action.inputs, kind.inputs),
            ("outputs", action.outputs, kind.outputs),
        ):
            if not least <= len(names) <= most:
                allowed = f"{least}" if least == most else f"{least} to {most}"
                yield _finding(
                    d,
                    action,
                    f"it has {len(names)} {what}",
                    f"{action.provider} takes {allowed}",
                    "Correct its artifacts.",
                )
        for name in (*action.inputs, *action.outputs):
            if not NAME.fullmatch(name):
                yield _finding(
                    d,
                    action,
                    f"{name!r} is no artifact name",
                    "CodePipeline refuses it",
                    "Use 1 to 100 letters, digits, - and _.",
                )
        primary = action.configuration.get("PrimarySource")
        if action.is_build and (primary or len(action.inputs) > 1) and primary not in action.inputs:
            yield _finding(
                d,
                action,
                f"PrimarySource is {primary or 'missing'}",
                "CodeBuild looks for the buildspec in the primary one of several inputs",
                "Name one of its input artifacts in PrimarySource.",
            )


def handed_on(d: Delivery) -> Iterator[Finding]:
    """Actions with outputs whose buildspec hands nothing on, or other things than the outputs are called."""
    for action in d.pipeline.actions:
        project = d.project_of(action)
        spec = d.buildspec_of(project) if project is not None else None
        if spec is not None and action.outputs:
            yield from _handed(action, spec)


def _handed(action: Action, spec: Buildspec) -> Iterator[Finding]:
    if spec.artifacts is None:
        yield Finding(
            "artifacts",
            spec.path,
            action.where,
            f"its output {action.outputs[0]} would be empty",
            "the buildspec has no section `artifacts`",
            "Say in the buildspec which files are handed on.",
        )
    elif len(action.outputs) > 1 and set(action.outputs) != set(spec.secondary):
        yield Finding(
            "artifacts",
            spec.path,
            action.where,
            f"its outputs are {', '.join(action.outputs)}",
            f"the buildspec's secondary-artifacts are {', '.join(spec.secondary) or 'none'}",
            "Call the secondary artifacts as the outputs are called.",
        )


def _finding(d: Delivery, action: Action, what: str, why: str, hint: str) -> Finding:
    return Finding("artifacts", d.file, action.where, what, why, hint)


RULES = (produced, counted, handed_on)
