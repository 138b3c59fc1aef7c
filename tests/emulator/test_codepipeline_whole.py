"""pipeline.yaml itself, with its roles enforced, from a push to the last stage.

The buildspecs are the real ones; the Makefile that they call is not: its targets only leave what the buildspecs
promise. So this shows that stages, artifacts, variables, reports, gates and permissions fit, nothing of the release.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import emulator_command
from emulator.codepipeline_world import ENDED, PipelineWorld, packed, until

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).resolve().parents[2]
STACK = "manuel-pipeline"
MAKEFILE = r"""
%:
	@echo target $@
	@mkdir -p reports tests/integration/results
	@echo '<testsuite name="it"><testcase name="it"/></testsuite>' > tests/integration/results/it.xml
	@for it in unit-tests security-scan dependency-audit; do cp tests/integration/results/it.xml reports/$$it.xml; done
	@echo '<coverage/>' > reports/coverage.xml
	@printf 'export PACKAGE_HASH=abc\nexport PACKAGE_SUMMARY=fine\n' > reports/approval.env
"""
PATIENCE_SECONDS = 90.0


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    options = Options(auth=True, command=emulator_command())
    with EmbeddedCloud.start(tmp_path_factory.mktemp("whole"), options) as running:
        yield running


@pytest.fixture
def world(strict: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(strict) as made:
        assert isinstance(made, PipelineWorld)
        yield made


def settled(world: PipelineWorld) -> bool:
    status = world.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    assert "ROLLBACK" not in status, [
        event["ResourceStatusReason"]
        for event in world.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        if "ResourceStatusReason" in event
    ]
    return bool(status == "CREATE_COMPLETE")


def approve_whatever_waits(world: PipelineWorld) -> None:
    for stage in world.codepipeline.get_pipeline_state(name=world.name)["stageStates"]:
        for one in stage["actionStates"]:
            if "token" in one.get("latestExecution", {}):
                world.answer(stage=stage["stageName"], name=one["actionName"])


def test_the_pipeline_of_this_repository_runs_with_its_own_roles(world: PipelineWorld) -> None:
    world.make_bucket()
    topic = world.sns.create_topic(Name="manuel-deployment-notifications")["TopicArn"]
    for name, value in (("ledger", "manuel-releases"), ("artifacts", world.bucket), ("topic", topic)):
        world.ssm.put_parameter(Name=f"/manuel/operations/{name}", Value=value, Type="String")
    template = (ROOT / "pipeline.yaml").read_bytes()
    world.s3.put_object(Bucket=world.bucket, Key="pipeline.yaml", Body=template)
    contents = {f"buildspecs/{path.name}": path.read_text() for path in (ROOT / "buildspecs").glob("*.yml")}
    clone = packed({**contents, "Makefile": MAKEFILE, ".git/HEAD": "ref: refs/heads/main"})
    world.control("PUT", "sources/manuel/manuel-backend/main", clone, {"x-commit-id": "a" * 40})
    world.cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{world.endpoint}/{world.bucket}/pipeline.yaml",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    until(lambda: settled(world), PATIENCE_SECONDS)
    outputs = world.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    world.name = next(one["OutputValue"] for one in outputs if one["OutputKey"] == "PipelineName")
    execution = world.executions()[0]["pipelineExecutionId"]

    def ended() -> str:
        approve_whatever_waits(world)
        status = world.execution(execution)["status"]
        return status if status in ENDED else ""

    status = until(ended, PATIENCE_SECONDS)

    state = world.codepipeline.get_pipeline_state(name=world.name)["stageStates"]
    failed = [
        (one["actionName"], one["latestExecution"]["errorDetails"])
        for stage in state
        for one in stage["actionStates"]
        if "errorDetails" in one.get("latestExecution", {})
    ]
    assert (status, failed) == ("Succeeded", [])
    assert len(state) == 11
    assert {stage["latestExecution"]["status"] for stage in state} == {"Succeeded"}
