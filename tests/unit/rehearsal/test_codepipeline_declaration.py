"""Which pipelines are refused, and with which sentence."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release.rehearsal.emulator.codepipeline import declaration, rules

if TYPE_CHECKING:
    from collections.abc import Callable


def action(name: str, category: str, provider: str, **members: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **members}


def sound() -> dict[str, Any]:
    """A pipeline that AWS takes."""
    source = action(
        "Code",
        "Source",
        "CodeStarSourceConnection",
        configuration={"ConnectionArn": "arn", "FullRepositoryId": "o/r", "BranchName": "main"},
        outputArtifacts=[{"name": "Source"}],
        namespace="SourceVariables",
    )
    build = action(
        "Build",
        "Build",
        "CodeBuild",
        configuration={
            "ProjectName": "p",
            "EnvironmentVariables": json.dumps([{"name": "A", "value": "#{SourceVariables.CommitId}"}]),
        },
        inputArtifacts=[{"name": "Source"}],
        outputArtifacts=[{"name": "Built"}],
        namespace="Build",
    )
    approve = action("Approve", "Approval", "Manual", timeoutInMinutes=120)
    deploy = action(
        "Deploy",
        "Deploy",
        "CloudFormation",
        runOrder=2,
        configuration={
            "ActionMode": "CREATE_UPDATE",
            "StackName": "s",
            "RoleArn": "arn",
            "TemplatePath": "Built::template.yaml",
        },
        inputArtifacts=[{"name": "Built"}],
    )
    return {
        "name": "it",
        "roleArn": "arn:aws:iam::123456789012:role/r",
        "artifactStore": {"type": "S3", "location": "bucket"},
        "pipelineType": "V2",
        "executionMode": "QUEUED",
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Build", "actions": [build]},
            {"name": "Release", "actions": [approve, deploy]},
        ],
        "triggers": [
            {"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Code", "push": []}}
        ],
    }


def problems(pipeline: dict[str, Any]) -> list[declaration.Problem]:
    return list(declaration.problems(pipeline, "eu-west-1"))


def stage(pipeline: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = pipeline["stages"][number]
    return found


def first(pipeline: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = pipeline["stages"][number]["actions"][0]
    return found


def condition(provider: str, result: str, **configuration: str) -> dict[str, Any]:
    rule = {
        "name": "Rule",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
    }
    return {"conditions": [{"result": result, "rules": [rule]}]}


def test_a_sound_pipeline_is_not_refused() -> None:
    assert problems(sound()) == []


WRONG: list[tuple[Callable[[dict[str, Any]], object], str, str]] = [
    (lambda p: p.update(stages=p["stages"][:1]), "InvalidStructureException", "There should be a minimum of 2 stages"),
    (lambda p: p.update(executionMode="PARALLEL"), "InvalidStructureException", "PARALLEL is not emulated"),
    (lambda p: p.update(pipelineType="V1"), "InvalidStructureException", "V1 does not support execution mode QUEUED"),
    (lambda p: p.pop("artifactStore"), "ValidationException", "Exactly one of artifactStore"),
    (lambda p: p.update(variables=[{"name": "A"}, {"name": "A"}]), "ValidationException", "A is declared twice"),
    (lambda p: stage(p, 1).update(name="Source"), "InvalidStructureException", "'Source' is used more than once"),
    (lambda p: stage(p, 1).update(actions=[]), "InvalidStageDeclarationException", "has 0 actions"),
    (
        lambda p: stage(p, 2)["actions"].append(copy.deepcopy(first(p, 2))),
        "InvalidStageDeclarationException",
        "Action name 'Approve' is used more than once in stage 'Release'",
    ),
    (lambda p: p["stages"].reverse(), "InvalidStructureException", "start with a stage that only contains source"),
    (
        lambda p: first(p, 1)["configuration"].pop("ProjectName"),
        "InvalidActionDeclarationException",
        "Action configuration for action 'Build' is missing required configuration 'ProjectName'",
    ),
    (
        lambda p: first(p, 1)["configuration"].update(Projectname="x"),
        "InvalidActionDeclarationException",
        "Action configuration for action 'Build' contains unknown configuration 'Projectname'",
    ),
    (
        lambda p: first(p, 1)["configuration"].update(EnvironmentVariables="{}"),
        "InvalidActionDeclarationException",
        "is not a JSON list",
    ),
    (
        lambda p: first(p, 1)["configuration"].update(BatchEnabled="true"),
        "InvalidActionDeclarationException",
        "batch builds do not run here",
    ),
    (
        lambda p: first(p, 1)["configuration"].update(PrimarySource="Other"),
        "InvalidActionDeclarationException",
        "PrimarySource 'Other' of action 'Build' is not one of its input artifacts",
    ),
    (
        lambda p: first(p, 1).update(inputArtifacts=[{"name": "Nothing"}]),
        "InvalidStructureException",
        "Input artifact 'Nothing' of action 'Build' is not the output of an earlier action",
    ),
    (
        lambda p: first(p, 1).update(outputArtifacts=[{"name": "Source"}]),
        "InvalidStructureException",
        "Output artifact 'Source' is used more than once",
    ),
    (lambda p: first(p, 1).update(inputArtifacts=[]), "InvalidActionDeclarationException", "has 0 input artifacts"),
    (
        lambda p: first(p, 1).update(timeoutInMinutes=5),
        "InvalidActionDeclarationException",
        "only available to the manual",
    ),
    (lambda p: first(p, 1).update(region="us-east-1"), "InvalidActionDeclarationException", "cross-region"),
    (lambda p: first(p, 1).update(namespace="SourceVariables"), "InvalidStructureException", "more than one action"),
    (lambda p: first(p, 1).update(namespace="codepipeline"), "InvalidStructureException", "'codepipeline' is reserved"),
    (
        lambda p: first(p, 1)["actionTypeId"].update(provider="Jenkins"),
        "InvalidActionDeclarationException",
        "ActionType (Category: 'Build', Provider: 'Jenkins', Owner: 'AWS', Version: '1') in action 'Build'",
    ),
    (
        lambda p: first(p, 0)["configuration"].update(OutputArtifactFormat="TAR"),
        "InvalidActionDeclarationException",
        "OutputArtifactFormat 'TAR' of action 'Code' is neither CODE_ZIP nor CODEBUILD_CLONE_REF",
    ),
    (
        lambda p: first(p, 2).update(configuration={"CustomData": "#{Broken}"}),
        "InvalidActionDeclarationException",
        "is not a valid variable reference",
    ),
    (
        lambda p: stage(p, 2)["actions"][1]["configuration"].update(ActionMode="REPLACE_ON_FAILURE"),
        "InvalidActionDeclarationException",
        "ActionMode 'REPLACE_ON_FAILURE' of action 'Deploy' is not emulated",
    ),
    (
        lambda p: stage(p, 2)["actions"][1]["configuration"].update(TemplatePath="Other::t"),
        "InvalidActionDeclarationException",
        "TemplatePath of action 'Deploy' names an artifact",
    ),
    (
        lambda p: stage(p, 2)["actions"][1]["configuration"].update(ParameterOverrides="x" * 1025),
        "InvalidActionDeclarationException",
        "longer than one kilobyte",
    ),
    (
        lambda p: p["triggers"][0]["gitConfiguration"].update(sourceActionName="Other"),
        "ValidationException",
        "The trigger's source action Other is not an action of the first stage",
    ),
    (
        lambda p: p["triggers"][0]["gitConfiguration"].update(pullRequest=[{"events": ["OPEN"]}]),
        "InvalidStructureException",
        "Triggers on pull requests are not emulated",
    ),
    (
        lambda p: stage(p, 1).update(onFailure={"result": "SKIP"}),
        "InvalidStageDeclarationException",
        "the result SKIP is not allowed",
    ),
    (
        lambda p: stage(p, 1).update(onFailure={"result": "ROLLBACK", **condition("VariableCheck", "ROLLBACK")}),
        "InvalidStageDeclarationException",
        "has a result and conditions",
    ),
    (
        lambda p: stage(p, 1).update(beforeEntry=condition("CloudWatchAlarm", "SKIP", AlarmName="a")),
        "InvalidStageDeclarationException",
        "SKIP is only for the rules LambdaInvoke and VariableCheck",
    ),
    (
        lambda p: stage(p, 1).update(onSuccess=condition("CodeBuild", "FAIL", ProjectName="a")),
        "InvalidStageDeclarationException",
        "rule 'Rule' of provider CodeBuild is not emulated",
    ),
    (
        lambda p: stage(p, 1).update(onSuccess=condition("CloudWatchAlarm", "FAIL")),
        "InvalidStageDeclarationException",
        "rule 'Rule' is missing required configuration 'AlarmName'",
    ),
    (
        lambda p: stage(p, 1).update(onSuccess=condition("DeploymentWindow", "FAIL", Cron="* * *")),
        "InvalidStageDeclarationException",
        "a Quartz cron expression has 6 or 7 fields",
    ),
]


@pytest.mark.parametrize(("change", "code", "said"), WRONG, ids=[said for _change, _code, said in WRONG])
def test_a_wrong_pipeline_is_refused_with_what_is_wrong(
    change: Callable[[dict[str, Any]], object], code: str, said: str
) -> None:
    pipeline = sound()
    change(pipeline)
    assert any(problem.code == code and said in problem.message for problem in problems(pipeline)), problems(pipeline)


@pytest.mark.parametrize(
    ("operator", "found", "expected", "holds"),
    [
        ("EQ", "a", "a", True),
        ("EQ", "a", "b", False),
        ("NE", "a", "b", True),
        ("CONTAINS", "hotfix of", "hotfix", True),
        ("CONTAINS", "fix", "hotfix", False),
        ("MATCHES", "r-12", r"r-\d+", True),
        ("MATCHES", "r-12x", r"r-\d+", False),
    ],
)
def test_a_variable_is_compared(operator: str, found: str, expected: str, holds: bool) -> None:
    given = {"Variable": found, "Operator": operator, "Value": expected}
    assert rules.check_variable(given) is holds
