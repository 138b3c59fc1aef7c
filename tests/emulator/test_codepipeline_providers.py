"""Actions that invoke a function or change a stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codepipeline_world import PipelineWorld, action, build_action, refusal, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

ANSWERS = """
import json
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]
    asked = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    client = boto3.client("codepipeline")
    if asked == "fail":
        client.put_job_failure_result(jobId=job["id"], failureDetails={"type": "JobFailed", "message": "I was told to"})
    else:
        name = job["data"]["inputArtifacts"][0]["location"]["s3Location"]["objectKey"].split("/")[1]
        client.put_job_success_result(jobId=job["id"], outputVariables={"said": asked + " " + name})
"""
TEMPLATE = {
    "Parameters": {"Value": {"Type": "String"}, "Other": {"Type": "String", "Default": "none"}},
    "Resources": {
        "It": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Value"}}},
    },
    "Outputs": {"Name": {"Value": {"Ref": "It"}}, "Other": {"Value": {"Ref": "Other"}}},
}
READS_OUTPUTS = """
version: 0.2
env: {exported-variables: [SEEN]}
phases: {build: {commands: ['export SEEN=$(cat outputs.json)']}}
"""
ROLE = "arn:aws:iam::123456789012:role/cloudformation"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        yield made  # type: ignore[misc]


def outputs(world: PipelineWorld, name: str) -> dict[str, str]:
    """The output variables of an action's last run."""
    details = world.codepipeline.list_action_executions(pipelineName=world.name)["actionExecutionDetails"]
    found: dict[str, str] = next(one["output"]["outputVariables"] for one in details if one["actionName"] == name)
    return found


def invoke(function: str, parameters: str) -> dict[str, Any]:
    configuration = {"FunctionName": function, "UserParameters": parameters}
    given = action(
        "Invoke", "Invoke", "Lambda", configuration=configuration, inputArtifacts=[{"name": "Code"}], namespace="Fn"
    )
    return {"name": "Invoke", "actions": [given]}


def test_a_function_gets_the_job_and_reports_its_result(world: PipelineWorld) -> None:
    function = world.make_function(ANSWERS, versions=0)
    execution = world.make_pipeline(invoke(function, "hello #{SourceVariables.BranchName}"))
    assert world.ended(execution) == "Succeeded"
    assert outputs(world, "Invoke") == {"said": "hello main Code"}
    with pytest.raises(ClientError) as error:
        world.codepipeline.put_job_success_result(jobId=world.action("Invoke", "Invoke")["actionExecutionId"])
    assert refusal(error)[0] == "InvalidJobStateException"


def test_a_function_can_fail_the_action(world: PipelineWorld) -> None:
    function = world.make_function(ANSWERS, versions=0)
    execution = world.make_pipeline(invoke(function, "fail"))
    assert world.ended(execution) == "Failed"
    assert world.action("Invoke", "Invoke")["errorDetails"] == {"code": "JobFailed", "message": "I was told to"}


def test_a_function_that_does_not_exist_fails_the_action(world: PipelineWorld) -> None:
    execution = world.make_pipeline(invoke("nobody", "x"))
    assert world.ended(execution) == "Failed"
    assert "nobody failed to be invoked" in world.action("Invoke", "Invoke")["errorDetails"]["message"]


def stack_action(name: str, mode: str, stack: str, order: int = 1, **configuration: str) -> dict[str, Any]:
    given = {"ActionMode": mode, "StackName": stack, "RoleArn": ROLE, **configuration}
    return action(
        name, "Deploy", "CloudFormation", order, configuration=given, inputArtifacts=[{"name": "Code"}], namespace=name
    )


def pushed(world: PipelineWorld, value: str, *actions: dict[str, Any]) -> str:
    """A pipeline whose source has the template and its configuration; the first execution."""
    world.make_bucket()
    configuration = json.dumps({"Parameters": {"Value": value}, "Tags": {"team": "manuel"}})
    world.push(template__json=json.dumps(TEMPLATE), configuration__json=configuration, flat__json='{"Value": "x"}')
    world.codepipeline.create_pipeline(pipeline=world.declaration({"name": "Deploy", "actions": list(actions)}))
    return str(world.executions()[0]["pipelineExecutionId"])


FILES = {"TemplatePath": "Code::template.json", "TemplateConfiguration": "Code::configuration.json"}


def test_a_stack_is_created_and_its_outputs_are_variables(world: PipelineWorld) -> None:
    overrides = json.dumps({"Other": "#{SourceVariables.CommitId}"})
    deploy = stack_action("Stack", "CREATE_UPDATE", world.name, ParameterOverrides=overrides, **FILES)
    execution = pushed(world, "one", deploy)
    assert world.ended(execution) == "Succeeded", world.action("Deploy", "Stack")
    found = outputs(world, "Stack")
    assert found["Other"] == "a" * 40
    assert world.ssm.get_parameter(Name=found["Name"])["Parameter"]["Value"] == "one"
    again = world.start()
    assert world.ended(again) == "Succeeded"
    assert world.action("Deploy", "Stack")["summary"] == "No updates are to be performed."


def test_a_change_set_is_made_and_executed(world: PipelineWorld) -> None:
    make = stack_action("Make", "CHANGE_SET_REPLACE", world.name, ChangeSetName="changes", **FILES)
    execute = stack_action("Execute", "CHANGE_SET_EXECUTE", world.name, 2, ChangeSetName="changes")
    delete = stack_action("Delete", "DELETE_ONLY", world.name, 3)
    execution = pushed(world, "two", make, execute, delete)
    assert world.ended(execution) == "Succeeded", world.action("Deploy", "Make")
    assert set(outputs(world, "Execute")) == {"Name", "Other"}
    until(lambda: gone(world))


def test_the_outputs_of_a_stack_can_be_a_file_of_an_artifact(world: PipelineWorld) -> None:
    deploy = stack_action("Stack", "CREATE_UPDATE", world.name, OutputFileName="outputs.json", **FILES)
    deploy["outputArtifacts"] = [{"name": "Outputs"}]
    read = build_action("Read", world.make_project(READS_OUTPUTS), order=2, inputs=[{"name": "Outputs"}])
    execution = pushed(world, "three", deploy, read)
    assert world.ended(execution) == "Succeeded"
    assert json.loads(outputs(world, "Read")["SEEN"]) == outputs(world, "Stack")


def gone(world: PipelineWorld) -> bool:
    try:
        found = world.cloudformation.describe_stacks(StackName=world.name)["Stacks"]
    except ClientError:
        return True
    return bool(found[0]["StackStatus"] == "DELETE_COMPLETE")


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({**FILES, "TemplateConfiguration": "Code::flat.json"}, 'The template configuration is not {"Parameters"'),
        ({"TemplatePath": "Code::missing.json"}, "File [missing.json] does not exist in artifact [Code]"),
        ({"TemplatePath": "Code::template.json"}, "Value"),
    ],
)
def test_what_is_wrong_with_a_stack_fails_the_action(
    world: PipelineWorld, configuration: dict[str, str], said: str
) -> None:
    execution = pushed(world, "x", stack_action("Stack", "CREATE_UPDATE", world.name, **configuration))
    assert world.ended(execution) == "Failed"
    assert said in world.action("Deploy", "Stack")["errorDetails"]["message"]
