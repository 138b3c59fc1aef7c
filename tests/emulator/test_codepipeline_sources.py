"""A push reaches the pipelines that it is for, and each execution builds the revision that started it."""

from __future__ import annotations

import json
import urllib.error
from typing import TYPE_CHECKING, Any

import pytest
from emulator.codepipeline_world import CONNECTION, PipelineWorld, action, build_action, packed, trust, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

SHOWS = "version: 0.2\nenv: {exported-variables: [TEXT]}\nphases: {build: {commands: ['export TEXT=$(cat a.txt)']}}"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        yield made  # type: ignore[misc]


def made(world: PipelineWorld, *, push: list[dict[str, Any]] | None = None, **configuration: str) -> None:
    """A pipeline that shows a.txt, with a trigger when `push` filters are given."""
    world.make_bucket()
    world.push("0" * 40, a__txt="first")
    declaration = world.declaration({"name": "Show", "actions": [build_action("Show", world.make_project(SHOWS))]})
    declaration["stages"][0]["actions"] = [world.source_action(**configuration)]
    if push is not None:
        git = {"sourceActionName": "Code", "push": push}
        declaration["triggers"] = [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]
    world.codepipeline.create_pipeline(pipeline=declaration)
    world.ended(world.executions()[0]["pipelineExecutionId"])


def shown(world: PipelineWorld, execution: str) -> str:
    """What a.txt said in the revision that an execution built."""
    assert world.ended(execution) == "Succeeded"
    found = world.codepipeline.list_action_executions(
        pipelineName=world.name, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    return str(found[0]["output"]["outputVariables"]["TEXT"])


def test_a_push_to_the_triggers_branch_starts_an_execution_with_that_commit(world: PipelineWorld) -> None:
    made(world, push=[{"branches": {"includes": ["main"]}}])
    answer = world.push("1" * 40, a__txt="second")
    (execution,) = answer["executions"]
    assert answer["changed"] == ["a.txt"]
    assert shown(world, execution) == "second"
    found = world.execution(execution)
    assert found["trigger"] == {"triggerType": "WebhookV2", "triggerDetail": CONNECTION}
    variables = world.codepipeline.list_action_executions(pipelineName=world.name)["actionExecutionDetails"][1][
        "output"
    ]
    assert variables["outputVariables"] == {
        "AuthorDate": "2026-11-23T10:00:00Z",
        "AuthorDisplayName": "Ada",
        "AuthorEmail": "ada@example.com",
        "BranchName": "main",
        "CommitId": "1" * 40,
        "CommitMessage": "A change",
        "ConnectionArn": CONNECTION,
        "FullRepositoryName": world.repository,
    }


@pytest.mark.parametrize(
    ("push", "branch", "starts"),
    [
        ([{"branches": {"includes": ["main"]}}], "feature", False),
        ([{"branches": {"includes": ["release/**"]}}], "release/1/2", True),
        ([{"branches": {"includes": ["release/*"]}}], "release/1/2", False),
        ([{"branches": {"includes": ["**"], "excludes": ["main"]}}], "main", False),
        ([{"branches": {"includes": ["none"]}}, {"branches": {"includes": ["ma*"]}}], "main", True),
        ([{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["src/**"]}}], "main", False),
        ([{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["*.{md,txt}"]}}], "main", True),
        (
            [{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["**"], "excludes": ["a.txt"]}}],
            "main",
            False,
        ),
        ([{"tags": {"includes": ["v*"]}}], "main", False),
    ],
)
def test_triggers_filter_branches_and_paths(
    world: PipelineWorld, push: list[dict[str, Any]], branch: str, starts: bool
) -> None:
    made(world, push=push)
    assert bool(world.push("1" * 40, branch, a__txt="second")["executions"]) is starts


@pytest.mark.parametrize(("detects", "starts"), [("true", True), ("false", False)])
def test_without_a_trigger_a_connection_detects_changes_of_its_branch(
    world: PipelineWorld, detects: str, starts: bool
) -> None:
    made(world, DetectChanges=detects)
    assert bool(world.push("1" * 40, a__txt="second")["executions"]) is starts
    assert world.push("2" * 40, "other", a__txt="third")["executions"] == []


def test_a_start_takes_the_newest_commit_or_the_one_asked_for(world: PipelineWorld) -> None:
    made(world)
    world.push("1" * 40, a__txt="second")
    revision = {"actionName": "Code", "revisionType": "COMMIT_ID", "revisionValue": "0" * 40}
    assert shown(world, world.start()) == "second"
    assert shown(world, world.start(sourceRevisions=[revision])) == "first"
    revisions = [one["sourceRevisions"][0]["revisionId"] for one in world.executions()[:2]]
    assert revisions == ["0" * 40, "1" * 40]


def test_a_source_that_nobody_pushed_fails_and_says_how_to_push(world: PipelineWorld) -> None:
    world.repository += "-unknown"
    world.make_bucket()
    world.codepipeline.create_pipeline(
        pipeline=world.declaration({"name": "Show", "actions": [build_action("Show", world.make_project(SHOWS))]})
    )
    assert world.ended(world.executions()[0]["pipelineExecutionId"]) == "Failed"
    failed = world.action("Source", "Code")["errorDetails"]
    assert failed["code"] == "RevisionUnavailable"
    assert f"/_rehearsal/sources/{world.repository}/main" in failed["message"]


def test_a_repository_of_codecommit_is_a_source_too(world: PipelineWorld) -> None:
    name = world.name
    world.make_bucket()
    world.push("0" * 40, repository=f"codecommit/{name}", a__txt="mirrored")
    declaration = world.declaration({"name": "Show", "actions": [build_action("Show", world.make_project(SHOWS))]})
    configuration = {"RepositoryName": name, "BranchName": "main", "PollForSourceChanges": "true"}
    declaration["stages"][0]["actions"] = [
        action("Code", "Source", "CodeCommit", configuration=configuration, outputArtifacts=[{"name": "Code"}])
    ]
    world.codepipeline.create_pipeline(pipeline=declaration)
    assert shown(world, world.executions()[0]["pipelineExecutionId"]) == "mirrored"
    (execution,) = world.push("1" * 40, repository=f"codecommit/{name}", a__txt="again")["executions"]
    assert shown(world, execution) == "again"
    assert world.execution(execution)["trigger"]["triggerType"] == "PollForSourceChanges"


def test_an_event_rule_starts_the_pipeline_that_is_its_target(world: PipelineWorld) -> None:
    made(world)
    role = world.iam.create_role(RoleName=f"{world.name}-events", AssumeRolePolicyDocument=trust("events"))["Role"][
        "Arn"
    ]
    world.events.put_rule(Name=world.name, EventPattern=json.dumps({"source": [world.name]}))
    arn = f"arn:aws:codepipeline:eu-west-1:123456789012:{world.name}"
    world.events.put_targets(Rule=world.name, Targets=[{"Id": "it", "Arn": arn, "RoleArn": role}])
    world.events.put_events(Entries=[{"Source": world.name, "DetailType": "Go", "Detail": "{}"}])
    found = until(lambda: [one for one in world.executions() if one["trigger"]["triggerType"] == "CloudWatchEvent"])
    assert found[0]["trigger"]["triggerDetail"].endswith(world.name)


SEES_HISTORY = "version: 0.2\nenv: {exported-variables: [TEXT]}\nphases: {build: {commands: ['export TEXT=$(ls -A)']}}"


@pytest.mark.parametrize(
    ("form", "seen"), [("CODE_ZIP", "buildspec.yml"), ("CODEBUILD_CLONE_REF", ".git\nbuildspec.yml")]
)
def test_only_a_clone_has_the_history(world: PipelineWorld, form: str, seen: str) -> None:
    world.make_bucket()
    world.push(**{"buildspec.yml": SEES_HISTORY, ".git/HEAD": "ref: refs/heads/main"})
    declaration = world.declaration({"name": "Show", "actions": [build_action("Show", world.make_project())]})
    declaration["stages"][0]["actions"] = [world.source_action(OutputArtifactFormat=form)]
    world.codepipeline.create_pipeline(pipeline=declaration)
    assert shown(world, world.executions()[0]["pipelineExecutionId"]) == seen
    assert world.push("1" * 40, **{"buildspec.yml": SEES_HISTORY, ".git/HEAD": "other"})["changed"] == []


def test_a_clone_of_what_was_put_without_its_history_fails_the_source(world: PipelineWorld) -> None:
    made(world, OutputArtifactFormat="CODEBUILD_CLONE_REF")
    failed = world.action("Source", "Code")["errorDetails"]
    assert failed["code"] == "RevisionUnavailable"
    assert "without its history" in failed["message"]


def test_a_push_to_codecommit_is_an_event_that_can_start_a_pipeline(world: PipelineWorld) -> None:
    made(world)
    role = world.iam.create_role(RoleName=f"{world.name}-events", AssumeRolePolicyDocument=trust("events"))["Role"][
        "Arn"
    ]
    resource = f"arn:aws:codecommit:eu-west-1:123456789012:{world.name}"
    detail = {"event": ["referenceCreated"], "referenceType": ["branch"], "referenceName": ["main"]}
    pattern = {"source": ["aws.codecommit"], "resources": [resource], "detail": detail}
    world.events.put_rule(Name=world.name, EventPattern=json.dumps(pattern))
    arn = f"arn:aws:codepipeline:eu-west-1:123456789012:{world.name}"
    world.events.put_targets(Rule=world.name, Targets=[{"Id": "it", "Arn": arn, "RoleArn": role}])
    mirror = f"codecommit/{world.name}"
    assert world.push("1" * 40, "other", repository=mirror)["executions"] == []
    (execution,) = world.push("2" * 40, repository=mirror)["executions"]
    assert world.execution(execution)["trigger"]["triggerType"] == "CloudWatchEvent"


@pytest.mark.parametrize(
    ("path", "commit", "body", "status"),
    [
        ("sources/owner/repository", "a" * 40, packed({"a": "b"}), 404),
        ("sources/owner/repository/main", "not hex!", packed({"a": "b"}), 400),
        ("sources/owner/repository/main", "a" * 40, b"no zip", 400),
    ],
)
def test_a_wrong_push_is_refused(world: PipelineWorld, path: str, commit: str, body: bytes, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        world.control("PUT", path, body, {"x-commit-id": commit})
    assert error.value.code == status
    error.value.close()
