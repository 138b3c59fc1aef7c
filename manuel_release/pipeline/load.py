"""Files -> Delivery: pipeline.yaml with its expressions filled in, the buildspecs that it names, and the Makefile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.artifact import template
from manuel_release.errors import SettingsError
from manuel_release.model.pipeline import Delivery, Pipeline, Policy, Project, ReportGroup, Role, Stage, Statement
from manuel_release.pipeline import buildspecs, makefile
from manuel_release.pipeline.actions import action
from manuel_release.pipeline.expressions import Expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from manuel_release.model.buildspec import Buildspec

FILE = "pipeline.yaml"
OPERATIONS = "operations.yaml"
MAKEFILE = "Makefile"

Resources = dict[str, tuple[str, dict[str, Any]]]
"""Logical id -> type and filled-in properties, of those that are made."""


def load(root: Path, overrides: Mapping[str, str] | None = None) -> Delivery:
    """The pipeline of the repository at `root`; `overrides` are values of parameters of pipeline.yaml.

    Raises SettingsError when a template is missing or is none.
    """
    written = template.load(root / FILE)
    for name, value in (overrides or {}).items():
        written["Parameters"][name]["Default"] = value
    return delivery(written, template.load(root / OPERATIONS), root)


def delivery(written: Mapping[str, Any], operations: Mapping[str, Any], root: Path) -> Delivery:
    """The pipeline of a template that is loaded already; buildspecs and Makefile are read below `root`.

    Raises SettingsError when the template declares no pipeline.
    """
    expressions = Expressions(written, stored_by(operations))
    resources: Resources = {
        name: (str(resource["Type"]), expressions.resource(name))
        for name, resource in written["Resources"].items()
        if expressions.exists(name)
    }
    found = [name for name, (kind, _) in resources.items() if kind == "AWS::CodePipeline::Pipeline"]
    if len(found) != 1:
        raise SettingsError(
            f"{FILE} declares {len(found)} pipelines", hint="It holds one resource AWS::CodePipeline::Pipeline."
        )
    projects = {one.name: one for one in _projects(resources)}
    try:
        targets = makefile.targets((root / MAKEFILE).read_text(encoding="utf-8"))
    except OSError:
        targets = frozenset()
    return Delivery(
        file=FILE,
        pipeline=_pipeline(found[0], resources[found[0]][1]),
        projects=projects,
        report_groups={
            str(p["Name"]): ReportGroup(name, str(p["Name"]), str(p["Type"]))
            for name, (kind, p) in resources.items()
            if kind == "AWS::CodeBuild::ReportGroup"
        },
        roles={role.arn: role for role in _roles(resources, expressions)},
        policies=tuple(Policy(name, one) for name, (_, p) in resources.items() for one in _everywhere(p)),
        buildspecs={one.spec: _buildspec(root, one.spec) for one in projects.values()},
        targets=targets,
        unresolved=tuple(expressions.missing),
    )


def stored_by(operations: Mapping[str, Any]) -> dict[str, str]:
    """SSM parameters that a template declares, and their values."""
    expressions = Expressions(operations)
    declared = [name for name, one in operations["Resources"].items() if one["Type"] == "AWS::SSM::Parameter"]
    return {str(p["Name"]): str(p["Value"]) for p in map(expressions.resource, declared)}


def _pipeline(logical_id: str, p: Mapping[str, Any]) -> Pipeline:
    store = p.get("ArtifactStore") or {}
    return Pipeline(
        logical_id=logical_id,
        name=str(p.get("Name", "")),
        type=str(p.get("PipelineType", "V1")),  # CloudFormation's default
        mode=str(p.get("ExecutionMode", "SUPERSEDED")),
        role=str(p.get("RoleArn", "")),
        bucket=str(store.get("Location", "")),
        encryption_key=str((store.get("EncryptionKey") or {}).get("Id", "")),
        variables={str(v["Name"]): str(v.get("DefaultValue", "")) for v in p.get("Variables") or []},
        triggers=tuple(str(t["GitConfiguration"]["SourceActionName"]) for t in p.get("Triggers") or []),
        stages=tuple(
            Stage(str(stage["Name"]), tuple(action(str(stage["Name"]), one) for one in stage.get("Actions") or []))
            for stage in p.get("Stages") or []
        ),
    )


def _projects(resources: Resources) -> Iterator[Project]:
    for name, (kind, p) in resources.items():
        if kind != "AWS::CodeBuild::Project":
            continue
        environment, source = p.get("Environment") or {}, p.get("Source") or {}
        logs = (p.get("LogsConfig") or {}).get("CloudWatchLogs") or {}
        yield Project(
            logical_id=name,
            name=str(p.get("Name", name)),
            role=str(p.get("ServiceRole", "")),
            spec=str(source.get("BuildSpec", "buildspec.yml")),
            variables={str(v["Name"]): str(v["Value"]) for v in environment.get("EnvironmentVariables") or []},
            source=str(source.get("Type", "")),
            environment_type=str(environment.get("Type", "")),
            image=str(environment.get("Image", "")),
            timeout_minutes=float(p.get("TimeoutInMinutes", 60)),
            log_group=str(logs.get("GroupName", "")),
            cache=str((p.get("Cache") or {}).get("Location", "")),
        )


def _roles(resources: Resources, expressions: Expressions) -> Iterator[Role]:
    """Roles with their own policies and those that are attached to them in the same template."""
    attached: dict[str, list[Statement]] = {}
    for kind, p in resources.values():
        if kind in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            for role in p.get("Roles") or []:
                attached.setdefault(str(role), []).extend(_statements(p["PolicyDocument"]))
    for name, (kind, p) in resources.items():
        if kind != "AWS::IAM::Role":
            continue
        own = [one for policy in p.get("Policies") or [] for one in _statements(policy["PolicyDocument"])]
        trust = (p.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
        principals = [who for one in trust for kinds in (one.get("Principal") or {}).values() for who in _many(kinds)]
        arn = str(expressions.value({"Fn::GetAtt": [name, "Arn"]}))
        more = attached.get(str(expressions.value({"Ref": name})), [])
        yield Role(name, arn, tuple(map(str, principals)), (*own, *more))


def _statements(document: Mapping[str, Any]) -> list[Statement]:
    return [_statement(one) for one in _many(document.get("Statement"))]


def _statement(one: Mapping[str, Any]) -> Statement:
    return Statement(
        str(one.get("Effect", "")),
        tuple(map(str, _many(one.get("Action")))),
        tuple(map(str, _many(one.get("Resource")))),
    )


def _everywhere(value: Any) -> Iterator[Statement]:
    """Every policy statement in a resource's properties; a trust policy has no Resource and is not one."""
    if isinstance(value, dict):
        if "Effect" in value and "Action" in value and "Resource" in value:
            yield _statement(value)
        for inner in value.values():
            yield from _everywhere(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _everywhere(inner)


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _buildspec(root: Path, spec: str) -> Buildspec | str:
    """The buildspec, or the sentence that says why there is none."""
    if "\n" in spec:
        return "it is written into the template; nobody can run it on a laptop"
    try:
        return buildspecs.parse((root / spec).read_text(encoding="utf-8"), spec)
    except OSError as error:
        return f"it cannot be read: {(error.strerror or 'unknown').lower()}"
    except buildspecs.WrongBuildspecError as error:
        return str(error)
