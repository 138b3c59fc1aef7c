"""A pipeline from a CloudFormation template: source, build, approval, build; with what happens on a bad day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from emulator.codepipeline_world import PipelineWorld, trust, unique, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

BUILD = """
version: 0.2
env: {exported-variables: [RELEASE]}
phases: {build: {commands: ['export RELEASE=r-1', 'echo built > built.txt']}}
artifacts: {files: [built.txt]}
"""
RELEASE = """
version: 0.2
phases: {build: {commands: ['grep -q built built.txt', 'test "$RELEASE" = r-1', 'test -f FLAG']}}
"""


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        assert isinstance(made, PipelineWorld)
        made.make_bucket()
        yield made


def kind(category: str, provider: str) -> dict[str, str]:
    return {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}


def build(name: str, project: str, order: str = "1", **members: Any) -> dict[str, Any]:
    made = {"Name": name, "ActionTypeId": kind("Build", "CodeBuild"), "RunOrder": order, **members}
    made["Configuration"] = {"ProjectName": {"Ref": project}, **members.get("Configuration", {})}
    return made


def template(world: PipelineWorld, flag: Path, **pipeline: Any) -> dict[str, Any]:
    def project(buildspec: str, **more: Any) -> dict[str, Any]:
        properties = {
            "ServiceRole": {"Fn::GetAtt": ["Role", "Arn"]},
            "Source": {"Type": "CODEPIPELINE", "BuildSpec": buildspec},
            "Artifacts": {"Type": "CODEPIPELINE"},
            "Environment": {
                "Type": "ARM_CONTAINER",
                "Image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "EnvironmentVariables": [{"Name": "NUMBER", "Value": 5}],
            },
            "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_CUSTOM_CACHE"]},
            "TimeoutInMinutes": {"Ref": "Minutes"},
            **more,
        }
        return {"Type": "AWS::CodeBuild::Project", "Properties": properties}

    source = {
        "Name": "GitHub",
        "ActionTypeId": kind("Source", "CodeStarSourceConnection"),
        "Configuration": {
            "ConnectionArn": {"Ref": "Connection"},
            "FullRepositoryId": world.repository,
            "BranchName": "main",
            "DetectChanges": False,
        },
        "OutputArtifacts": [{"Name": "Source"}],
        "Namespace": "SourceVariables",
    }
    environment = json.dumps([{"name": "RELEASE", "value": "#{Built.RELEASE}", "type": "PLAINTEXT"}])
    stages = [
        {"Name": "Source", "Actions": [source]},
        {
            "Name": "Build",
            "Actions": [
                build(
                    "Build",
                    "BuildProject",
                    InputArtifacts=[{"Name": "Source"}],
                    OutputArtifacts=[{"Name": "Built"}],
                    Namespace="Built",
                )
            ],
        },
        {
            "Name": "Gate",
            "Actions": [{"Name": "Approve", "ActionTypeId": kind("Approval", "Manual"), "TimeoutInMinutes": "120"}],
        },
        {
            "Name": "Release",
            "Actions": [
                build(
                    "Release",
                    "ReleaseProject",
                    InputArtifacts=[{"Name": "Built"}],
                    Configuration={"EnvironmentVariables": environment},
                )
            ],
        },
    ]
    push = {"SourceActionName": "GitHub", "Push": [{"Branches": {"Includes": ["main"]}}]}
    return {
        "Parameters": {"Minutes": {"Type": "Number", "Default": 15}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": json.loads(trust("codebuild", "codepipeline"))},
            },
            "Connection": {
                "Type": "AWS::CodeConnections::Connection",
                "Properties": {"ConnectionName": "github", "ProviderType": "GitHub"},
            },
            "Group": {
                "Type": "AWS::CodeBuild::ReportGroup",
                "Properties": {"Type": "TEST", "ExportConfig": {"ExportConfigType": "NO_EXPORT"}},
            },
            "BuildProject": project(BUILD),
            "ReleaseProject": project(RELEASE.replace("FLAG", str(flag))),
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": {
                    "Name": world.name,
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "PipelineType": "V2",
                    "ExecutionMode": "QUEUED",
                    "ArtifactStore": {"Type": "S3", "Location": world.bucket},
                    "Stages": stages,
                    "Triggers": [{"ProviderType": "CodeStarSourceConnection", "GitConfiguration": push}],
                    "Tags": [{"Key": "team", "Value": "manuel"}],
                    **pipeline,
                },
            },
        },
        "Outputs": {
            "Pipeline": {"Value": {"Ref": "Pipeline"}},
            "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}},
            "Status": {"Value": {"Fn::GetAtt": ["Connection", "ConnectionStatus"]}},
            "Project": {"Value": {"Fn::GetAtt": ["BuildProject", "Arn"]}},
            "Group": {"Value": {"Ref": "Group"}},
        },
    }


def deploy(world: PipelineWorld, document: dict[str, Any], stack: str = "") -> dict[str, str]:
    """Create or update the stack; its outputs."""
    act = world.cloudformation.update_stack if stack else world.cloudformation.create_stack
    name = stack or unique("stack")
    act(StackName=name, TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"])

    def settled() -> dict[str, Any] | None:
        found = world.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return None if found["StackStatus"].endswith("_IN_PROGRESS") else found

    found = until(settled)
    expected = "UPDATE_COMPLETE" if stack else "CREATE_COMPLETE"
    assert found["StackStatus"] == expected, events(world, name)
    return {"Stack": name, **{one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}}


def events(world: PipelineWorld, stack: str) -> list[str]:
    found = world.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return [one["ResourceStatusReason"] for one in found if "ResourceStatusReason" in one]


def test_a_pipeline_of_a_template_runs_fails_is_retried_and_succeeds(world: PipelineWorld, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    world.push()
    outputs = deploy(world, template(world, flag))
    assert (outputs["Pipeline"], outputs["Version"], outputs["Status"]) == (world.name, "1", "AVAILABLE")
    (project,) = world.codebuild.batch_get_projects(names=[outputs["Project"]])["projects"]
    assert (project["timeoutInMinutes"], project["cache"]["type"]) == (15, "LOCAL")
    assert project["environment"]["environmentVariables"] == [{"name": "NUMBER", "value": "5", "type": "PLAINTEXT"}]
    (group,) = world.codebuild.batch_get_report_groups(reportGroupArns=[outputs["Group"]])["reportGroups"]
    assert group["type"] == "TEST"
    first = world.executions()[0]["pipelineExecutionId"]
    world.answer()
    assert world.ended(first) == "Failed"
    assert world.runs(first)[-1] == ("Release", "Failed")

    flag.touch()
    world.codepipeline.retry_stage_execution(
        pipelineName=world.name, stageName="Release", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )

    assert world.ended(first) == "Succeeded"
    assert world.runs(first) == [
        ("GitHub", "Succeeded"),
        ("Build", "Succeeded"),
        ("Approve", "Succeeded"),
        ("Release", "Failed"),
        ("Release", "Succeeded"),
    ]
    (second,) = world.push("b" * 40)["executions"]
    world.token()
    world.codepipeline.stop_pipeline_execution(pipelineName=world.name, pipelineExecutionId=second, abandon=True)
    assert world.ended(second) == "Stopped"


def test_an_update_of_the_stack_makes_a_version_and_restarts_when_asked(world: PipelineWorld, tmp_path: Path) -> None:
    world.push()
    document = template(world, tmp_path / "go")
    stack = deploy(world, document)["Stack"]
    changed = template(world, tmp_path / "go", RestartExecutionOnUpdate=True, ExecutionMode="SUPERSEDED")
    changed["Resources"]["Pipeline"]["Properties"]["DisableInboundStageTransitions"] = [
        {"StageName": "Release", "Reason": "Not yet"}
    ]
    assert deploy(world, changed, stack)["Version"] == "2"
    assert world.stage("Release")["inboundTransitionState"]["disabledReason"] == "Not yet"
    assert len(world.executions()) == 2
    back = template(world, tmp_path / "go")
    deploy(world, back, stack)
    assert world.stage("Release")["inboundTransitionState"] == {"enabled": True}
    world.cloudformation.delete_stack(StackName=stack)
    until(lambda: world.name not in [one["name"] for one in world.codepipeline.list_pipelines()["pipelines"]])


def test_a_transition_that_the_template_disables_holds_the_first_execution(
    world: PipelineWorld, tmp_path: Path
) -> None:
    world.push()
    closed = [{"StageName": "Build", "Reason": "Closed from the start"}]
    deploy(world, template(world, tmp_path / "go", DisableInboundStageTransitions=closed))
    until(lambda: world.stage("Build").get("inboundExecution"))
    assert world.action("Build", "Build") == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"PipelineType": "V1"}, "Pipeline type V1 does not support"),
        ({"ExecutionMode": "PARALLEL"}, "PARALLEL is not emulated"),
        ({"Stages": []}, "There should be a minimum of 2 stages"),
    ],
)
def test_a_stack_with_a_wrong_pipeline_fails_and_says_why(
    world: PipelineWorld, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    name = unique("stack")
    document = template(world, tmp_path / "go", **change)
    world.cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"]
    )
    until(lambda: any(said in reason for reason in events(world, name)))


def test_a_parameter_that_names_a_parameter_may_have_a_pattern_for_the_name(world: PipelineWorld) -> None:
    world.ssm.put_parameter(Name=f"/names/{world.name}", Value="a value", Type="String")
    parameter = {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": f"/names/{world.name}",
        "AllowedPattern": "/names/[a-z0-9-]+",
    }
    connection = {"Type": "AWS::CodeStarConnections::Connection", "Properties": {"ConnectionName": "old"}}
    repository = {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": "mirror"}}
    outputs = deploy(
        world,
        {
            "Parameters": {"It": parameter},
            "Resources": {"Connection": connection, "Repository": repository},
            "Outputs": {
                "It": {"Value": {"Ref": "It"}},
                "Connection": {"Value": {"Ref": "Connection"}},
                "Repository": {"Value": {"Fn::GetAtt": ["Repository", "Arn"]}},
            },
        },
    )
    assert outputs["It"] == "a value"
    assert outputs["Connection"].startswith("arn:aws:codestar-connections:eu-west-1:123456789012:connection/")
    assert outputs["Repository"] == "arn:aws:codecommit:eu-west-1:123456789012:mirror"
