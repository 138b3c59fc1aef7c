"""A stage's gates: what holds an execution back, what rolls a stage back, what is tried again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codepipeline_world import PipelineWorld, approval, build_action, refusal, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

TRIES = "version: 0.2\nphases: {build: {commands: ['echo $NUMBER >> FILE.tries', 'test -f FILE']}}"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        yield made  # type: ignore[misc]


def condition(result: str, *rules: tuple[str, dict[str, str]]) -> dict[str, Any]:
    """A gate with one condition; rules are (provider, configuration)."""
    declared = [
        {
            "name": f"Rule{number}",
            "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"},
            "configuration": configuration,
        }
        for number, (provider, configuration) in enumerate(rules)
    ]
    return {"conditions": [{"result": result, "rules": declared}]}


def check(value: str) -> tuple[str, dict[str, str]]:
    return "VariableCheck", {"Variable": "#{variables.mode}", "Operator": "EQ", "Value": value}


MODE = [{"name": "mode", "defaultValue": "normal"}]


def rule_states(world: PipelineWorld, stage: str, gate: str) -> list[tuple[str, str]]:
    found = world.stage(stage)[f"{gate}ConditionState"]["conditionStates"][0]["ruleStates"]
    return [(one["ruleName"], one["latestExecution"]["status"]) for one in found]


def test_an_entry_condition_that_holds_lets_in(world: PipelineWorld) -> None:
    stage = {"name": "Gate", "actions": [approval()], "beforeEntry": condition("FAIL", check("normal"))}
    world.make_pipeline(stage, variables=MODE)
    world.token()
    assert rule_states(world, "Gate", "beforeEntry") == [("Rule0", "Succeeded")]


@pytest.mark.parametrize(("result", "status"), [("FAIL", "Failed"), ("SKIP", "Skipped")])
def test_an_entry_condition_that_does_not_hold_fails_or_skips_the_stage(
    world: PipelineWorld, result: str, status: str
) -> None:
    entry = condition(result, check("normal"), check("hotfix"))
    stage = {"name": "Gate", "actions": [approval()], "beforeEntry": entry}
    execution = world.make_pipeline(stage, {"name": "Last", "actions": [approval()]}, variables=MODE)
    until(lambda: world.stage("Gate").get("latestExecution", {}).get("status") == status)
    assert world.action("Gate", "Approve") == {}
    assert rule_states(world, "Gate", "beforeEntry") == [("Rule0", "Succeeded"), ("Rule1", "Failed")]
    if result == "SKIP":
        world.answer(stage="Last")
        assert world.ended(execution) == "Succeeded"
    else:
        assert world.ended(execution) == "Failed"


@pytest.mark.parametrize(("state", "status"), [("OK", "Succeeded"), ("ALARM", "Failed")])
def test_an_alarm_decides_whether_a_stage_has_succeeded(world: PipelineWorld, state: str, status: str) -> None:
    alarm = world.alarm(state)
    gate = condition("FAIL", ("CloudWatchAlarm", {"AlarmName": alarm}))
    execution = world.make_pipeline({"name": "Gate", "actions": [approval()], "onSuccess": gate})
    world.answer()
    assert world.ended(execution) == status


@pytest.mark.parametrize(
    ("cron", "said"),
    [("* * * ? * * *", ""), ("* * * ? * * 1999", "outside the window"), ("* * * * * *", "one of the days")],
)
def test_a_window_decides_when_a_stage_is_entered(world: PipelineWorld, cron: str, said: str) -> None:
    entry = condition("FAIL", ("DeploymentWindow", {"Cron": cron, "TimeZone": "Europe/Vienna"}))
    execution = world.make_pipeline({"name": "Gate", "actions": [approval()], "beforeEntry": entry})
    if not said:
        world.token()
        return
    assert world.ended(execution) == "Failed"
    assert said in world.stage("Gate")["beforeEntryConditionState"]["latestExecution"]["summary"]


@pytest.mark.parametrize(("source", "status"), [("return 1", "Succeeded"), ("raise ValueError('not today')", "Failed")])
def test_a_function_decides(world: PipelineWorld, source: str, status: str) -> None:
    function = world.make_function(f"def handler(event, context):\n    {source}\n", versions=0)
    gate = condition("FAIL", ("LambdaInvoke", {"FunctionName": function}))
    execution = world.make_pipeline({"name": "Gate", "actions": [approval()], "onSuccess": gate})
    world.answer()
    assert world.ended(execution) == status
    if status == "Failed":
        assert "not today" in world.stage("Gate")["onSuccessConditionState"]["latestExecution"]["summary"]


def test_a_stage_that_retries_itself_does_so_once(world: PipelineWorld, tmp_path: Path) -> None:
    project = world.make_project(TRIES.replace("FILE", str(tmp_path / "never")))
    stage = {"name": "Build", "actions": [build_action("Build", project)], "onFailure": {"result": "RETRY"}}
    execution = world.make_pipeline(stage)
    assert world.ended(execution) == "Failed"
    assert len((tmp_path / "never.tries").read_text().splitlines()) == 2
    assert world.stage("Build")["retryStageMetadata"] == {
        "autoStageRetryAttempt": 1,
        "latestRetryTrigger": "AutomatedStageRetry",
    }


def numbered(world: PipelineWorld, project: str, **gates: Any) -> dict[str, Any]:
    environment = json.dumps([{"name": "NUMBER", "value": "#{variables.number}"}])
    action = build_action("Build", project, configuration={"EnvironmentVariables": environment})
    return {"name": "Build", "actions": [action], **gates}


@pytest.mark.parametrize(
    "gates", [{"onFailure": {"result": "ROLLBACK"}}, {"onFailure": condition("ROLLBACK", check("normal"))}]
)
def test_a_failed_stage_is_rolled_back_to_what_succeeded_there(
    world: PipelineWorld, tmp_path: Path, gates: dict[str, Any]
) -> None:
    flag = tmp_path / "go"
    flag.touch()
    project = world.make_project(TRIES.replace("FILE", str(flag)))
    variables = [{"name": "number", "defaultValue": "1"}, *MODE]
    good = world.make_pipeline(numbered(world, project, **gates), variables=variables)
    assert world.ended(good) == "Succeeded"
    flag.unlink()
    bad = world.start(variables=[{"name": "number", "value": "2"}])
    assert world.ended(bad) == "Failed"
    back = until(lambda: [one for one in world.executions() if one["executionType"] == "ROLLBACK"])[0]
    assert back["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": good}
    assert back["trigger"]["triggerType"] == "AutomatedRollback"
    world.ended(back["pipelineExecutionId"])
    assert (tmp_path / "go.tries").read_text().split() == ["1", "2", "1"]


def test_a_stage_is_rolled_back_when_somebody_asks(world: PipelineWorld, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    project = world.make_project(TRIES.replace("FILE", str(tmp_path / "go")))
    variables = [{"name": "number", "defaultValue": "1"}]
    first = world.make_pipeline(
        numbered(world, project), {"name": "Gate", "actions": [approval()]}, variables=variables
    )
    world.answer()
    assert world.ended(first) == "Succeeded"
    second = world.start(variables=[{"name": "number", "value": "2"}])
    world.answer()
    assert world.ended(second) == "Succeeded"
    asked = {"pipelineName": world.name, "stageName": "Build"}

    back = world.codepipeline.rollback_stage(**asked, targetPipelineExecutionId=first)["pipelineExecutionId"]

    assert world.ended(back) == "Succeeded"
    assert (tmp_path / "go.tries").read_text().split() == ["1", "2", "1"]
    assert world.stage("Build")["latestExecution"] == {
        "pipelineExecutionId": back,
        "status": "Succeeded",
        "type": "ROLLBACK",
    }
    assert world.action("Gate", "Approve")["status"] == "Succeeded"
    with pytest.raises(ClientError) as error:
        world.codepipeline.rollback_stage(**asked, targetPipelineExecutionId=back)
    assert refusal(error)[0] == "UnableToRollbackStageException"


def test_overriding_a_condition_is_refused_and_says_what_to_do(world: PipelineWorld) -> None:
    execution = world.make_pipeline({"name": "Gate", "actions": [approval()]})
    with pytest.raises(ClientError) as error:
        world.codepipeline.override_stage_condition(
            pipelineName=world.name, stageName="Gate", pipelineExecutionId=execution, conditionType="BEFORE_ENTRY"
        )
    assert refusal(error) == (
        "ConditionNotOverridableException",
        "Overriding a stage's condition is not emulated; retry the stage",
    )
