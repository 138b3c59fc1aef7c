"""What CreatePipeline and UpdatePipeline refuse beyond the shape of the request.

The sentences are AWS's where they are known; the exception's name is the API's.
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from manuel_release.rehearsal.emulator.codepipeline import action_types, rules, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STRUCTURE = "InvalidStructureException"
STAGE = "InvalidStageDeclarationException"
ACTION = "InvalidActionDeclarationException"
VALIDATION = "ValidationException"
MOST_STAGES, LEAST_STAGES, MOST_ACTIONS_OF_STAGE, MOST_ACTIONS = 50, 2, 50, 1000
LONGEST_CONFIGURATION_VALUE = 1000

Declaration = dict[str, Any]


class Problem(NamedTuple):
    """One refusal: the exception and its message."""

    code: str
    message: str


def problems(pipeline: Declaration, region: str) -> Iterator[Problem]:
    """Everything that is wrong with a pipeline, the worst first; nothing when AWS would take it."""
    yield from _pipeline(pipeline)
    stages = pipeline["stages"]
    yield from _names(stages)
    yield from _first_stage(stages)
    for stage in stages:
        yield from _stage(stage)
        for action in stage["actions"]:
            yield from _action(action, region)
    yield from _artifacts(stages)
    yield from _namespaces(stages)
    yield from _triggers(pipeline)


def _pipeline(pipeline: Declaration) -> Iterator[Problem]:
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        yield Problem(VALIDATION, "Exactly one of artifactStore and artifactStores must be given")
    if "artifactStores" in pipeline:
        yield Problem(STRUCTURE, "artifactStores (actions in several regions) is not emulated; give artifactStore")
    if pipeline.get("executionMode") == "PARALLEL":
        yield Problem(STRUCTURE, "Execution mode PARALLEL is not emulated; QUEUED and SUPERSEDED are")
    if pipeline.get("pipelineType", "V1") != "V2":
        for feature in _of_v2(pipeline):
            yield Problem(STRUCTURE, f"Pipeline type V1 does not support {feature}; set the pipeline type to V2")
    names = [variable["name"] for variable in pipeline.get("variables") or []]
    for name in _twice(names):
        yield Problem(VALIDATION, f"The pipeline variable {name} is declared twice")


def _of_v2(pipeline: Declaration) -> Iterator[str]:
    if pipeline.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
        yield f"execution mode {pipeline['executionMode']}"
    for member in ("triggers", "variables"):
        if pipeline.get(member):
            yield member
    for member in ("onFailure", "onSuccess", "beforeEntry"):
        if any(member in stage for stage in pipeline["stages"]):
            yield f"stage conditions ({member})"


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _names(stages: list[Declaration]) -> Iterator[Problem]:
    if len(stages) < LEAST_STAGES:
        yield Problem(
            STRUCTURE, f"Pipeline has {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > MOST_STAGES:
        yield Problem(STRUCTURE, f"Pipeline has {len(stages)} stages, more than {MOST_STAGES}")
    for name in _twice(stage["name"] for stage in stages):
        yield Problem(STRUCTURE, f"Stage name '{name}' is used more than once")
    for stage in stages:
        if not 1 <= len(stage["actions"]) <= MOST_ACTIONS_OF_STAGE:
            yield Problem(STAGE, f"Stage '{stage['name']}' has {len(stage['actions'])} actions; 1 to 50 are allowed")
        for name in _twice(action["name"] for action in stage["actions"]):
            yield Problem(STAGE, f"Action name '{name}' is used more than once in stage '{stage['name']}'")


def _first_stage(stages: list[Declaration]) -> Iterator[Problem]:
    for number, stage in enumerate(stages):
        for action in stage["actions"]:
            source = action["actionTypeId"]["category"] == action_types.SOURCE
            if source and number:
                yield Problem(
                    STRUCTURE,
                    f"Stage '{stage['name']}' contains the source action '{action['name']}'. "
                    "Only the first stage may contain source actions",
                )
            if not source and not number:
                yield Problem(STRUCTURE, "Pipeline should start with a stage that only contains source actions")


def _stage(stage: Declaration) -> Iterator[Problem]:
    if stage.get("blockers"):
        yield Problem("InvalidBlockerDeclarationException", "Blockers are reserved by AWS for its own use")
    for sentence in rules.wrong_conditions(stage):
        yield Problem(STAGE, sentence)


def _action(action: Declaration, region: str) -> Iterator[Problem]:
    name = action["name"]
    for sentence in action_types.wrong_configuration(action):
        yield Problem(ACTION, sentence)
    if action.get("region", region) != region:
        yield Problem(ACTION, f"Action '{name}' is in region {action['region']}; cross-region actions are not emulated")
    approval = action["actionTypeId"]["category"] == action_types.APPROVAL
    if "timeoutInMinutes" in action and not approval:
        yield Problem(
            ACTION, f"timeoutInMinutes of action '{name}': it is only available to the manual approval action"
        )
    for member in ("commands", "outputVariables", "environmentVariables"):
        if action.get(member):
            yield Problem(ACTION, f"{member} of action '{name}': only Commands actions have it, which are not emulated")
    for key, value in (action.get("configuration") or {}).items():
        if len(value) > LONGEST_CONFIGURATION_VALUE:
            yield Problem(ACTION, f"{key} of action '{name}' is longer than {LONGEST_CONFIGURATION_VALUE} characters")
        yield from _references(name, value)


def _references(name: str, value: str) -> Iterator[Problem]:
    try:
        list(variables.references(value))
    except variables.UnresolvedError as error:
        yield Problem(ACTION, f"Action '{name}': {error}")


def _artifacts(stages: list[Declaration]) -> Iterator[Problem]:
    """Each output has one producer, which is earlier than whoever takes it."""
    produced: dict[str, tuple[int, int]] = {}
    for number, stage in enumerate(stages):
        for action in stage["actions"]:
            for artifact in action.get("outputArtifacts") or []:
                if artifact["name"] in produced:
                    yield Problem(STRUCTURE, f"Output artifact '{artifact['name']}' is used more than once")
                produced[artifact["name"]] = (number, action.get("runOrder", 1))
    for number, stage in enumerate(stages):
        for action in stage["actions"]:
            for artifact in action.get("inputArtifacts") or []:
                maker = produced.get(artifact["name"])
                if maker is None or maker >= (number, action.get("runOrder", 1)):
                    yield Problem(
                        STRUCTURE,
                        f"Input artifact '{artifact['name']}' of action '{action['name']}' is not the output of an "
                        "earlier action",
                    )


def _namespaces(stages: list[Declaration]) -> Iterator[Problem]:
    given = [action["namespace"] for stage in stages for action in stage["actions"] if action.get("namespace")]
    for name in _twice(given):
        yield Problem(STRUCTURE, f"Namespace '{name}' is used by more than one action")
    for name in (variables.PIPELINE, variables.ITSELF):
        if name in given:
            yield Problem(STRUCTURE, f"Namespace '{name}' is reserved")


def _triggers(pipeline: Declaration) -> Iterator[Problem]:
    sources: Mapping[str, Declaration] = {action["name"]: action for action in pipeline["stages"][0]["actions"]}
    names = [trigger["gitConfiguration"]["sourceActionName"] for trigger in pipeline.get("triggers") or []]
    for name in names:
        provider = sources.get(name, {}).get("actionTypeId", {}).get("provider")
        if provider is None:
            yield Problem(VALIDATION, f"The trigger's source action {name} is not an action of the first stage")
        elif provider != "CodeStarSourceConnection":
            yield Problem(VALIDATION, f"Triggers are for connections; the source action {name} is {provider}")
    for name in _twice(names):
        yield Problem(VALIDATION, f"The source action {name} has more than one trigger")
    if any(trigger["gitConfiguration"].get("pullRequest") for trigger in pipeline.get("triggers") or []):
        yield Problem(STRUCTURE, "Triggers on pull requests are not emulated; those on pushes are")
