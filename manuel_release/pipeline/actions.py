"""Actions as they are declared, and what CodePipeline knows about each type.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html and
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manuel_release.model.pipeline import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")
"""`#{namespace.name}` in an action's configuration."""


@dataclass(frozen=True)
class ActionType:
    """What an action type needs and gives.

    inputs, outputs: how many artifacts it takes and makes, least and most. needed: configuration that must be there.
    gives: its output variables; None for those that a buildspec exports.
    """

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    needed: tuple[str, ...] = ()
    gives: frozenset[str] | None = frozenset()


_COMMIT = {"AuthorDate", "BranchName", "CommitId", "CommitMessage"}

TYPES: Mapping[tuple[str, str], ActionType] = {
    ("Source", "CodeStarSourceConnection"): ActionType(
        (0, 0),
        (1, 1),
        ("ConnectionArn", "FullRepositoryId", "BranchName"),
        frozenset({*_COMMIT, "ConnectionArn", "FullRepositoryName"}),
    ),
    ("Source", "CodeCommit"): ActionType(
        (0, 0), (1, 1), ("RepositoryName", "BranchName"), frozenset({*_COMMIT, "CommitterDate", "RepositoryName"})
    ),
    ("Source", "S3"): ActionType(
        (0, 0), (1, 1), ("S3Bucket", "S3ObjectKey"), frozenset({"BucketName", "ETag", "ObjectKey", "VersionId"})
    ),
    ("Build", "CodeBuild"): ActionType((1, 5), (0, 5), ("ProjectName",), None),
    ("Test", "CodeBuild"): ActionType((1, 5), (0, 5), ("ProjectName",), None),
    ("Approval", "Manual"): ActionType((0, 0), (0, 0)),
}
"""The types that this pipeline may use; another one is a finding, because nothing here could rehearse it."""


def type_of(one: Action) -> ActionType | None:
    """What is known about the action's type; None for a type that is not in TYPES."""
    return TYPES.get((one.category, one.provider))


def action(stage: str, declared: Mapping[str, Any]) -> Action:
    """An action of a stage, from its properties with their expressions filled in."""
    kind = declared.get("ActionTypeId") or {}
    timeout = declared.get("TimeoutInMinutes")
    return Action(
        stage=stage,
        name=str(declared.get("Name", "")),
        category=str(kind.get("Category", "")),
        owner=str(kind.get("Owner", "")),
        provider=str(kind.get("Provider", "")),
        run_order=int(declared.get("RunOrder", 1)),
        configuration={str(key): str(value) for key, value in (declared.get("Configuration") or {}).items()},
        inputs=tuple(str(one["Name"]) for one in declared.get("InputArtifacts") or []),
        outputs=tuple(str(one["Name"]) for one in declared.get("OutputArtifacts") or []),
        namespace=str(declared.get("Namespace", "")),
        timeout_minutes=None if timeout is None else float(timeout),
        role=str(declared.get("RoleArn", "")),
    )


def environment(one: Action) -> Mapping[str, str]:
    """The variables that a CodeBuild action hands to its build; raises ValueError when they are no JSON list."""
    text = one.configuration.get("EnvironmentVariables", "[]")
    try:
        return {str(v["name"]): str(v["value"]) for v in json.loads(text)}
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError("EnvironmentVariables is not a JSON list of objects with name and value") from error
