"""Checks of stages, actions and their names, order, time-outs and variables.

Limits: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html and
https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from manuel_release.model.pipeline import Finding
from manuel_release.pipeline.actions import VARIABLE, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.model.pipeline import Action, Delivery

NAME = re.compile(r"[A-Za-z0-9.@\-_]{1,100}")
VALUE_CHARACTERS = 1000
APPROVAL_MINUTES = (5, 86400)
BUILD_MINUTES = (5, 2160)
RUN_ORDERS = (1, 999)


def unresolved(d: Delivery) -> Iterator[Finding]:
    """An expression names a parameter, resource or SSM parameter that nothing declares."""
    told: set[str] = set()
    for where, name in d.unresolved:
        if name in told:
            continue
        told.add(name)
        stored = name.startswith("SSM parameter ")
        yield Finding(
            "unresolved",
            d.file,
            where,
            f"{name} is declared nowhere",
            "operations.yaml makes no such parameter, so the stack could not be created"
            if stored
            else "CloudFormation refuses a template that refers to what it does not hold",
            "Declare it in operations.yaml, or correct the parameter's default."
            if stored
            else "Correct the name, or declare it.",
        )


def kind(d: Delivery) -> Iterator[Finding]:
    """Something is used that only pipelines of type V2 have."""
    p = d.pipeline
    used = [
        what
        for what, there in (
            ("triggers", p.triggers),
            ("variables", p.variables),
            (f"execution mode {p.mode}", p.mode != "SUPERSEDED"),
        )
        if there
    ]
    if p.type != "V2" and used:
        yield Finding(
            "pipeline-type",
            d.file,
            p.logical_id,
            f"the pipeline is of type {p.type} and has {', '.join(used)}",
            "only pipelines of type V2 have them, and V1 is what CloudFormation makes when nothing is said",
            "Set PipelineType: V2.",
        )


def stages(d: Delivery) -> Iterator[Finding]:
    """Stages that CodePipeline would refuse: too few, empty, or sources in the wrong place."""
    p = d.pipeline
    if len(p.stages) < 2:
        yield _of_pipeline(d, "stages", "it has fewer than two stages", "Add a stage that does something.")
    for number, stage in enumerate(p.stages):
        if not stage.actions:
            yield _of_stage(d, stage.name, "it has no actions", "Give it an action, or take it out.")
        for action in stage.actions:
            if (action.category == "Source") != (number == 0):
                what = "a source outside the first stage" if number else "an action in the first stage is no source"
                yield _of_action(
                    d,
                    "sources",
                    action,
                    what,
                    "the first stage holds the sources and nothing else does",
                    "Move the action.",
                )


def names(d: Delivery) -> Iterator[Finding]:
    """Names that CodePipeline refuses, and names that are there twice."""
    stage_names = Counter(stage.name for stage in d.pipeline.stages)
    for stage in d.pipeline.stages:
        found = Counter(action.name for action in stage.actions)
        twice = [name for name, count in found.items() if count > 1]
        if stage_names[stage.name] > 1:
            twice = [stage.name]
            stage_names[stage.name] = 0
        for name in twice:
            yield _of_stage(d, stage.name, f"the name {name} is there twice", "Choose another name.", rule="names")
        for name in (stage.name, *found):
            if not NAME.fullmatch(name):
                yield _of_stage(
                    d,
                    stage.name,
                    f"{name!r} is not a name",
                    "Use 1 to 100 letters, digits and . @ - _.",
                    rule="names",
                )


def types(d: Delivery) -> Iterator[Finding]:
    """Action types that nothing here knows, and configuration that a type needs and does not have."""
    for action in d.pipeline.actions:
        found = type_of(action)
        if found is None:
            yield _of_action(
                d,
                "action-type",
                action,
                f"its type is {action.category} by {action.provider}",
                "this tool can neither check nor rehearse it",
                "Use a CodeBuild project that runs a make target.",
            )
            continue
        for key in found.needed:
            if not action.configuration.get(key):
                yield _of_action(
                    d,
                    "configuration",
                    action,
                    f"its configuration has no {key}",
                    f"{action.provider} cannot run without it",
                    f"Add {key} to its Configuration.",
                )


def values(d: Delivery) -> Iterator[Finding]:
    """Configuration values that are longer than CodePipeline takes."""
    for action in d.pipeline.actions:
        for key, value in action.configuration.items():
            if len(value) > VALUE_CHARACTERS:
                yield _of_action(
                    d,
                    "value-length",
                    action,
                    f"{key} has {len(value)} characters",
                    f"CodePipeline takes at most {VALUE_CHARACTERS} for a configuration value",
                    "Shorten it, or set it on the project.",
                )


def order(d: Delivery) -> Iterator[Finding]:
    """Run orders out of range, and approvals that run beside what they should hold back."""
    for stage in d.pipeline.stages:
        for action in stage.actions:
            if not RUN_ORDERS[0] <= action.run_order <= RUN_ORDERS[1]:
                yield _of_action(
                    d,
                    "run-order",
                    action,
                    f"its run order is {action.run_order}",
                    "it is out of range",
                    "Choose 1 to 999.",
                )
        for group in stage.groups:
            beside = [action for action in group if not action.is_approval]
            for action in group:
                if action.is_approval and beside:
                    yield _of_action(
                        d,
                        "run-order",
                        action,
                        f"it has the same run order as {beside[0].name}",
                        f"both start at the same time, so it does not hold {beside[0].name} back",
                        "Give the approval a lower run order, or a stage of its own.",
                    )


def timeouts(d: Delivery) -> Iterator[Finding]:
    """Time-outs that AWS refuses."""
    for action in d.pipeline.actions:
        if action.timeout_minutes is None:
            continue
        if not action.is_approval:
            yield _of_action(
                d,
                "timeout",
                action,
                "it has TimeoutInMinutes",
                "only approvals have one",
                "Set the time-out on its project.",
            )
        elif not APPROVAL_MINUTES[0] <= action.timeout_minutes <= APPROVAL_MINUTES[1]:
            yield _of_action(
                d,
                "timeout",
                action,
                f"it waits {action.timeout_minutes:g} minutes",
                "CodePipeline takes 5 to 86400",
                "Choose a time-out in that range.",
            )
    for project in d.projects.values():
        if not BUILD_MINUTES[0] <= project.timeout_minutes <= BUILD_MINUTES[1]:
            yield Finding(
                "timeout",
                d.file,
                project.logical_id,
                f"{project.name} may take {project.timeout_minutes:g} minutes",
                "CodeBuild takes 5 to 2160",
                "Choose a time-out in that range.",
            )


def triggers(d: Delivery) -> Iterator[Finding]:
    """Triggers of a source that is not there, or that cannot be triggered so."""
    for name in d.pipeline.triggers:
        found = next((a for a in d.pipeline.actions if a.name == name and a.category == "Source"), None)
        if found is None or found.provider != "CodeStarSourceConnection":
            yield _of_pipeline(
                d,
                "trigger",
                f"a trigger names the source action {name}, "
                + ("which is not there" if found is None else "which does not use a connection"),
                "Name a source action with a connection in SourceActionName.",
            )


def variables(d: Delivery) -> Iterator[Finding]:
    """`#{namespace.NAME}` that nothing gives before it is read, and namespaces that are there twice."""
    given: dict[str, frozenset[str] | None] = {"variables": frozenset(d.pipeline.variables), "codepipeline": None}
    for stage in d.pipeline.stages:
        for group in stage.groups:
            for action in group:
                yield from _unknown(d, action, given)
            for action in group:
                if not action.namespace:
                    continue
                if action.namespace in given:
                    yield _of_action(
                        d,
                        "variables",
                        action,
                        f"the namespace {action.namespace} is taken",
                        "a namespace belongs to one action",
                        "Choose another one.",
                    )
                given[action.namespace] = _gives(d, action)


def _unknown(d: Delivery, action: Action, given: dict[str, frozenset[str] | None]) -> Iterator[Finding]:
    for key, value in action.configuration.items():
        for namespace, name in VARIABLE.findall(value):
            known = given.get(namespace, frozenset())
            if namespace in given and (known is None or name in known):
                continue
            why = (
                f"nothing before it gives {name}"
                if namespace in given
                else f"no action before it is called {namespace}"
            )
            yield _of_action(
                d,
                "variables",
                action,
                f"{key} reads #{{{namespace}.{name}}}",
                why,
                "Export the variable in the buildspec of an earlier action with that Namespace.",
            )


def _gives(d: Delivery, action: Action) -> frozenset[str] | None:
    found = type_of(action)
    if found is None:
        return None
    if found.gives is not None:
        return found.gives
    project = d.project_of(action)
    spec = d.buildspec_of(project) if project else None
    return frozenset(spec.exported) if spec else None


def _of_action(d: Delivery, rule: str, action: Action, what: str, why: str, hint: str) -> Finding:  # noqa: PLR0917
    return Finding(rule, d.file, action.where, what, why, hint)


def _of_stage(d: Delivery, stage: str, what: str, hint: str, rule: str = "stages") -> Finding:
    return Finding(rule, d.file, stage, what, "CodePipeline refuses such a stage", hint)


def _of_pipeline(d: Delivery, rule: str, what: str, hint: str) -> Finding:
    return Finding(rule, d.file, d.pipeline.logical_id, what, "CodePipeline refuses such a pipeline", hint)


RULES = (unresolved, kind, stages, names, types, values, order, timeouts, triggers, variables)
