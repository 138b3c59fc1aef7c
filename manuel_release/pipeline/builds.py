"""Checks of projects and buildspecs: what an action runs exists, and so does everything that its buildspec names.

Report formats: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#reports-buildspec-file
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from manuel_release.model.pipeline import Finding
from manuel_release.pipeline import makefile
from manuel_release.pipeline.actions import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from manuel_release.model.buildspec import Buildspec
    from manuel_release.model.pipeline import Delivery, Project

TEST_FORMATS = ("CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX")
COVERAGE_FORMATS = ("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV")
FORMATS: Mapping[str, str] = {
    **dict.fromkeys(TEST_FORMATS, "TEST"),
    **dict.fromkeys(COVERAGE_FORMATS, "CODE_COVERAGE"),
}
"""A report's format -> the type that its report group must have."""

_SOURCED = re.compile(r"\. [\w./-]+")


def projects(d: Delivery) -> Iterator[Finding]:
    """Actions whose project is not there, and projects that nothing runs."""
    for action in d.pipeline.actions:
        name = action.configuration.get("ProjectName")
        if action.is_build and name and name not in d.projects:
            yield Finding(
                "project",
                d.file,
                action.where,
                f"it runs the project {name}",
                "no AWS::CodeBuild::Project of this file has that name",
                "Declare it, or correct ProjectName.",
            )
    run = {action.configuration.get("ProjectName") for action in d.pipeline.actions}
    for project in d.projects.values():
        if project.source == "CODEPIPELINE" and project.name not in run:
            yield Finding(
                "project",
                d.file,
                project.logical_id,
                f"no action runs {project.name}",
                "it can only be run by the pipeline",
                "Add an action that does, or take the project out.",
            )


def specs(d: Delivery) -> Iterator[Finding]:
    """Projects whose buildspec is not there or cannot be read."""
    for project in d.projects.values():
        found = d.buildspecs.get(project.spec, "it cannot be read")
        if isinstance(found, str):
            path = project.spec.splitlines()[0]
            yield Finding(
                "buildspec",
                d.file,
                project.logical_id,
                f"{project.name} has no buildspec {path} that can be run",
                found,
                "Correct the file, or Source.BuildSpec of the project.",
            )


def commands(d: Delivery) -> Iterator[Finding]:
    """Commands that are no `make` (or a file of its variables read in), and targets that the Makefile does not have."""
    told: set[tuple[str, str]] = set()
    for project, spec, variables in _runs(d):
        for command in spec.commands:
            text = makefile.expanded(command, variables)
            asked = makefile.asked(text)
            if asked is None and not _SOURCED.fullmatch(command):
                if (spec.path, command) not in told:
                    told.add((spec.path, command))
                    yield Finding(
                        "command",
                        spec.path,
                        project.logical_id,
                        f"the command `{command}` is not a make target",
                        "nobody could run it on a laptop",
                        "Make a target of it in the Makefile.",
                    )
                continue
            for target in asked or ():
                if target in d.targets or (spec.path, target) in told:
                    continue
                told.add((spec.path, target))
                yield _no_target(project, spec, command, target)


def _no_target(project: Project, spec: Buildspec, command: str, target: str) -> Finding:
    if target.startswith("$"):
        return Finding(
            "target",
            spec.path,
            project.logical_id,
            f"{target} of `{command}` has no value",
            f"neither the buildspec nor {project.name} nor the action that runs it sets it",
            "Set it in EnvironmentVariables of the project or of the action.",
        )
    return Finding(
        "target",
        spec.path,
        project.logical_id,
        f"`{command}` asks for the target {target}",
        "the Makefile does not have it",
        "Add it to the Makefile, or correct the name.",
    )


def environments(d: Delivery) -> Iterator[Finding]:
    """Variables of an action that CodeBuild could not read."""
    for action in d.pipeline.actions:
        try:
            environment(action)
        except ValueError as error:
            yield Finding(
                "environment",
                d.file,
                action.where,
                "its variables cannot be read",
                str(error),
                'Write them as [{"name":"A","value":"b"}].',
            )


def reports(d: Delivery) -> Iterator[Finding]:
    """Report formats that CodeBuild does not know, and reports whose group is not there or is of another type."""
    for project in d.projects.values():
        spec = d.buildspec_of(project)
        for report in spec.reports if spec is not None else ():
            path, kind = project.spec, FORMATS.get(report.format)
            if kind is None:
                yield Finding(
                    "report",
                    path,
                    project.logical_id,
                    f"the report {report.name} has the format {report.format}",
                    "CodeBuild does not know it",
                    f"Use one of {', '.join(FORMATS)}; what is no test report belongs in the artifacts.",
                )
                continue
            name = f"{project.name}-{report.name}"
            group = d.report_groups.get(name)
            if group is None:
                yield Finding(
                    "report",
                    d.file,
                    project.logical_id,
                    f"the report {report.name} has no group {name}",
                    "CodeBuild would have to make it, which no role here may",
                    f"Declare an AWS::CodeBuild::ReportGroup {name} of type {kind}.",
                )
            elif group.type != kind:
                yield Finding(
                    "report",
                    d.file,
                    group.logical_id,
                    f"{name} is of type {group.type}",
                    f"{path} sends it {report.format}, which is {kind}",
                    f"Set Type: {kind}.",
                )


def _runs(d: Delivery) -> Iterator[tuple[Project, Buildspec, Mapping[str, str]]]:
    """Each way in which a buildspec is run: by an action, or by a project that the pipeline does not run."""
    for action in d.pipeline.actions:
        project = d.project_of(action)
        spec = d.buildspec_of(project) if project is not None else None
        if project is None or spec is None:
            continue
        try:
            own = environment(action)
        except ValueError:  # said by `environments`
            own = {}
        yield project, spec, {**spec.variables, **project.variables, **own}
    for project in d.projects.values():
        spec = d.buildspec_of(project)
        if project.source != "CODEPIPELINE" and spec is not None:
            yield project, spec, {**spec.variables, **project.variables}


RULES = (projects, specs, commands, environments, reports)
