"""`approval`: decisions on a package, from the command line to the ledger and CodePipeline."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cli.conftest import NOW
from cli.pipeline_world import USER, World

from manuel_release.model.pipeline import ActionRun, ExecutionStatus

RECORD = {"commit": "9d01c22", "author": "dan@example.com", "code_digest": "c" * 64}
JUNIT = '<testsuite name="a"><testcase/><testcase><failure/></testcase></testsuite>'


@pytest.fixture
def artifact(tmp_path):
    (tmp_path / "artifact.json").write_text(json.dumps(RECORD))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "unit.xml").write_text(JUNIT)
    return tmp_path


@pytest.fixture
def world(artifact):
    """Something waits, and its package is put together."""
    made = World()
    options = ("--artifact", str(artifact), "--results", str(artifact), "--execution", "e1")
    variables = ("--variables", str(artifact / "reports" / "approval.env"))
    result = made("approval", "package", *options, *variables, "--output", "json")
    assert result.exit_code == 0, result.output
    made.digest = json.loads(result.stdout)["package_hash"]
    return made


def decide(world, *arguments, who="ann"):
    world.who = who
    return world("approval", *arguments, "--yes")


def test_the_package_counts_tests_and_hands_its_hash_to_the_next_actions(world, artifact) -> None:
    stored = json.loads(world.objects["approvals/e1/production.json"])
    text = (artifact / "reports" / "approval.env").read_text()

    assert stored["parts"]["tests"] == {"unit": {"tests": 2, "failed": 1, "skipped": 0}}
    assert text == f"export PACKAGE_HASH={world.digest}\nexport PACKAGE_SUMMARY='2 tests, 1 failed.'\n"


def test_the_list_names_what_waits(world) -> None:
    document = json.loads(world("approval", "list", "--output", "json").stdout)

    assert [(one["gate"], one["role"]) for one in document["pending"]] == [
        ("production", "devops"),
        ("production", "product"),
    ]
    assert "`manuel-release approval show --gate production`" in world("approval", "list").stdout


def test_show_has_the_hash_and_the_parts(world) -> None:
    text = world("approval", "show").stdout

    assert f"  hash        {world.digest}\n" in text
    assert ["✖", "failed", "unit", "2", "1", "0"] in [line.split() for line in text.splitlines()]
    assert text.endswith(
        f"`manuel-release approval approve --gate production --role product --package {world.digest}`\n"
    )


def test_an_approval_is_recorded_with_the_hash_and_put(world) -> None:
    assert decide(world, "approve", "--package", world.digest).exit_code == 0

    details = world.written[-1].details
    assert (details["decision"], details["role"], details["package_hash"]) == ("approved", "devops", world.digest)
    assert world.made[0][:5] == ("decide", "manuel-pipeline", "ProductionApproval", "DevOps", True)


@pytest.mark.parametrize(
    ("who", "arguments", "words"),
    [
        ("bob", (), "does not have the role devops"),
        ("ann", ("--role", "product"), "does not have the role product"),
        ("ann", ("--choice", "full"), "cannot be chosen"),
        ("ann", ("--package", "f" * 64), "is not what was shown"),
        ("ann", ("--gate", "canary"), "the gate canary does not wait"),
    ],
)
def test_a_refusal_changes_nothing_and_ends_with_3(world, who, arguments, words) -> None:
    before = len(world.written)

    result = decide(world, "approve", "--package", world.digest, *arguments, who=who)

    assert result.exit_code == 3
    assert words in result.stderr
    assert (world.made, len(world.written)) == ([], before)


def test_yes_needs_the_hash_of_what_was_looked_at(world) -> None:
    result = decide(world, "approve")

    assert result.exit_code == 2
    assert "--package HASH" in result.stderr


def test_without_a_package_nobody_decides(world) -> None:
    world.objects.clear()

    assert "there is no package" in decide(world, "approve", "--package", "x").stderr


def test_a_rejection_needs_a_reason_and_is_put(world) -> None:
    assert decide(world, "reject").exit_code == 2

    assert decide(world, "reject", "--reason", "too slow").exit_code == 0
    assert world.made == [("decide", "manuel-pipeline", "ProductionApproval", "DevOps", False, "too slow")]
    assert world.written[-1].details["decision"] == "rejected"


def check(world, artifact, *arguments):
    return world("approval", "check", "--artifact", str(artifact), *arguments, EXECUTION_ID="e1")


def approved(action, who):
    at = NOW + timedelta(minutes=5)
    return ActionRun("e1", "ProductionApproval", action, "Approval", ExecutionStatus.SUCCEEDED, NOW, at, f"{USER}{who}")


def test_the_next_action_goes_on_when_both_approved_also_in_the_console(world, artifact) -> None:
    world.ran = (approved("DevOps", "ann"), approved("Product", "bob"))

    assert check(world, artifact).exit_code == 0


def test_the_next_action_is_refused_when_one_did_not_or_the_package_moved(world, artifact) -> None:
    world.ran = (approved("DevOps", "ann"),)
    assert check(world, artifact).exit_code == 3

    world.ran = (approved("DevOps", "ann"), approved("Product", "bob"))
    world.objects["approvals/e1/production.json"] = world.objects["approvals/e1/production.json"].replace(
        b"9d01", b"0d01"
    )
    assert "not the one that people were asked about" in check(world, artifact).stderr


def test_the_share_that_the_gate_chose_is_printed(world, artifact) -> None:
    world.ran = (approved("DevOps", "ann"), approved("Product", "bob"))

    assert check(world, artifact, "--percent", "50").stdout == "50\n"


def test_without_an_execution_nothing_is_checked(world, artifact) -> None:
    result = world("approval", "check", "--artifact", str(artifact))

    assert result.exit_code == 2
    assert "EXECUTION_ID" in result.stderr
