"""Executions walk their pipeline as CodePipeline's do: in order, one per stage, with retries, stops and transitions."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codepipeline_world import PipelineWorld, action, approval, build_action, refusal, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

WRITES = """
version: 0.2
env: {shell: bash, exported-variables: [VERSION]}
phases:
  build:
    commands:
      - export VERSION="v-$NUMBER"
      - mkdir out && echo "$VERSION of $(cat text.txt)" > out/result.txt
artifacts: {files: ["**/*"], base-directory: out}
"""
READS = """
version: 0.2
env: {exported-variables: [SEEN]}
phases:
  build:
    commands:
      - export SEEN="$(cat result.txt) $GIVEN $CODEBUILD_RESOLVED_SOURCE_VERSION"
"""
FAILS_UNTIL = "version: 0.2\nphases: {build: {commands: ['echo x >> FILE.tries', 'test -f FILE']}}"
WAITS_FOR = "version: 0.2\nphases: {build: {commands: ['until test -f FILE; do sleep 0.05; done']}}"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        yield made  # type: ignore[misc]


def plain(name: str, value: str) -> str:
    return json.dumps([{"name": name, "value": value, "type": "PLAINTEXT"}])


def gate(name: str = "Gate") -> dict[str, Any]:
    return {"name": name, "actions": [approval()]}


def test_artifacts_and_variables_go_from_action_to_action(world: PipelineWorld) -> None:
    first, second = world.make_project(WRITES), world.make_project(READS)
    environment = {"EnvironmentVariables": plain("GIVEN", "#{Built.VERSION} #{variables.who}")}
    world.make_bucket()
    world.push("c" * 40, text__txt="the source")
    world.codepipeline.create_pipeline(
        pipeline=world.declaration(
            {
                "name": "Build",
                "actions": [
                    build_action(
                        "Build",
                        first,
                        "Built",
                        configuration={"EnvironmentVariables": plain("NUMBER", "7")},
                        namespace="Built",
                    ),
                    build_action(
                        "Check",
                        second,
                        order=2,
                        configuration=environment,
                        inputs=[{"name": "Built"}],
                        namespace="Checked",
                    ),
                ],
            },
            variables=[{"name": "who", "defaultValue": "nobody"}],
        )
    )
    execution = world.start(variables=[{"name": "who", "value": "me"}])

    assert world.ended(execution) == "Succeeded"
    found = world.codepipeline.list_action_executions(
        pipelineName=world.name, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    checked, built, code = found
    assert checked["output"]["outputVariables"] == {"SEEN": f"v-7 of the source v-7 me {'c' * 40}"}
    assert json.loads(checked["input"]["resolvedConfiguration"]["EnvironmentVariables"])[0]["value"] == "v-7 me"
    assert "#{Built.VERSION}" in checked["input"]["configuration"]["EnvironmentVariables"]
    place = built["output"]["outputArtifacts"][0]["s3location"]
    assert place["bucket"] == world.bucket
    assert place["key"].startswith(f"{world.name[:20]}/Built/")
    stored = world.s3.get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        assert archive.read("result.txt") == b"v-7 of the source\n"
    assert code["output"]["outputVariables"]["CommitId"] == "c" * 40
    described = world.execution(execution)
    assert described["variables"] == [{"name": "who", "resolvedValue": "me"}]
    assert described["artifactRevisions"][0]["revisionId"] == "c" * 40
    assert described["trigger"]["triggerType"] == "StartPipelineExecution"


def test_an_approval_waits_until_somebody_answers_with_its_token(world: PipelineWorld) -> None:
    execution = world.make_pipeline(gate())
    token = world.token()
    waiting = world.action("Gate", "Approve")
    assert waiting["status"] == "InProgress"
    assert "lastUpdatedBy" not in waiting

    world.answer(summary="Looks good")

    assert world.ended(execution) == "Succeeded"
    done = world.action("Gate", "Approve")
    assert (done["status"], done["summary"]) == ("Succeeded", "Looks good")
    assert done["lastUpdatedBy"].startswith("arn:aws:iam::")
    assert "token" not in done
    again = {"pipelineName": world.name, "stageName": "Gate", "actionName": "Approve", "token": token}
    with pytest.raises(ClientError) as error:
        world.codepipeline.put_approval_result(**again, result={"summary": "", "status": "Approved"})
    assert refusal(error)[0] == "ApprovalAlreadyCompletedException"


def test_a_rejected_approval_fails_stage_and_execution(world: PipelineWorld) -> None:
    execution = world.make_pipeline(gate(), {"name": "Never", "actions": [approval("Later")]})
    world.answer("Rejected", summary="Not today")
    assert world.ended(execution) == "Failed"
    assert world.stage("Gate")["latestExecution"] == {
        "pipelineExecutionId": execution,
        "status": "Failed",
        "type": "STANDARD",
    }
    rejected = world.action("Gate", "Approve")
    assert (rejected["status"], rejected["errorDetails"]["message"]) == ("Failed", "Not today")
    assert world.action("Never", "Later") == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "00000000-0000-4000-8000-000000000000"}, "InvalidApprovalTokenException"),
        ({"actionName": "Other"}, "ActionNotFoundException"),
        ({"stageName": "Other"}, "StageNotFoundException"),
        ({"pipelineName": "Other"}, "PipelineNotFoundException"),
        ({"token": "no-token"}, "ValidationException"),
    ],
)
def test_an_answer_to_nothing_is_refused(world: PipelineWorld, change: dict[str, str], code: str) -> None:
    world.make_pipeline(gate())
    asked = {"pipelineName": world.name, "stageName": "Gate", "actionName": "Approve", "token": world.token(), **change}
    with pytest.raises(ClientError) as error:
        world.codepipeline.put_approval_result(**asked, result={"summary": "", "status": "Approved"})
    assert refusal(error)[0] == code


def test_actions_of_one_run_order_run_together_and_all_finish_before_the_stage_fails(
    world: PipelineWorld, tmp_path: Path
) -> None:
    fails = world.make_project("version: 0.2\nphases: {build: {commands: ['false']}}")
    waits = world.make_project(WAITS_FOR.replace("FILE", str(tmp_path / "go")))
    execution = world.make_pipeline(
        {"name": "Both", "actions": [build_action("Fails", fails), build_action("Waits", waits), approval(order=2)]}
    )
    until(lambda: world.action("Both", "Fails").get("status") == "Failed")
    assert world.execution(execution)["status"] == "InProgress"
    (tmp_path / "go").touch()

    assert world.ended(execution) == "Failed"
    assert world.action("Both", "Waits")["status"] == "Succeeded"
    assert world.action("Both", "Approve") == {}
    failed = world.action("Both", "Fails")["errorDetails"]
    assert failed["code"] == "JobFailed"
    assert "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1" in failed["message"]


@pytest.mark.parametrize(("mode", "tries"), [("FAILED_ACTIONS", 1), ("ALL_ACTIONS", 2)])
def test_a_failed_stage_is_retried_and_the_execution_goes_on(
    world: PipelineWorld, tmp_path: Path, mode: str, tries: int
) -> None:
    flag, other = tmp_path / "go", tmp_path / "other"
    other.touch()
    good = world.make_project(FAILS_UNTIL.replace("FILE", str(other)))
    fails = world.make_project(FAILS_UNTIL.replace("FILE", str(flag)))
    stage = {"name": "Build", "actions": [build_action("Good", good), build_action("Fails", fails, order=2)]}
    execution = world.make_pipeline(stage, gate())
    assert world.ended(execution) == "Failed"
    flag.touch()
    retry = {"pipelineName": world.name, "stageName": "Build", "pipelineExecutionId": execution}

    world.codepipeline.retry_stage_execution(**retry, retryMode=mode)

    assert world.execution(execution)["status"] == "InProgress"
    world.answer()
    assert world.ended(execution) == "Succeeded"
    assert len((tmp_path / "other.tries").read_text().split()) == tries
    assert len((tmp_path / "go.tries").read_text().split()) == 2
    assert world.stage("Build")["retryStageMetadata"] == {
        "manualStageRetryAttempt": 1,
        "latestRetryTrigger": "ManualStageRetry",
    }
    with pytest.raises(ClientError) as error:
        world.codepipeline.retry_stage_execution(**retry, retryMode=mode)
    assert refusal(error)[0] == "StageNotRetryableException"


def test_an_older_execution_is_not_retried_when_a_newer_one_was_in_the_stage(world: PipelineWorld) -> None:
    old = world.make_pipeline(gate())
    world.answer("Rejected")
    world.ended(old)
    new = world.start()
    world.answer("Rejected")
    world.ended(new)
    with pytest.raises(ClientError) as error:
        world.codepipeline.retry_stage_execution(
            pipelineName=world.name, stageName="Gate", pipelineExecutionId=old, retryMode="FAILED_ACTIONS"
        )
    assert refusal(error)[0] == "NotLatestPipelineExecutionException"


def test_in_queued_mode_executions_wait_for_a_stage_and_enter_it_in_order(world: PipelineWorld) -> None:
    first = world.make_pipeline(gate())
    world.token()
    second, third = world.start(), world.start()
    until(lambda: len(world.stage("Gate")["inboundExecutions"]) == 2)
    inbound = world.stage("Gate")["inboundExecutions"]
    assert [one["pipelineExecutionId"] for one in inbound] == [second, third]
    for execution in (first, second, third):
        until(lambda one=execution: world.stage("Gate")["latestExecution"]["pipelineExecutionId"] == one)
        world.answer()
        assert world.ended(execution) == "Succeeded"
    assert world.stage("Gate")["inboundExecutions"] == []


def test_a_failed_stage_lets_the_next_execution_in(world: PipelineWorld) -> None:
    first = world.make_pipeline(gate())
    world.token()
    second = world.start()
    world.answer("Rejected")
    assert world.ended(first) == "Failed"
    until(lambda: world.stage("Gate")["latestExecution"]["pipelineExecutionId"] == second)


def test_in_superseded_mode_a_newer_execution_takes_the_place_of_one_that_waits(world: PipelineWorld) -> None:
    world.make_pipeline(gate(), executionMode="SUPERSEDED")
    world.token()
    second = world.start()
    until(lambda: world.stage("Gate").get("inboundExecution"))
    third = world.start()
    assert world.ended(second) == "Superseded"
    until(lambda: world.stage("Gate")["inboundExecution"]["pipelineExecutionId"] == third)


def test_a_disabled_transition_holds_an_execution_until_it_is_enabled(world: PipelineWorld) -> None:
    execution = world.make_pipeline(gate(), {"name": "After", "actions": [approval()]})
    where = {"pipelineName": world.name, "stageName": "After", "transitionType": "Inbound"}
    world.codepipeline.disable_stage_transition(**where, reason="Freeze until Monday")
    world.answer()
    until(lambda: world.stage("After").get("inboundExecution"))
    state = world.stage("After")["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "Freeze until Monday")
    assert world.stage("After")["inboundExecution"]["pipelineExecutionId"] == execution
    assert world.action("After", "Approve") == {}

    world.codepipeline.enable_stage_transition(**where)

    world.answer(stage="After")
    assert world.ended(execution) == "Succeeded"
    assert world.stage("After")["inboundTransitionState"] == {"enabled": True}


def test_a_reason_with_a_colon_is_refused(world: PipelineWorld) -> None:
    world.make_pipeline(gate())
    with pytest.raises(ClientError) as error:
        world.codepipeline.disable_stage_transition(
            pipelineName=world.name, stageName="Gate", transitionType="Inbound", reason="why: because"
        )
    code, message = refusal(error)
    assert code == "ValidationException"
    assert "at 'reason' failed to satisfy constraint: Member must satisfy regular expression pattern" in message


def stop(world: PipelineWorld, execution: str, **members: Any) -> None:
    world.codepipeline.stop_pipeline_execution(
        pipelineName=world.name, pipelineExecutionId=execution, reason="A test", **members
    )


def test_stopping_waits_for_what_runs_and_begins_nothing_more(world: PipelineWorld, tmp_path: Path) -> None:
    waits = world.make_project(WAITS_FOR.replace("FILE", str(tmp_path / "go")))
    execution = world.make_pipeline({"name": "Build", "actions": [build_action("Waits", waits), approval(order=2)]})
    until(lambda: world.action("Build", "Waits").get("status") == "InProgress")
    stop(world, execution)
    assert world.execution(execution)["status"] == "Stopping"
    assert world.stage("Build")["latestExecution"]["status"] == "Stopping"
    with pytest.raises(ClientError) as error:
        stop(world, execution)
    assert refusal(error)[0] == "DuplicatedStopRequestException"
    (tmp_path / "go").touch()

    assert world.ended(execution) == "Stopped"
    assert world.runs(execution)[1:] == [("Waits", "Succeeded")]
    assert world.stage("Build")["latestExecution"]["status"] == "Stopped"
    assert world.executions()[0]["stopTrigger"] == {"reason": "A test"}
    with pytest.raises(ClientError) as error:
        stop(world, execution)
    assert refusal(error)[0] == "PipelineExecutionNotStoppableException"


def test_stopping_and_abandoning_gives_up_what_runs(world: PipelineWorld) -> None:
    execution = world.make_pipeline(gate())
    token = world.token()
    stop(world, execution, abandon=True)
    assert world.ended(execution) == "Stopped"
    assert world.action("Gate", "Approve")["status"] == "Abandoned"
    with pytest.raises(ClientError) as error:
        world.codepipeline.put_approval_result(
            pipelineName=world.name,
            stageName="Gate",
            actionName="Approve",
            token=token,
            result={"summary": "", "status": "Approved"},
        )
    assert refusal(error)[0] == "ApprovalAlreadyCompletedException"


def test_an_execution_that_waits_before_a_stage_is_stopped_at_once(world: PipelineWorld) -> None:
    world.make_pipeline(gate())
    world.token()
    second = world.start()
    until(lambda: world.stage("Gate").get("inboundExecution"))
    stop(world, second)
    assert world.ended(second) == "Stopped"
    assert "inboundExecution" not in world.stage("Gate")


def test_a_variable_that_nothing_has_written_fails_the_action(world: PipelineWorld) -> None:
    project = world.make_project()
    wrong = build_action("Build", project, configuration={"EnvironmentVariables": plain("A", "#{Source.Commit}")})
    execution = world.make_pipeline({"name": "Build", "actions": [wrong]})
    assert world.ended(execution) == "Failed"
    assert world.action("Build", "Build")["errorDetails"] == {
        "code": "ConfigurationError",
        "message": "#{Source.Commit} refers to a namespace that no action has written",
    }


def test_a_project_that_does_not_exist_fails_the_action(world: PipelineWorld) -> None:
    execution = world.make_pipeline({"name": "Build", "actions": [build_action("Build", "nobody")]})
    assert world.ended(execution) == "Failed"
    assert world.action("Build", "Build")["errorDetails"] == {
        "code": "ConfigurationError",
        "message": "Error calling startBuild: Project cannot be found: "
        "arn:aws:codebuild:eu-west-1:123456789012:project/nobody",
    }


def test_several_inputs_are_beside_the_primary_source_and_several_outputs_are_named(world: PipelineWorld) -> None:
    makes = world.make_project("""
version: 0.2
phases: {build: {commands: ["echo one > one.txt", "echo two > two.txt"]}}
artifacts:
  secondary-artifacts: {One: {files: [one.txt]}, Two: {files: [two.txt]}}
""")
    reads = world.make_project("""
version: 0.2
env: {exported-variables: [SEEN]}
phases:
  build:
    commands:
      - export SEEN="$(cat two.txt) $(cat $CODEBUILD_SRC_DIR_One/one.txt)"
""")
    inputs = [{"name": "One"}, {"name": "Two"}]
    execution = world.make_pipeline({
        "name": "Build",
        "actions": [
            build_action("Makes", makes, "One", "Two"),
            build_action("Reads", reads, order=2, inputs=inputs, configuration={"PrimarySource": "Two"}),
        ],
    })  # fmt: skip
    assert world.ended(execution) == "Succeeded"
    details = world.codepipeline.list_action_executions(pipelineName=world.name)["actionExecutionDetails"]
    assert details[0]["output"]["outputVariables"] == {"SEEN": "two one"}


def test_events_tell_what_happens_in_order(world: PipelineWorld) -> None:
    url, arn = world.queue()
    world.events.put_rule(
        Name=world.name,
        EventPattern=json.dumps({"source": ["aws.codepipeline"], "detail": {"pipeline": [world.name]}}),
    )
    world.events.put_targets(Rule=world.name, Targets=[{"Id": "it", "Arn": arn}])
    execution = world.make_pipeline(gate())
    world.answer("Rejected", summary="No")
    world.ended(execution)

    told: list[dict[str, Any]] = []
    until(lambda: told.extend(world.received(url)) or len(told) >= 10)
    shown = [
        (
            event["detail-type"].split()[1],
            event["detail"].get("action") or event["detail"].get("stage"),
            event["detail"]["state"],
        )
        for event in told
    ]
    assert shown == [
        ("Pipeline", None, "STARTED"),
        ("Stage", "Source", "STARTED"),
        ("Action", "Code", "STARTED"),
        ("Action", "Code", "SUCCEEDED"),
        ("Stage", "Source", "SUCCEEDED"),
        ("Stage", "Gate", "STARTED"),
        ("Action", "Approve", "STARTED"),
        ("Action", "Approve", "FAILED"),
        ("Stage", "Gate", "FAILED"),
        ("Pipeline", None, "FAILED"),
    ]
    waiting, failed = told[6]["detail"], told[7]["detail"]
    assert waiting["type"] == {"owner": "AWS", "provider": "Manual", "category": "Approval", "version": "1"}
    assert failed["execution-id"] == execution
    assert failed["execution-result"] == {"external-execution-summary": "No", "error-code": "JobFailed"}
    assert told[0]["resources"] == [f"arn:aws:codepipeline:eu-west-1:123456789012:{world.name}"]
    assert (told[0]["detail"]["version"], told[0]["detail"]["pipeline-execution-attempt"]) == (1.0, 1.0)


def test_an_approval_asks_on_its_topic_in_awss_format(world: PipelineWorld) -> None:
    url, queue = world.queue()
    topic = world.sns.create_topic(Name=world.name)["TopicArn"]
    world.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    configuration = {
        "NotificationArn": topic,
        "CustomData": "Commit #{SourceVariables.CommitId}",
        "ExternalEntityLink": "https://example.com/review",
    }
    stage = {"name": "Gate", "actions": [approval(configuration=configuration, timeoutInMinutes=120)]}
    world.make_pipeline(stage)
    token = world.token()
    (received,) = until(lambda: world.received(url))
    assert received["Subject"] == f"APPROVAL NEEDED: AWS CodePipeline {world.name} for action Approve"
    message = json.loads(received["Message"])
    assert message["region"] == "eu-west-1"
    asked = message["approval"]
    assert {key: asked[key] for key in ("pipelineName", "stageName", "actionName", "token", "customData")} == {
        "pipelineName": world.name,
        "stageName": "Gate",
        "actionName": "Approve",
        "token": token,
        "customData": f"Commit {'a' * 40}",
    }
    assert asked["externalEntityLink"] == "https://example.com/review"
    assert token in asked["approvalReviewLink"]
    assert asked["expires"].endswith("Z")


def test_a_deleted_pipeline_ends_what_it_runs_without_a_word(world: PipelineWorld) -> None:
    world.make_pipeline(gate())
    world.token()
    world.codepipeline.delete_pipeline(name=world.name)
    with pytest.raises(ClientError) as error:
        world.codepipeline.get_pipeline_state(name=world.name)
    assert refusal(error)[0] == "PipelineNotFoundException"
    world.codepipeline.create_pipeline(pipeline=world.declaration(gate()))
    world.answer()
    assert world.ended(world.executions()[0]["pipelineExecutionId"]) == "Succeeded"


def test_a_client_token_starts_one_execution(world: PipelineWorld) -> None:
    world.make_pipeline(gate())
    assert world.start(clientRequestToken="once") == world.start(clientRequestToken="once")


def test_only_declared_variables_can_be_given(world: PipelineWorld) -> None:
    world.make_pipeline(gate(), variables=[{"name": "needed"}])
    with pytest.raises(ClientError) as error:
        world.start(variables=[{"name": "needed", "value": "x"}, {"name": "other", "value": "x"}])
    assert refusal(error) == ("ValidationException", f"Variable other is not declared in pipeline {world.name}")
    with pytest.raises(ClientError) as error:
        world.start()
    assert "needed" in refusal(error)[1]


def test_what_is_not_a_source_action_cannot_be_given_a_revision(world: PipelineWorld) -> None:
    world.make_pipeline(gate())
    revision = {"revisionType": "COMMIT_ID", "revisionValue": "a" * 40}
    with pytest.raises(ClientError) as error:
        world.start(sourceRevisions=[{"actionName": "Approve", **revision}])
    assert refusal(error)[0] == "ValidationException"


def test_an_approval_without_a_topic_that_exists_fails_loudly(world: PipelineWorld) -> None:
    topic = f"arn:aws:sns:eu-west-1:123456789012:{world.name}"
    stage = {
        "name": "Gate",
        "actions": [action("Approve", "Approval", "Manual", configuration={"NotificationArn": topic})],
    }
    execution = world.make_pipeline(stage)
    assert world.ended(execution) == "Failed"
    assert "could not be published" in world.action("Gate", "Approve")["errorDetails"]["message"]
