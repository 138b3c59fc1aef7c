"""What people see of the pipeline, its files and its gates."""

from __future__ import annotations

from datetime import timedelta

from manuel_release.model.approval import GATES, Decision, Package, PendingApproval
from manuel_release.model.pipeline import (
    Action,
    ActionState,
    Execution,
    ExecutionStatus,
    Finding,
    Pipeline,
    PipelineState,
    Stage,
    StageState,
)
from manuel_release.view.approval import PackageScreen, PendingScreen
from manuel_release.view.pipeline import DiagramScreen, FindingsScreen, PipelineScreen, mermaid

BUILD = Action("Build", "Build", "Build", "AWS", "CodeBuild", configuration={"ProjectName": "manuel-build"})
ASK = Action("Ask", "DevOps", "Approval", "AWS", "Manual", timeout_minutes=120)
PIPELINE = Pipeline(
    "Pipeline",
    "manuel-pipeline",
    "V2",
    "QUEUED",
    "",
    "",
    stages=(
        Stage("Build", (BUILD,)),
        Stage("Ask", (ASK, Action("Ask", "Product", "Approval", "AWS", "Manual"))),
    ),
)
FINDING = Finding(
    "permission",
    "pipeline.yaml",
    "PromoteRole",
    "it does not allow logs:PutLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:/aws/codebuild/promote",
    "FullProduction/Promote50 needs it",
    "Add logs:PutLogEvents for that resource to a policy of PromoteRole.",
)


def test_findings(golden) -> None:
    other = Finding("target", "buildspecs/build.yml", "BuildProject", "`make x` asks for x", "there is none", "Add it.")
    golden("pipeline-findings", FindingsScreen((FINDING, other), "pipeline.yaml"))


def test_no_findings(drawn) -> None:
    assert drawn(FindingsScreen((), "pipeline.yaml"), "80") == "✔ Nothing is wrong with pipeline.yaml\n"


def test_the_diagram(golden) -> None:
    golden("pipeline-diagram", DiagramScreen(PIPELINE))


def test_mermaid_draws_an_arrow_to_everything_that_starts_at_the_same_time() -> None:
    assert mermaid(PIPELINE).splitlines() == [
        "flowchart TB",
        '    subgraph s1["1. Build"]',
        '        s1_1_1["Build: manuel-build"]',
        "    end",
        '    subgraph s2["2. Ask"]',
        '        s2_1_1{"DevOps: a person decides within 2 h"}',
        '        s2_1_2{"Product: a person decides within 7 d"}',
        "    end",
        "    s1_1_1 --> s2_1_1",
        "    s1_1_1 --> s2_1_2",
    ]


def test_status(golden, now) -> None:
    since = now - timedelta(minutes=25)
    failed = ActionState("Build", ExecutionStatus.FAILED, error="Build terminated with state: FAILED", changed_at=since)
    state = PipelineState(
        "manuel-pipeline",
        (
            StageState("Source", ExecutionStatus.SUCCEEDED, "e1"),
            StageState("Build", ExecutionStatus.FAILED, "e2", actions=(failed,)),
            StageState("DeployDev", open=False, closed_reason="the holidays", waiting_ids=("e2", "e3")),
            StageState(
                "ProductionApproval",
                ExecutionStatus.IN_PROGRESS,
                "e1",
                actions=(ActionState("DevOps", ExecutionStatus.IN_PROGRESS, token="t", changed_at=since),),
            ),
        ),
        (Execution("e2", ExecutionStatus.FAILED, since, since, "9d01c22f00ba", "Faster answers", "WebhookV2"),),
    )

    golden("pipeline-status", PipelineScreen(state, now))


def test_pending_approvals(golden, now) -> None:
    one = PendingApproval(GATES["production"], "devops", "DevOps", "e1", "t", now - timedelta(hours=3))

    golden("approval-list", PendingScreen((one,), now))


def test_nothing_waits(drawn, now) -> None:
    assert drawn(PendingScreen((), now), "80") == "✔ Nothing waits for a person\n"


def test_a_package(golden, now) -> None:
    package = Package("canary", "e1", "9d01c22", "", "c" * 64, "12 tests, 0 failed.", {"verdict": {"value": "good"}})
    decision = Decision("canary", "extended", "devops", "d" * 64, "extend", "e1", "arn:aws:iam::1:user/ann", now)

    golden("approval-package", PackageScreen(package, "d" * 64, (decision,)))
