"""Builders for the tests of the embedded CodePipeline and CodeBuild: roles, sources, projects, pipelines, waiting."""

from __future__ import annotations

import io
import json
import urllib.parse
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

from emulator.codedeploy_world import EMBEDDED, REGION, World, refusal
from emulator.lambda_world import unique, until

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.rehearsal.process import EmbeddedCloud

__all__ = ["EMBEDDED", "REGION", "refusal", "unique", "until"]

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded")
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT_ID}:connection/11111111-2222-3333-4444-555555555555"
ENVIRONMENT = {
    "type": "ARM_CONTAINER",
    "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}
HELLO = """
version: 0.2
phases:
  build:
    commands:
      - echo hello
"""


def packed(files: Mapping[str, str]) -> bytes:
    """A zip of texts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def trust(*services: str) -> str:
    """A trust policy for services (`codebuild`)."""
    principals = [f"{service}.amazonaws.com" for service in services]
    statement = {"Effect": "Allow", "Principal": {"Service": principals}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allowed(*actions: str, resource: str | list[str] = "*") -> dict[str, Any]:
    """An Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def action(name: str, category: str, provider: str, order: int = 1, **members: Any) -> dict[str, Any]:
    """An action of AWS; configuration and artifacts as members."""
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "runOrder": order, **members}


def build_action(name: str, project: str, *outputs: str, order: int = 1, **members: Any) -> dict[str, Any]:
    """A CodeBuild action on the source artifact `Code`."""
    configuration = {"ProjectName": project, **members.pop("configuration", {})}
    return action(
        name,
        "Build",
        "CodeBuild",
        order,
        configuration=configuration,
        inputArtifacts=members.pop("inputs", [{"name": "Code"}]),
        outputArtifacts=[{"name": output} for output in outputs],
        **members,
    )


def approval(name: str = "Approve", order: int = 1, **members: Any) -> dict[str, Any]:
    """A manual approval."""
    return action(name, "Approval", "Manual", order, **members)


class PipelineWorld(World):
    """Clients of one embedded AWS, and names of this test's own."""

    def __init__(self, cloud: EmbeddedCloud, access_key: str = ACCOUNT_ID, secret: str = EMBEDDED) -> None:
        super().__init__(cloud, access_key, secret)
        self.endpoint = cloud.endpoint
        self.name = unique("pipeline")
        self.repository = f"owner/{unique('repo')}"
        self.bucket = unique("artifacts")
        self.role = f"arn:aws:iam::{ACCOUNT_ID}:role/{self.name}"
        self.build_role = f"arn:aws:iam::{ACCOUNT_ID}:role/{self.name}-build"

    def make_bucket(self) -> str:
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        return self.bucket

    def push(self, commit: str = "a" * 40, branch: str = "main", repository: str = "", **files: str) -> dict[str, Any]:
        """Push a commit whose files are given besides a `buildspec.yml`; in their names `__` stands for a dot."""
        contents = {"buildspec.yml": HELLO, **{name.replace("__", "."): text for name, text in files.items()}}
        headers = {
            "x-commit-id": commit,
            "x-commit-message": urllib.parse.quote("A change"),
            "x-author": "Ada",
            "x-author-email": "ada@example.com",
            "x-author-date": "2026-11-23T10:00:00Z",
        }
        return self.control("PUT", f"sources/{repository or self.repository}/{branch}", packed(contents), headers)

    def control(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Ask the emulator itself."""
        request = urllib.request.Request(
            f"{self.endpoint}/_rehearsal/{path}", data=body, headers=dict(headers), method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            found: dict[str, Any] = json.load(response)
            return found

    def make_project(self, buildspec: str = "", name: str = "", **members: Any) -> str:
        """A project for pipelines; the buildspec is the source's own unless given."""
        name = name or unique("project")
        source = {"type": "CODEPIPELINE", **({"buildspec": buildspec} if buildspec else {})}
        self.codebuild.create_project(
            name=name,
            source=members.pop("source", source),
            artifacts=members.pop("artifacts", {"type": "CODEPIPELINE"}),
            environment=members.pop("environment", ENVIRONMENT),
            serviceRole=self.build_role,
            **members,
        )
        return name

    def source_action(self, **configuration: str) -> dict[str, Any]:
        given = {
            "ConnectionArn": CONNECTION,
            "FullRepositoryId": self.repository,
            "BranchName": "main",
            "DetectChanges": "false",
            **configuration,
        }
        return action(
            "Code",
            "Source",
            "CodeStarSourceConnection",
            configuration=given,
            outputArtifacts=[{"name": "Code"}],
            namespace="SourceVariables",
        )

    def declaration(self, *stages: dict[str, Any], **members: Any) -> dict[str, Any]:
        """A V2 pipeline in QUEUED mode: a source stage, and the stages given."""
        return {
            "name": self.name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": self.bucket},
            "stages": [{"name": "Source", "actions": [self.source_action()]}, *stages],
            "executionMode": "QUEUED",
            "pipelineType": "V2",
            **members,
        }

    def make_pipeline(self, *stages: dict[str, Any], **members: Any) -> str:
        """Create the pipeline, which starts its first execution; that execution's id."""
        self.make_bucket()
        self.push()
        self.codepipeline.create_pipeline(pipeline=self.declaration(*stages, **members))
        return self.executions()[0]["pipelineExecutionId"]

    def start(self, **members: Any) -> str:
        return str(self.codepipeline.start_pipeline_execution(name=self.name, **members)["pipelineExecutionId"])

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.codepipeline.list_pipeline_executions(pipelineName=self.name)[
            "pipelineExecutionSummaries"
        ]
        return found

    def execution(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = self.codepipeline.get_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=execution
        )["pipelineExecution"]
        return found

    def ended(self, execution: str) -> str:
        """The status of an execution when it has ended."""

        def status() -> str | None:
            found = self.execution(execution)["status"]
            return found if found in ENDED else None

        return str(until(status))

    def stage(self, name: str) -> dict[str, Any]:
        """A stage's state."""
        found = self.codepipeline.get_pipeline_state(name=self.name)
        return next(stage for stage in found["stageStates"] if stage["stageName"] == name)

    def action(self, stage: str, name: str) -> dict[str, Any]:
        """The latest execution of an action, empty when there is none."""
        actions = self.stage(stage)["actionStates"]
        return next(one.get("latestExecution", {}) for one in actions if one["actionName"] == name)

    def runs(self, execution: str) -> list[tuple[str, str]]:
        """Actions and their statuses, in the order of their starts."""
        found = self.codepipeline.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        return [(one["actionName"], one["status"]) for one in reversed(found)]

    def token(self, stage: str = "Gate", name: str = "Approve") -> str:
        """The token of an approval, when it waits."""
        return str(until(lambda: self.action(stage, name).get("token")))

    def answer(self, status: str = "Approved", stage: str = "Gate", name: str = "Approve", summary: str = "") -> None:
        """Approve or reject, when it waits."""
        self.codepipeline.put_approval_result(
            pipelineName=self.name,
            stageName=stage,
            actionName=name,
            result={"summary": summary or f"{status} by a test", "status": status},
            token=self.token(stage, name),
        )
