"""Pipelines: their structure, versions, transitions and tags.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
"""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import acting_role
from manuel_release.rehearsal.emulator.codepipeline import declaration, executions, state
from manuel_release.rehearsal.emulator.codepipeline.jobs import PRINCIPAL
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, Pipeline, Transition
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.state import Info
    from manuel_release.rehearsal.emulator.targets import Body, Caller

MOST_TAGS = 50


def create(body: Body, caller: Caller) -> Body:
    """CreatePipeline, which starts its first execution."""
    given = _checked(body["pipeline"], caller)
    name = given["name"]
    with CHANGED:
        if name in state.pipelines:
            raise ServiceError(
                "PipelineNameInUseException",
                f"A pipeline with the name '{name}' already exists in account '{caller.account_id}'",
            )
        made = Pipeline(name, [{**given, "version": 1}])
        _set_tags(made.arn, body.get("tags") or [])
        state.pipelines[name] = made
    executions.begin(made, trigger={"triggerType": "CreatePipeline", "triggerDetail": caller.arn})
    return state.present(pipeline=made.declaration, tags=_tags(made.arn) or None)


def _checked(given: Info, caller: Caller) -> Info:
    """The structure with its defaults; raises ServiceError with the first problem."""
    for problem in declaration.problems(given, caller.region):
        raise ServiceError(problem.code, problem.message)
    made = copy.deepcopy(given)
    made.setdefault("executionMode", "SUPERSEDED")
    made.setdefault("pipelineType", "V1")
    for stage in made["stages"]:
        for action in stage["actions"]:
            action.setdefault("runOrder", 1)
            for member, empty in (("configuration", {}), ("inputArtifacts", []), ("outputArtifacts", [])):
                action.setdefault(member, empty)
    if not acting_role.can_be_assumed(made["roleArn"], PRINCIPAL, state.arn(made["name"])):
        raise ServiceError(
            declaration.STRUCTURE, f"CodePipeline is not authorized to perform AssumeRole on role {made['roleArn']}"
        )
    return made


def update(body: Body, caller: Caller) -> Body:
    """UpdatePipeline: a new version; executions that run keep the one that they started with."""
    given = _checked(body["pipeline"], caller)
    with CHANGED:
        found = state.pipeline(given["name"])
        found.versions.append({**given, "version": found.version + 1})
        found.updated = time.time()
        CHANGED.notify_all()
        return {"pipeline": found.declaration}


def get(body: Body, _caller: Caller) -> Body:
    """GetPipeline, the latest version or the one asked for."""
    found = state.pipeline(body["name"])
    version = body.get("version", found.version)
    if version > found.version:
        raise ServiceError("PipelineVersionNotFoundException", f"Pipeline '{found.name}' has no version {version}")
    metadata = {"pipelineArn": found.arn, "created": found.created, "updated": found.updated}
    return {"pipeline": found.versions[version - 1], "metadata": metadata}


def list_all(_body: Body, _caller: Caller) -> Body:
    """ListPipelines, by name."""
    return {
        "pipelines": [
            {
                "name": found.name,
                "version": found.version,
                "pipelineType": found.declaration["pipelineType"],
                "executionMode": found.declaration["executionMode"],
                "created": found.created,
                "updated": found.updated,
            }
            for found in sorted(state.pipelines.values(), key=lambda one: str(one.name))
        ]
    }


def delete(body: Body, _caller: Caller) -> Body:
    """DeletePipeline: what runs is abandoned; no error when there is none."""
    with CHANGED:
        found = state.pipelines.pop(body["name"], None)
        if found is not None:
            state.tags.pop(found.arn, None)
            state.abandon(found)
    return {}


def disable(body: Body, caller: Caller) -> Body:
    """DisableStageTransition."""
    with CHANGED:
        found = state.pipeline(body["pipelineName"])
        state.stage(found, body["stageName"])
        found.disabled[body["stageName"], body["transitionType"]] = Transition(body["reason"], caller.arn)
        CHANGED.notify_all()
    return {}


def enable(body: Body, _caller: Caller) -> Body:
    """EnableStageTransition."""
    with CHANGED:
        found = state.pipeline(body["pipelineName"])
        state.stage(found, body["stageName"])
        found.disabled.pop((body["stageName"], body["transitionType"]), None)
        CHANGED.notify_all()
    return {}


def _tags(arn: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in (state.tags.get(arn) or {}).items()]


def _set_tags(arn: str, given: list[dict[str, str]]) -> None:
    known: dict[str, str] = {**(state.tags.get(arn) or {}), **{tag["key"]: tag["value"] for tag in given}}
    if any(key.lower().startswith("aws:") for key in known):
        raise ServiceError("InvalidTagsException", "A tag key begins with aws:")
    if len(known) > MOST_TAGS:
        raise ServiceError("TooManyTagsException", f"A pipeline has at most {MOST_TAGS} tags")
    if known:
        state.tags[arn] = known


def _tagged(arn: Any) -> str:
    name = str(arn).rpartition(":")[2]
    found = state.pipelines.get(name)
    if found is None or found.arn != arn:
        raise ServiceError("ResourceNotFoundException", f"There is no pipeline {arn}")
    return str(arn)


def tag(body: Body, _caller: Caller) -> Body:
    """TagResource."""
    _set_tags(_tagged(body["resourceArn"]), body["tags"])
    return {}


def untag(body: Body, _caller: Caller) -> Body:
    """UntagResource."""
    arn = _tagged(body["resourceArn"])
    state.tags[arn] = {key: value for key, value in (state.tags.get(arn) or {}).items() if key not in body["tagKeys"]}
    return {}


def list_tags(body: Body, _caller: Caller) -> Body:
    """ListTagsForResource."""
    return {"tags": _tags(_tagged(body["resourceArn"]))}


OPERATIONS = {
    "CreatePipeline": create,
    "UpdatePipeline": update,
    "GetPipeline": get,
    "ListPipelines": list_all,
    "DeletePipeline": delete,
    "DisableStageTransition": disable,
    "EnableStageTransition": enable,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}
