"""What `rollback` says and how it ends, on an AWS in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rollback_world import Production

from manuel_release.cli import root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from manuel_release.app import App
    from manuel_release.model.options import GlobalOptions
    from manuel_release.view.console import Screen


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    made = Production(tmp_path, monkeypatch)
    made.canary(10)
    return made


@pytest.fixture
def shell(world: Production) -> Callable[..., Result]:
    def build(options: GlobalOptions, screen: Screen) -> App:
        app = world.app()
        app.options, app.screen = options, screen
        return app

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(root, ["rollback", "--no-probe", *arguments], obj=build)

    return run


def test_the_line_comes_before_everything_else(shell) -> None:
    ran = shell()

    assert ran.exit_code == 0
    first = ran.stderr.splitlines()[0]
    assert first.startswith("traffic restored in ")
    assert first.endswith("(3 API calls): r-2 serves instead of r-3")


def test_it_is_production_s_where_nothing_else_is_named(shell) -> None:
    assert json.loads(shell("--output", "json").stdout)["environment"] == "production"


def test_the_document_has_what_scripts_rely_on(shell) -> None:
    answer: dict[str, Any] = json.loads(shell("--output", "json", "--reason", "wrong prices").stdout)

    named = {
        *("schema_version", "environment", "from_release", "to_release", "traffic_restored", "steps", "undo_command"),
        *("seconds_to_traffic_restored", "seconds_to_last_bad_response", "api_calls_before_restored", "incident_id"),
    }
    assert named <= answer.keys()
    assert (answer["from_release"], answer["to_release"], answer["traffic_restored"]) == ("r-3", "r-2", True)
    assert {"name", "status", "seconds", "detail"} == answer["steps"][0].keys()
    assert answer["incident_id"].startswith("i-20261123-")


def test_the_receipt_says_how_to_undo_it_and_what_is_untouched(shell) -> None:
    out = shell().stdout

    assert "r-2 serves production again instead of r-3" in out
    assert "manuel-release canary start --env production --release r-3" in out
    assert "data: what r-3 wrote to tables and buckets stays as it is" in out
    assert "manuel-release incident show i-20261123-" in out


def test_what_is_left_to_a_person_ends_with_6_and_is_said(shell, world) -> None:
    world.health_is_up = False

    ran = shell()

    assert ran.exit_code == 6
    assert "Left to do" in ran.stdout
    assert "does not answer with r-2" in ran.stdout


def test_left_to_a_person_is_a_document_too(shell, world) -> None:
    world.health_is_up = False

    ran = shell("--output", "json")

    assert ran.exit_code == 6
    assert json.loads(ran.stdout)["left"]


def test_a_release_that_is_not_there_ends_with_3(shell) -> None:
    ran = shell("--to", "r-77")

    assert ran.exit_code == 3
    assert "no such release" in ran.stderr


def test_a_dry_run_says_what_one_call_would_do(shell, world) -> None:
    ran = shell("--dry-run")

    assert ran.exit_code == 0
    assert "production would go from r-3 back to r-2" in ran.stdout
    assert "release=r-2 and the canary's share to 0 %" in ran.stdout
    assert world.aws.calls == []


def test_nothing_that_draws_is_loaded_before_traffic_is_back() -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    program = (
        "import sys, manuel_release.cli.rollback, manuel_release.rollback, manuel_release.view.rollback\n"
        "import manuel_release.model.rollback, manuel_release.settings, manuel_release.app\n"
        "late = {'rich', 'yaml', 'boto3', 'manuel_release.rollback_finish', 'manuel_release.verdict'}\n"
        "print(sorted(late & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
