"""CloudFormation's types of CodePipeline and of the connections that its sources use.

A connection here needs no handshake: it is AVAILABLE at once, and nobody is behind it or a repository (`pushes`).
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codeconnections-connection.html
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import accepted, input_model, resources, scope
from manuel_release.rehearsal.emulator.codepipeline import executions, pipelines, state
from manuel_release.rehearsal.emulator.resources import Made, Properties, ResourceType, physical_name

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Operation

MEMBERS = resources.Members(numbers={"runOrder", "timeoutInMinutes"}, maps={"configuration"})
CFN_FAILURE_RESULTS = ("ROLLBACK", "RETRY")
REPOSITORY = "AWS::CodeCommit::Repository"


def _call(name: str, operation: Operation, request: Properties) -> Properties:
    asked = input_model.checked("codepipeline", name, operation, "ValidationException")
    return resources.ask("AWSCodePipeline", asked, request)


def _pipeline(properties: Properties, name: str) -> Properties:
    for stage in properties.get("Stages") or []:
        result = (stage.get("OnFailure") or {}).get("Result")
        if result is not None and result not in CFN_FAILURE_RESULTS:
            raise ValueError(f"#/Stages/OnFailure/Result: {result} is not a valid enum value")
    others = {"Tags", "Name", "DisableInboundStageTransitions", "RestartExecutionOnUpdate"}
    given = MEMBERS.of({key: value for key, value in properties.items() if key not in others})
    for trigger in given.get("triggers") or []:
        trigger.setdefault("gitConfiguration", {})
    return {**given, "name": name}


def _transitions(name: str, old: Properties, new: Properties) -> None:
    wanted = {one["StageName"]: one["Reason"] for one in new.get("DisableInboundStageTransitions") or []}
    for one in old.get("DisableInboundStageTransitions") or []:
        if one["StageName"] not in wanted:
            request = {"pipelineName": name, "stageName": one["StageName"], "transitionType": "Inbound"}
            _call("EnableStageTransition", pipelines.enable, request)
    for stage, reason in wanted.items():
        request = {"pipelineName": name, "stageName": stage, "transitionType": "Inbound", "reason": reason}
        _call("DisableStageTransition", pipelines.disable, request)


def _create(logical_id: str, properties: Properties, stack_name: str) -> Made:
    name = physical_name(properties, "Name", logical_id, stack_name, 100)
    request = {"pipeline": _pipeline(properties, name), "tags": resources.tags(properties)}
    with state.CHANGED:  # so that the first execution finds its transitions disabled
        _call("CreatePipeline", pipelines.create, request)
        try:
            _transitions(name, {}, properties)
        except ValueError:
            _delete(name, properties)
            raise
    return name, _attributes(name)


def _attributes(name: str) -> dict[str, str]:
    return {"Version": str(state.pipeline(name).version), "Arn": state.arn(name)}


def _update(name: str, old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    _call("UpdatePipeline", pipelines.update, {"pipeline": _pipeline(new, name)})
    arn = state.arn(name)
    state.tags[arn] = {tag["key"]: tag["value"] for tag in resources.tags(new)}
    _transitions(name, old, new)
    if resources.as_flag(new.get("RestartExecutionOnUpdate", False)):
        _call("StartPipelineExecution", executions.start, {"name": name})
    return name, _attributes(name)


def _delete(name: str, _properties: Properties) -> None:
    _call("DeletePipeline", pipelines.delete, {"name": name})


def _connection_type(service: str, name: str) -> ResourceType:
    def create(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
        if not properties.get("ConnectionName"):
            raise ValueError("Model validation failed (#: required key [ConnectionName] not found)")
        account_id, region = scope.current()
        arn = f"arn:aws:{service}:{region}:{account_id}:connection/{uuid.uuid4()}"
        accepted.remembered[name, arn] = properties
        attributes = {"ConnectionArn": arn, "ConnectionStatus": "AVAILABLE", "OwnerAccountId": account_id}
        return arn, attributes

    def update(arn: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
        account_id, _region = scope.current()
        accepted.remembered[name, arn] = new
        return arn, {"ConnectionArn": arn, "ConnectionStatus": "AVAILABLE", "OwnerAccountId": account_id}

    def delete(arn: str, _properties: Properties) -> None:
        accepted.remembered.pop((name, arn), None)

    return ResourceType(create, delete, update, replacing=("ConnectionName", "ProviderType", "HostArn"))


def _create_repository(_logical_id: str, properties: Properties, _stack_name: str) -> Made:
    name = properties.get("RepositoryName")
    if not name:
        raise ValueError("Model validation failed (#: required key [RepositoryName] not found)")
    made = str(uuid.uuid4())
    accepted.remembered[REPOSITORY, made] = properties
    return made, _repository_attributes(str(name))


def _repository_attributes(name: str) -> dict[str, str]:
    account_id, region = scope.current()
    host = f"git-codecommit.{region}.amazonaws.com/v1/repos/{name}"
    arn = f"arn:aws:codecommit:{region}:{account_id}:{name}"
    return {"Arn": arn, "Name": name, "CloneUrlHttp": f"https://{host}", "CloneUrlSsh": f"ssh://{host}"}


def _update_repository(made: str, _old: Properties, new: Properties, _stack_name: str, _logical_id: str) -> Made:
    accepted.remembered[REPOSITORY, made] = new
    return made, _repository_attributes(str(new["RepositoryName"]))


def _delete_repository(made: str, _properties: Properties) -> None:
    accepted.remembered.pop((REPOSITORY, made), None)


CONNECTIONS = {
    "AWS::CodeConnections::Connection": "codeconnections",
    "AWS::CodeStarConnections::Connection": "codestar-connections",
}
TYPES = {
    "AWS::CodePipeline::Pipeline": ResourceType(
        _create, _delete, _update, replacing=("Name",), name="Name", tags=("Tags", "list")
    ),
    REPOSITORY: ResourceType(_create_repository, _delete_repository, _update_repository),
    **{name: _connection_type(service, name) for name, service in CONNECTIONS.items()},
}
