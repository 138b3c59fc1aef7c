"""`pipeline`: what is answered, what is done, and the exit code."""

from __future__ import annotations

import json

import pytest
from cli.pipeline_world import World, waiting
from tests_root import ROOT

from manuel_release.model.pipeline import ExecutionStatus, StageState


@pytest.fixture
def world() -> World:
    return World()


def test_validate_tells_findings_and_ends_with_1(shell, tmp_path, monkeypatch) -> None:
    for name in ("pipeline.yaml", "operations.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)  # no buildspecs here

    result = shell("pipeline", "validate", "--output", "json")

    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["valid"] is False
    assert "BuildProject" in {one["where"] for one in document["findings"] if one["rule"] == "buildspec"}
    assert "no buildspec buildspecs/build.yml" in shell("pipeline", "validate").stdout


def test_validate_outside_a_repository_says_so(shell, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = shell("pipeline", "validate")

    assert result.exit_code == 4
    assert "pipeline.yaml cannot be read" in result.stderr


def test_the_diagram_shows_eleven_stages_in_order(shell, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)

    names = [one["name"] for one in json.loads(shell("pipeline", "diagram", "--output", "json").stdout)["stages"]]
    text = shell("pipeline", "diagram").stdout

    assert len(names) == 11
    places = [text.index(f"{number} {name}") for number, name in enumerate(names, start=1)]
    assert places == sorted(places)
    assert "DevOps: a person decides within 1 d + Product: a person decides within 1 d" in text


def test_the_mermaid_diagram_has_a_subgraph_for_each_stage(shell, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)

    text = shell("pipeline", "diagram", "--format", "mermaid").stdout

    assert text.startswith("flowchart TB\n")
    assert text.count("subgraph") == text.count("    end\n") == 11
    assert "    s7_1_1 --> s7_2_1\n    s7_1_1 --> s7_2_2\n" in text


def test_status_says_what_waits_and_what_to_do(world) -> None:
    text = world("pipeline", "status").stdout

    assert "waits for a person" in text
    assert "Next: ProductionApproval: `manuel-release approval list`" in text


def test_status_as_json(world) -> None:
    document = json.loads(world("pipeline", "status", "--output", "json").stdout)

    assert document["executions"][0]["commit"] == "9d01c22f00"
    assert [one["waits_for_a_person"] for one in document["stages"][0]["actions"]] == [True, True]


def test_start_starts(world) -> None:
    document = json.loads(world("pipeline", "start", "--yes", "--reason", "why", "--output", "json").stdout)

    assert document["execution_id"] == "e2"
    assert world.made == [("start", "manuel-pipeline", {"Reason": "why"})]


def test_a_hotfix_stops_what_waits_and_rejects_it_before_it_starts(world) -> None:
    assert world("pipeline", "start", "--hotfix", "--reason", "leak", "--yes").exit_code == 0

    why = "superseded by a hotfix: leak"
    assert world.made == [
        ("stop", "manuel-pipeline", "e1", why),
        ("decide", "manuel-pipeline", "ProductionApproval", "DevOps", False, why),
        ("decide", "manuel-pipeline", "ProductionApproval", "Product", False, why),
        ("start", "manuel-pipeline", {"Reason": "leak"}),
    ]


@pytest.mark.parametrize(
    "arguments", [("start", "--hotfix"), ("stop",), ("pause", "ProductionApproval")], ids=lambda one: one[0]
)
def test_what_others_wait_for_needs_a_reason(world, arguments) -> None:
    result = world("pipeline", *arguments, "--yes")

    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert world.made == []


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (("stop",), ("stop", "manuel-pipeline", "e1", "why", False)),
        (("stop", "--abandon"), ("stop", "manuel-pipeline", "e1", "why", True)),
        (("retry", "ProductionApproval"), ("retry", "manuel-pipeline", "ProductionApproval", "e1", False)),
        (("retry", "ProductionApproval", "--all"), ("retry", "manuel-pipeline", "ProductionApproval", "e1", True)),
        (("pause", "ProductionApproval"), ("pause", "manuel-pipeline", "ProductionApproval", "why")),
        (("resume", "ProductionApproval"), ("resume", "manuel-pipeline", "ProductionApproval")),
    ],
    ids=lambda one: " ".join(map(str, one)),
)
def test_each_command_makes_its_one_call_and_none_on_a_dry_run(world, arguments, call) -> None:
    assert world("pipeline", *arguments, "--reason", "why", "--dry-run").exit_code == 0
    assert world.made == []

    assert world("pipeline", *arguments, "--reason", "why", "--yes").exit_code == 0
    assert world.made == [call]


def test_nobody_is_there_to_agree(world) -> None:
    assert world("pipeline", "start").exit_code == 2
    assert world.made == []


def test_a_stage_that_is_not_there_is_named_with_those_that_are(world) -> None:
    result = world("pipeline", "retry", "Wish", "--yes")

    assert result.exit_code == 2
    assert "it has ProductionApproval" in result.stderr


def test_nothing_runs_so_nothing_is_stopped(world) -> None:
    world.stages = (StageState("Build", ExecutionStatus.SUCCEEDED, "e1"),)

    assert world("pipeline", "stop", "--reason", "why", "--yes").exit_code == 0
    assert world.made == []


def test_a_failed_stage_and_a_closed_door_say_the_next_command(world) -> None:
    failed = StageState("Build", ExecutionStatus.FAILED, "e1")
    closed = StageState("DeployDev", open=False, closed_reason="holiday")
    world.stages = (failed, closed, waiting())

    text = world("pipeline", "status").stdout

    assert "`manuel-release pipeline retry Build`" in text
    assert "paused: holiday" in text
    assert "`manuel-release pipeline resume DeployDev`" in text
