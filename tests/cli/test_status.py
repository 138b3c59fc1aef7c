"""`manuel-release status`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cli.conftest import EmptyAws
from cli.pipeline_world import waiting
from click.testing import CliRunner
from rollback_world import Production

from manuel_release.cli import root
from manuel_release.errors import AccessError, ReleaseError, SettingsError
from manuel_release.model.pipeline import ExecutionStatus, PipelineState, StageState


def test_every_environment_is_shown_in_the_order_of_a_release(shell):
    result = shell("status")

    assert (result.exit_code, result.stderr) == (0, "")
    assert [line for line in result.stdout.splitlines() if not line.startswith(" ") and line] == [
        "• dev: nothing deployed",
        "• staging: nothing deployed",
        "• production: nothing deployed",
    ]


def test_env_shows_that_one(shell):
    document = json.loads(shell("status", "--env", "prod", "--output", "json").stdout)

    assert [(one["name"], one["stack"]) for one in document["environments"]] == [("production", "manuel-prod")]


def test_json_is_one_document_with_the_documented_keys(shell):
    result = shell("--output", "json", "status")

    document = json.loads(result.stdout)
    assert document["schema_version"] == 1
    assert [one["name"] for one in document["environments"]] == ["dev", "staging", "production"]
    assert {
        "name",
        "stack",
        "stack_status",
        "live_release",
        "pinned_release",
        "canary",
        "alarms",
        "lease",
        "freeze",
        "pending_approvals",
    } <= set(document["environments"][0])


def test_without_a_ledger_what_aws_knows_is_shown_all_the_same(shell):
    shell.ledger = SettingsError("this account has no ledger", hint="Run `manuel-release bootstrap`.")
    result = shell("status", "--env", "dev")

    assert result.exit_code == 0
    assert result.stderr == "Warning: this account has no ledger. Run `manuel-release bootstrap`.\n"
    assert "the ledger cannot be read" in result.stdout


@dataclass
class Gates(EmptyAws):
    """A pipeline that SSM names, and what asking for it answers or raises; `asked`: the names that were asked for."""

    name: str | ReleaseError | None = "manuel-delivery"
    answer: tuple[StageState, ...] | ReleaseError = ()
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parameters = self.pipelines = self  # type: ignore[assignment]

    def get(self, name: str) -> str | None:
        assert name == "/manuel/pipeline/name"
        if isinstance(self.name, ReleaseError):
            raise self.name
        return self.name

    def state(self, name: str) -> PipelineState:
        self.asked.append(name)
        if isinstance(self.answer, ReleaseError):
            raise self.answer
        return PipelineState(name, self.answer)


def told(shell: Any, gates: Gates, *more: str) -> dict[str, Any]:
    """What `status` says of each environment."""
    shell.aws = gates
    result = shell("status", "--output", "json", *more)
    assert result.exit_code == 0, result.output
    return {one["name"]: one for one in json.loads(result.stdout)["environments"]}


def test_what_waits_for_a_person_is_production_s(shell):
    gates = Gates(answer=(waiting("DevOps", "Product"),))

    found = told(shell, gates)

    assert found["production"]["pending_approvals"] == ["ProductionApproval/DevOps", "ProductionApproval/Product"]
    assert found["dev"]["pending_approvals"] == found["staging"]["pending_approvals"] == []
    assert found["production"]["note"] == ""
    assert gates.asked == ["manuel-delivery"]


def test_an_approval_that_was_given_waits_no_more(shell):
    given = StageState("ProductionApproval", ExecutionStatus.SUCCEEDED, "e1")

    assert told(shell, Gates(answer=(given,)))["production"]["pending_approvals"] == []


def test_other_environments_do_not_ask_the_pipeline(shell):
    gates = Gates(answer=(waiting("DevOps"),))

    told(shell, gates, "--env", "dev")

    assert gates.asked == []


def test_without_a_pipeline_nothing_waits_and_nothing_is_noted(shell):
    gates = Gates(name=None)

    found = told(shell, gates)["production"]

    assert (found["pending_approvals"], found["note"], gates.asked) == ([], "", [])


@pytest.mark.parametrize(
    "gates",
    [
        Gates(name=AccessError("not allowed to read it: ssm:GetParameter")),
        Gates(answer=AccessError("not allowed to read it: codepipeline:GetPipelineState")),
        Gates(answer=SettingsError("there is no pipeline manuel-delivery in eu-west-1")),
    ],
)
def test_a_pipeline_that_cannot_be_asked_is_a_note_and_no_failure(shell, gates):
    found = told(shell, gates)["production"]

    why = gates.name if isinstance(gates.name, ReleaseError) else gates.answer
    assert found["pending_approvals"] == []
    assert found["note"] == f"pending approvals are not known: {why.message}"
    assert found["condition"] == "empty"


def test_the_first_rollback_of_a_machine_that_looked_before_needs_two_calls(tmp_path, monkeypatch):
    world = Production(tmp_path, monkeypatch)
    world.canary(10)

    def build(options, screen):
        app = world.app()
        app.options, app.screen = options, screen
        return app

    looked = CliRunner().invoke(root, ["status", "--env", "production"], obj=build)
    rolled = CliRunner().invoke(root, ["rollback", "--no-probe"], obj=build)

    assert (looked.exit_code, rolled.exit_code) == (0, 0), looked.output + rolled.output
    assert rolled.stderr.splitlines()[0].endswith("(2 API calls): r-2 serves instead of r-3")
