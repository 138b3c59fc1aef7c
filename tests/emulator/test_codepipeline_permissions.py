"""With IAM enforced: who may ask CodePipeline and CodeBuild for what, and what their roles let them do.

The cloud of this module is quick: five minutes of an approval are half a second, five of a build one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from conftest import emulator_command
from emulator.codepipeline_world import (
    PipelineWorld,
    allowed,
    approval,
    build_action,
    refusal,
    trust,
    unique,
    until,
)

from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

ASKS = """
version: 0.2
env: {exported-variables: [WHO]}
phases:
  build:
    commands:
      - export WHO=$(PYTHON -c "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
      - PYTHON -c "import boto3; boto3.client('ssm').get_parameter(Name='/it')"
"""
REPORTS = """
version: 0.2
phases: {build: {commands: ["echo '<testsuite name=\\"x\\"><testcase name=\\"y\\"/></testsuite>' > junit.xml"]}}
reports: {unit: {files: [junit.xml]}}
artifacts: {files: [junit.xml]}
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    options = Options(
        auth=True, approval_seconds_per_minute=0.1, build_seconds_per_minute=0.2, command=emulator_command()
    )
    with EmbeddedCloud.start(tmp_path_factory.mktemp("strict"), options) as running:
        yield running


@pytest.fixture
def world(strict: EmbeddedCloud) -> Iterator[PipelineWorld]:
    """The account's root, with a role for the pipeline and one for its builds, which may do nothing yet."""
    with PipelineWorld.of(strict) as made:
        assert isinstance(made, PipelineWorld)
        for name, service in ((made.name, "codepipeline"), (f"{made.name}-build", "codebuild")):
            made.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))
        yield made


def give(world: PipelineWorld, suffix: str, *statements: dict[str, Any]) -> None:
    """Replace the policy of the pipeline's role, or of the builds' (`-build`)."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    world.iam.put_role_policy(RoleName=world.name + suffix, PolicyName="it", PolicyDocument=document)


def pipeline_policy(world: PipelineWorld, project: str) -> dict[str, dict[str, Any]]:
    """What the pipeline's role needs, by what it is for."""
    connection = "arn:aws:codeconnections:eu-west-1:123456789012:connection/*"
    return {
        "codeconnections:UseConnection": allowed("codeconnections:UseConnection", resource=connection),
        "codestar-connections:UseConnection": allowed("codestar-connections:UseConnection", resource=connection),
        "s3:PutObject": allowed("s3:PutObject", resource=f"arn:aws:s3:::{world.bucket}/*"),
        "codebuild:StartBuild": allowed(
            "codebuild:StartBuild", "codebuild:BatchGetBuilds", resource=f"arn:aws:codebuild:*:*:project/{project}"
        ),
    }


def build_policy(world: PipelineWorld, project: str) -> dict[str, dict[str, Any]]:
    """What the builds' role needs, by the action that misses it."""
    group = f"arn:aws:logs:*:*:log-group:/aws/codebuild/{project}"
    reports = f"arn:aws:codebuild:*:*:report-group/{project}-*"
    return {
        "logs:CreateLogGroup": allowed("logs:CreateLogGroup", resource=group),
        "logs:CreateLogStream": allowed("logs:CreateLogStream", resource=[group, f"{group}:*"]),
        "logs:PutLogEvents": allowed("logs:PutLogEvents", resource=[group, f"{group}:*"]),
        "s3:GetObject": allowed("s3:GetObject", resource=f"arn:aws:s3:::{world.bucket}/*"),
        "s3:PutObject": allowed("s3:PutObject", resource=f"arn:aws:s3:::{world.bucket}/*"),
        "codebuild:CreateReportGroup": allowed("codebuild:CreateReportGroup", resource=reports),
        "codebuild:CreateReport": allowed("codebuild:CreateReport", resource=reports),
        "codebuild:UpdateReport": allowed("codebuild:UpdateReport", resource=reports),
        "codebuild:BatchPutTestCases": allowed("codebuild:BatchPutTestCases", resource=reports),
    }


def ready(world: PipelineWorld, buildspec: str = REPORTS, *, without: str = "", build_without: str = "") -> str:
    """A pipeline with one build, whose roles lack one permission; the execution that ran."""
    project = world.make_project(buildspec)
    mine, builds = pipeline_policy(world, project), build_policy(world, project)
    give(world, "", *(statement for name, statement in mine.items() if name != without))
    give(world, "-build", *(statement for name, statement in builds.items() if name != build_without))
    return world.make_pipeline({"name": "Build", "actions": [build_action("Build", project, "Built")]})


def test_roles_with_just_what_is_needed_are_enough(world: PipelineWorld) -> None:
    execution = ready(world)
    assert world.ended(execution) == "Succeeded", world.action("Build", "Build")


@pytest.mark.parametrize(
    ("missing", "stage", "name"),
    [
        ("codeconnections:UseConnection", "Source", "Code"),
        ("codestar-connections:UseConnection", "Source", "Code"),
        ("s3:PutObject", "Source", "Code"),
        ("codebuild:StartBuild", "Build", "Build"),
    ],
)
def test_a_permission_that_the_pipelines_role_lacks_fails_the_action_and_is_named(
    world: PipelineWorld, missing: str, stage: str, name: str
) -> None:
    execution = ready(world, without=missing)
    assert world.ended(execution) == "Failed"
    error = world.action(stage, name)["errorDetails"]
    assert error["code"] == "PermissionError"
    assert f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{world.name}/" in error["message"]
    assert f"is not authorized to perform: {missing} on resource: arn:aws:" in error["message"]


@pytest.mark.parametrize(
    ("missing", "phase"),
    [
        ("logs:CreateLogGroup", "PROVISIONING"),
        ("logs:CreateLogStream", "PROVISIONING"),
        ("s3:GetObject", "DOWNLOAD_SOURCE"),
        ("s3:PutObject", "UPLOAD_ARTIFACTS"),
        ("codebuild:CreateReportGroup", "UPLOAD_ARTIFACTS"),
        ("codebuild:BatchPutTestCases", "UPLOAD_ARTIFACTS"),
    ],
)
def test_a_permission_that_the_projects_role_lacks_fails_the_build_and_is_named(
    world: PipelineWorld, missing: str, phase: str
) -> None:
    execution = ready(world, build_without=missing)
    assert world.ended(execution) == "Failed"
    run = world.action("Build", "Build")
    assert f"is not authorized to perform: {missing} on resource: " in run["errorDetails"]["message"]
    (build,) = world.codebuild.batch_get_builds(ids=[run["externalExecutionId"]])["builds"]
    failed = [one["phaseType"] for one in build["phases"] if one.get("phaseStatus") == "FAILED"]
    assert failed == [phase]


def test_a_build_has_the_credentials_of_its_role_and_no_more(world: PipelineWorld) -> None:
    from manuel_release import programs  # noqa: PLC0415

    python = str(programs.program("function", "python"))
    execution = ready(world, ASKS.replace("PYTHON", python) + "artifacts: {files: ['*']}\n")
    assert world.ended(execution) == "Failed"
    run = world.action("Build", "Build")
    (build,) = world.codebuild.batch_get_builds(ids=[run["externalExecutionId"]])["builds"]
    exported = {one["name"]: one["value"] for one in build["exportedEnvironmentVariables"]}
    assert exported["WHO"].startswith(f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{world.name}-build/AWSCodeBuild-")
    logs = world.logs.get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"]
    )["events"]
    assert any("is not authorized to perform: ssm:GetParameter" in event["message"] for event in logs)


def test_a_parameter_that_the_role_may_not_read_fails_the_download_phase(world: PipelineWorld) -> None:
    world.ssm.put_parameter(Name=f"/{world.name}", Value="x", Type="String")
    spec = f"version: 0.2\nenv: {{parameter-store: {{P: /{world.name}}}}}\nphases: {{build: {{commands: [env]}}}}\n"
    execution = ready(world, spec)
    assert world.ended(execution) == "Failed"
    message = world.action("Build", "Build")["errorDetails"]["message"]
    assert "Decrypted Variables Error: AccessDeniedException: User: arn:aws:sts::" in message
    assert f"ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:{ACCOUNT_ID}:parameter/{world.name}" in message


def test_an_approval_that_nobody_answers_fails_when_its_time_is_over(world: PipelineWorld) -> None:
    give(world, "", *pipeline_policy(world, "*").values())
    execution = world.make_pipeline({"name": "Gate", "actions": [approval(timeoutInMinutes=5)]})
    assert world.ended(execution) == "Failed"
    found = world.action("Gate", "Approve")
    assert found["status"] == "Failed"
    assert found["errorDetails"]["message"] == "The approval timed out: nobody answered within 5 minutes"
    assert "lastUpdatedBy" not in found


def test_a_build_that_takes_longer_than_its_project_allows_is_timed_out(world: PipelineWorld) -> None:
    spec = "version: 0.2\nphases: {build: {commands: [sleep 60]}}"
    project = world.make_project(spec, timeoutInMinutes=5)
    give(world, "", *pipeline_policy(world, project).values())
    give(world, "-build", *build_policy(world, project).values())
    execution = world.make_pipeline({"name": "Build", "actions": [build_action("Build", project)]})
    assert world.ended(execution) == "Failed"
    run = world.action("Build", "Build")
    (build,) = world.codebuild.batch_get_builds(ids=[run["externalExecutionId"]])["builds"]
    assert build["buildStatus"] == "TIMED_OUT"
    assert "BUILD_TIMED_OUT" in run["errorDetails"]["message"]


def test_an_approver_may_approve_and_nothing_else(world: PipelineWorld, strict: EmbeddedCloud) -> None:
    give(world, "", *pipeline_policy(world, "*").values())
    execution = world.make_pipeline({"name": "Gate", "actions": [approval()]})
    arn = f"arn:aws:codepipeline:eu-west-1:{ACCOUNT_ID}:{world.name}"
    token = world.token()
    with user(
        world,
        strict,
        allowed("codepipeline:PutApprovalResult", resource=f"{arn}/Gate/Approve"),
        allowed("codepipeline:GetPipelineState", resource=arn),
    ) as approver:
        with pytest.raises(ClientError) as error:
            approver.codepipeline.start_pipeline_execution(name=world.name)
        assert refusal(error)[0] == "AccessDeniedException"
        assert f"codepipeline:StartPipelineExecution on resource: {arn}" in refusal(error)[1]
        with pytest.raises(ClientError) as error:
            approver.codepipeline.disable_stage_transition(
                pipelineName=world.name, stageName="Gate", transitionType="Inbound", reason="no"
            )
        assert f"codepipeline:DisableStageTransition on resource: {arn}/Gate" in refusal(error)[1]
        approver.codepipeline.put_approval_result(
            pipelineName=world.name,
            stageName="Gate",
            actionName="Approve",
            token=token,
            result={"summary": "", "status": "Approved"},
        )
    assert world.ended(execution) == "Succeeded"
    assert ":user/" in world.action("Gate", "Approve")["lastUpdatedBy"]


class user:  # noqa: N801 - reads as a word
    """A new IAM user's world, with these statements."""

    def __init__(self, world: PipelineWorld, cloud: EmbeddedCloud, *statements: dict[str, Any]) -> None:
        name = unique("user")
        world.iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        world.iam.put_user_policy(UserName=name, PolicyName="it", PolicyDocument=document)
        key = world.iam.create_access_key(UserName=name)["AccessKey"]
        self.world = PipelineWorld(cloud, key["AccessKeyId"], key["SecretAccessKey"])

    def __enter__(self) -> PipelineWorld:
        return self.world

    def __exit__(self, *_error: object) -> None:
        self.world.close()


def test_codebuild_asks_for_permission_too(world: PipelineWorld, strict: EmbeddedCloud) -> None:
    project = world.make_project()
    arn = f"arn:aws:codebuild:eu-west-1:{ACCOUNT_ID}:project/{project}"
    with user(world, strict, allowed("codebuild:BatchGetProjects", resource=arn)) as reader:
        assert reader.codebuild.batch_get_projects(names=[project])["projects"]
        with pytest.raises(ClientError) as error:
            reader.codebuild.start_build(projectName=project)
    assert refusal(error)[0] == "AccessDeniedException"
    assert f"codebuild:StartBuild on resource: {arn}" in refusal(error)[1]


@pytest.mark.parametrize("service", ["codepipeline", "codebuild"])
def test_a_role_that_trusts_somebody_else_is_refused(world: PipelineWorld, service: str) -> None:
    name = unique("role")
    other = world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda"))["Role"]["Arn"]
    world.role = world.build_role = other
    declaration = world.declaration({"name": "Gate", "actions": [approval()]})
    make = {
        "codepipeline": lambda: world.codepipeline.create_pipeline(pipeline=declaration),
        "codebuild": world.make_project,
    }
    with pytest.raises(ClientError) as error:
        make[service]()
    assert other in refusal(error)[1]
    assert "AssumeRole" in refusal(error)[1]


def test_an_actions_own_role_is_assumed_with_the_pipelines(world: PipelineWorld) -> None:
    name = unique("role")
    own = world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("codepipeline"))["Role"]["Arn"]
    project = world.make_project()
    give(world, "", *pipeline_policy(world, project).values())
    execution = world.make_pipeline({"name": "Build", "actions": [build_action("Build", project, roleArn=own)]})
    assert world.ended(execution) == "Failed"
    assert f"sts:AssumeRole on resource: {own}" in world.action("Build", "Build")["errorDetails"]["message"]
    give(world, "", *pipeline_policy(world, project).values(), allowed("sts:AssumeRole", resource=own))
    second = world.start()
    until(lambda: world.execution(second)["status"] == "Failed")
    message = world.action("Build", "Build")["errorDetails"]["message"]
    assert f"assumed-role/{name}/" in message
    assert "codebuild:StartBuild" in message


def test_a_clone_needs_the_connection_with_the_builds_role_too(world: PipelineWorld) -> None:
    project = world.make_project()
    give(world, "", *pipeline_policy(world, project).values())
    give(world, "-build", *build_policy(world, project).values())
    world.make_bucket()
    world.push(**{".git/HEAD": "ref: refs/heads/main"})
    declaration = world.declaration({"name": "Build", "actions": [build_action("Build", project)]})
    declaration["stages"][0]["actions"] = [world.source_action(OutputArtifactFormat="CODEBUILD_CLONE_REF")]
    world.codepipeline.create_pipeline(pipeline=declaration)
    assert world.ended(world.executions()[0]["pipelineExecutionId"]) == "Failed"
    message = world.action("Build", "Build")["errorDetails"]["message"]
    assert f"assumed-role/{world.name}-build/" in message
    assert "is not authorized to perform: codeconnections:UseConnection on resource: arn:aws:code" in message


def test_reports_are_shown_to_who_may_see_their_group(world: PipelineWorld, strict: EmbeddedCloud) -> None:
    assert world.ended(ready(world)) == "Succeeded"
    run = world.action("Build", "Build")["externalExecutionId"]
    (build,) = world.codebuild.batch_get_builds(ids=[run])["builds"]
    (report,) = build["reportArns"]
    group = f"arn:aws:codebuild:eu-west-1:{ACCOUNT_ID}:report-group/{build['projectName']}-unit"
    with user(world, strict, allowed("codebuild:BatchGetReports", resource=group)) as reader:
        assert reader.codebuild.batch_get_reports(reportArns=[report])["reports"]
        with pytest.raises(ClientError) as error:
            reader.codebuild.describe_test_cases(reportArn=report)
    assert f"codebuild:DescribeTestCases on resource: {group}" in refusal(error)[1]


def test_a_rule_whose_role_may_not_start_the_pipeline_starts_nothing(world: PipelineWorld) -> None:
    give(world, "", *pipeline_policy(world, "*").values())
    world.make_pipeline({"name": "Gate", "actions": [approval()]})
    arn = f"arn:aws:codepipeline:eu-west-1:{ACCOUNT_ID}:{world.name}"
    name = unique("events")
    role = world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("events"))["Role"]["Arn"]
    world.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    world.events.put_targets(Rule=name, Targets=[{"Id": "it", "Arn": arn, "RoleArn": role}])
    world.events.put_events(Entries=[{"Source": name, "DetailType": "Go", "Detail": "{}"}])
    assert len(world.executions()) == 1
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [allowed("codepipeline:StartPipelineExecution", resource=arn)]}
    )
    world.iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=document)
    world.events.put_events(Entries=[{"Source": name, "DetailType": "Go", "Detail": "{}"}])
    until(lambda: len(world.executions()) == 2)
