"""The action types that this emulator runs, with the configuration that each takes.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/structure-configuration-examples.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE, BUILD, TEST, DEPLOY, INVOKE, APPROVAL = "Source", "Build", "Test", "Deploy", "Invoke", "Approval"
ONE_KILOBYTE = 1024
ZIP, CLONE_REF = "CODE_ZIP", "CODEBUILD_CLONE_REF"
CLOUDFORMATION_MODES = ("CREATE_UPDATE", "CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE", "DELETE_ONLY")


@dataclass(frozen=True)
class ActionType:
    """What an action of one type may say: configuration keys, and how many artifacts go in and come out."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    inputs: tuple[int, int] = (0, 0)
    outputs: tuple[int, int] = (0, 0)


_CODEBUILD = ActionType(
    frozenset({"ProjectName"}),
    frozenset({"PrimarySource", "BatchEnabled", "CombineArtifacts", "EnvironmentVariables"}),
    inputs=(1, 5),
    outputs=(0, 5),
)
TYPES: Mapping[tuple[str, str, str, str], ActionType] = {
    (SOURCE, "AWS", "CodeStarSourceConnection", "1"): ActionType(
        frozenset({"ConnectionArn", "FullRepositoryId", "BranchName"}),
        frozenset({"OutputArtifactFormat", "DetectChanges"}),
        outputs=(1, 1),
    ),
    (SOURCE, "AWS", "CodeCommit", "1"): ActionType(
        frozenset({"RepositoryName", "BranchName"}),
        frozenset({"PollForSourceChanges", "OutputArtifactFormat"}),
        outputs=(1, 1),
    ),
    (BUILD, "AWS", "CodeBuild", "1"): _CODEBUILD,
    (TEST, "AWS", "CodeBuild", "1"): _CODEBUILD,
    (APPROVAL, "AWS", "Manual", "1"): ActionType(
        frozenset(), frozenset({"NotificationArn", "CustomData", "ExternalEntityLink"})
    ),
    (INVOKE, "AWS", "Lambda", "1"): ActionType(
        frozenset({"FunctionName"}), frozenset({"UserParameters"}), inputs=(0, 5), outputs=(0, 5)
    ),
    (DEPLOY, "AWS", "CloudFormation", "1"): ActionType(
        frozenset({"ActionMode", "StackName"}),
        frozenset({
            "Capabilities", "ChangeSetName", "OutputFileName", "ParameterOverrides", "RoleArn", "TemplateConfiguration",
            "TemplatePath",
        }),
        inputs=(0, 10),
        outputs=(0, 1),
    ),
}  # fmt: skip


def key_of(action: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Category, owner, provider and version of an action's declaration."""
    kind = action["actionTypeId"]
    return kind["category"], kind["owner"], kind["provider"], kind["version"]


def wrong_configuration(action: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an action's type, configuration and artifacts, a sentence each."""
    name, kind = action["name"], TYPES.get(key_of(action))
    if kind is None:
        category, owner, provider, version = key_of(action)
        yield (
            f"ActionType (Category: '{category}', Provider: '{provider}', Owner: '{owner}', Version: '{version}') in "
            f"action '{name}' is not available in the embedded AWS"
        )
        return
    configuration = action.get("configuration") or {}
    for key in sorted(kind.required - set(configuration)):
        yield f"Action configuration for action '{name}' is missing required configuration '{key}'"
    for key in sorted(set(configuration) - kind.required - kind.optional):
        yield f"Action configuration for action '{name}' contains unknown configuration '{key}'"
    for given, (least, most), word in (
        (action.get("inputArtifacts") or [], kind.inputs, "input"),
        (action.get("outputArtifacts") or [], kind.outputs, "output"),
    ):
        if not least <= len(given) <= most:
            yield f"Action '{name}' has {len(given)} {word} artifacts; its type takes {least} to {most}"
    looks = {"CodeBuild": _codebuild, "CloudFormation": _cloudformation}
    yield from looks.get(action["actionTypeId"]["provider"], _source)(action, configuration)


def _source(action: Mapping[str, Any], configuration: Mapping[str, str]) -> Iterator[str]:
    given = configuration.get("OutputArtifactFormat", ZIP)
    if given not in {ZIP, CLONE_REF}:
        yield f"OutputArtifactFormat '{given}' of action '{action['name']}' is neither {ZIP} nor {CLONE_REF}"


def _codebuild(action: Mapping[str, Any], configuration: Mapping[str, str]) -> Iterator[str]:
    name = action["name"]
    inputs = [artifact["name"] for artifact in action.get("inputArtifacts") or []]
    primary = configuration.get("PrimarySource")
    if len(inputs) > 1 and not primary:
        yield f"Action configuration for action '{name}' is missing required configuration 'PrimarySource'"
    if primary and primary not in inputs:
        yield f"PrimarySource '{primary}' of action '{name}' is not one of its input artifacts"
    for key in ("BatchEnabled", "CombineArtifacts"):
        if str(configuration.get(key, "false")).lower() == "true":
            yield f"{key} of action '{name}' is not emulated: batch builds do not run here"
    given = configuration.get("EnvironmentVariables")
    if given is not None and "#{" not in given and not _is_list_of_variables(given):
        yield f"EnvironmentVariables of action '{name}' is not a JSON list of objects with name and value"


def _is_list_of_variables(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, list) and all(isinstance(one, dict) and {"name", "value"} <= set(one) for one in found)


def _cloudformation(action: Mapping[str, Any], configuration: Mapping[str, str]) -> Iterator[str]:
    name, mode = action["name"], configuration.get("ActionMode")
    if mode is not None and mode not in CLOUDFORMATION_MODES:
        yield f"ActionMode '{mode}' of action '{name}' is not emulated; {', '.join(CLOUDFORMATION_MODES)} are"
    needs = {
        "CREATE_UPDATE": ("RoleArn", "TemplatePath"),
        "CHANGE_SET_REPLACE": ("RoleArn", "TemplatePath", "ChangeSetName"),
        "CHANGE_SET_EXECUTE": ("ChangeSetName",),
        "DELETE_ONLY": ("RoleArn",),
    }
    for key in needs.get(str(mode), ()):
        if key not in configuration:
            yield f"Action configuration for action '{name}' is missing required configuration '{key}'"
    if len(configuration.get("ParameterOverrides", "").encode()) > ONE_KILOBYTE:
        yield f"ParameterOverrides of action '{name}' is longer than one kilobyte"
    artifacts = {artifact["name"] for artifact in action.get("inputArtifacts") or []}
    for key in ("TemplatePath", "TemplateConfiguration"):
        if key in configuration and configuration[key].partition("::")[0] not in artifacts:
            yield f"{key} of action '{name}' names an artifact that is not one of its input artifacts"
