"""`step`: the pipeline's builds move only the release of their own build, and only past a gate that holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cli.conftest import NOW
from cli.pipeline_world import USER, World

from manuel_release import flow
from manuel_release.errors import Refused
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.pipeline import ActionRun, ExecutionStatus
from manuel_release.model.stack import Stack
from manuel_release.model.traffic import ApiStage, Canary
from manuel_release.record import entry_id

CODE = "c" * 64
RECORD = {"commit": "9d01c22", "author": "dan@example.com", "code_digest": CODE}
OUTPUTS = {"ApiId": "abc", "ApiStage": "v1", "CodeDeployApplicationName": "manuel-serverless-app"}


@dataclass
class ServiceWorld(World):
    """With a service in production; whatever would move traffic raises, because nothing here answers it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stacks, self.gateway = self, self
        self.at = NOW
        self.canary: Canary | None = None

    def describe(self, name: str) -> Stack:
        return Stack(name, "arn:stack", "UPDATE_COMPLETE", outputs=OUTPUTS)

    def resources(self, name: str) -> tuple[Any, ...]:
        return ()

    def stage(self, rest_api_id: str, name: str) -> ApiStage:
        return ApiStage(rest_api_id, name, "d1", {"release": "live", "current": "r-1"}, self.canary)

    def name(self, rest_api_id: str) -> str:
        return "manuel"

    def lease(self, environment: str, api_stage: str) -> None:
        return None

    def counts(self, environment: str, release: str) -> tuple[Any, ...]:
        return ()

    def entries(self, environment: str, api_stage: str | None = None) -> tuple[Entry, ...]:
        return tuple(self.written)

    def leases(self, environment: str) -> tuple[Any, ...]:
        return ()

    def happened(self, kind: EntryKind, release: str = "r-1", **details: Any) -> None:
        self.at += timedelta(seconds=1)
        self.append(Entry(entry_id(self.at), "production", "v1", self.at, kind, release, "ann", details=details))


@pytest.fixture
def artifact(tmp_path):
    (tmp_path / "artifact.json").write_text(json.dumps(RECORD))
    return tmp_path


@pytest.fixture
def first(artifact) -> ServiceWorld:
    """The first release of production: it serves since it was deployed."""
    made = ServiceWorld()
    made.happened(EntryKind.DEPLOY_STARTED, code_digest=CODE, digest="d")
    made.happened(EntryKind.RELEASE_LIVE, versions={}, previous="")
    return made


def step(world, artifact, *arguments):
    return world("step", *arguments, "--env", "production", "--artifact", str(artifact), EXECUTION_ID="e1")


@pytest.mark.parametrize("name", ["canary", "observe"])
def test_the_first_release_serves_already_which_is_said_and_success(first, artifact, name) -> None:
    result = step(first, artifact, name)

    assert result.exit_code == 0, result.output
    assert "Nothing to do: r-1 serves since it was deployed" in result.stderr


def test_what_was_observed_is_written_for_the_people_at_the_gate(first, artifact) -> None:
    step(first, artifact, "observe", "--result", str(artifact / "reports" / "observation.json"))

    document = json.loads((artifact / "reports" / "observation.json").read_text())
    assert (document["release"], document["status"]) == ("r-1", "nothing_to_do")


@pytest.mark.parametrize("name", ["canary", "observe"])
def test_a_build_that_was_never_deployed_has_nothing_to_move(artifact, name) -> None:
    result = step(ServiceWorld(), artifact, name)

    assert result.exit_code == 3
    assert "was never deployed to production" in result.stderr


def test_a_release_that_was_rolled_back_is_not_observed(first, artifact) -> None:
    first.happened(EntryKind.ROLLED_BACK, to="r-0", receipt={})

    result = step(first, artifact, "observe")

    assert (result.exit_code, "there is nothing to observe: r-1 is rolled back" in result.stderr) == (3, True)


def test_a_canary_of_another_release_than_the_builds_is_not_observed(first, artifact) -> None:
    first.happened(EntryKind.DEPLOY_STARTED, "r-2", code_digest=CODE, digest="d2")
    first.happened(EntryKind.CANARY_STARTED, "r-2", percent=10, stable="r-1")
    first.canary = Canary(10.0, "r-3")  # by other hands

    result = step(first, artifact, "observe")

    assert (result.exit_code, "r-3 is on trial in production and not r-2" in result.stderr) == (3, True), result.output


def test_a_canary_that_has_its_share_already_is_success(first, artifact) -> None:
    first.happened(EntryKind.DEPLOY_STARTED, "r-2", code_digest=CODE, digest="d2")
    first.happened(EntryKind.RELEASE_STAGED, "r-2", versions={})
    first.happened(EntryKind.CANARY_STARTED, "r-2", percent=10, stable="r-1")

    result = step(first, artifact, "canary")

    assert (result.exit_code, "r-2 has a share of the traffic" in result.stderr) == (0, True)


def test_the_suites_expect_the_release_of_their_build_and_run_only_while_it_serves(first, artifact) -> None:
    assert step(first, artifact, "release").stdout == "r-1\n"

    first.happened(EntryKind.DEPLOY_STARTED, "r-2", code_digest="other", digest="d2")
    first.happened(EntryKind.RELEASE_LIVE, "r-2", versions={}, previous="r-1")
    result = step(first, artifact, "release")

    assert (result.exit_code, "r-1 is replaced" in result.stderr) == (3, True)


@pytest.fixture
def refused(monkeypatch) -> None:
    def deploy(*_: Any) -> Any:
        raise Refused("this code was rolled back as r-0", hint="Correct it.")

    monkeypatch.setattr(flow, "deploy", deploy)


def previewed(world, artifact):
    result = step(world, artifact, "change-set", "--to", str(artifact / "change-set.json"))
    return result, json.loads((artifact / "change-set.json").read_text())


@pytest.mark.usefixtures("refused")
def test_a_change_that_stays_refused_is_written_down_and_ends_with_3(first, artifact) -> None:
    result, document = previewed(first, artifact)

    assert (result.exit_code, "this code was rolled back as r-0" in result.stderr) == (3, True)
    assert document["not_computed"] == "this code was rolled back as r-0"


@pytest.mark.usefixtures("refused")
def test_a_change_that_cannot_be_computed_while_a_canary_runs_is_success(first, artifact) -> None:
    first.happened(EntryKind.CANARY_STARTED, "r-2", percent=10, stable="r-1")
    result, document = previewed(first, artifact)

    assert (result.exit_code, "cannot be computed now" in result.stderr) == (0, True)
    assert document["hint"] == "Correct it."


def test_nothing_is_promoted_past_a_gate_without_a_package(first, artifact) -> None:
    result = step(first, artifact, "promote", "50", "--gate", "canary")

    assert result.exit_code == 3
    assert "there is no package of the gate canary" in result.stderr


@pytest.fixture
def asked(first, artifact) -> ServiceWorld:
    """People were asked at the canary's gate."""
    package = ("--artifact", str(artifact), "--results", str(artifact), "--execution", "e1")
    assert first("approval", "package", "--gate", "canary", *package).exit_code == 0
    return first


def test_nothing_is_promoted_past_a_gate_that_nobody_passed(asked, artifact) -> None:
    result = step(asked, artifact, "promote", "50", "--gate", "canary")

    assert result.exit_code == 3
    assert "CanaryApproval/DevOps is not approved" in result.stderr


def test_past_a_gate_that_holds_the_first_release_needs_no_promotion(asked, artifact) -> None:
    at = NOW + timedelta(hours=1)
    run = ActionRun("e1", "CanaryApproval", "DevOps", "Approval", ExecutionStatus.SUCCEEDED, at, at, f"{USER}ann")
    asked.ran = (run,)

    result = step(asked, artifact, "promote", "50", "--gate", "canary")

    assert (result.exit_code, "Nothing to do" in result.stderr) == (0, True), result.output


def test_without_an_execution_nobody_can_say_who_passed_the_gate(first, artifact) -> None:
    result = first(
        "step",
        "promote",
        "50",
        "--gate",
        "canary",
        "--env",
        "production",
        "--artifact",
        str(artifact),
        "--execution",
        "",
    )

    assert result.exit_code == 2


def test_what_is_no_artifact_is_a_usage_error(first, tmp_path) -> None:
    result = step(first, tmp_path / "nowhere", "canary")

    assert (result.exit_code, "is not a packaged artifact" in result.stderr) == (2, True)
