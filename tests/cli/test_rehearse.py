"""What `rehearse` refuses before it starts anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from manuel_release.cli import root
from manuel_release.rehearsal import run

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.rehearsal.script import Script


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Script]:
    """The scripts that would have been played."""
    (tmp_path / "manuel-release.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    found: list[Script] = []

    class Player:
        def __init__(self, *given: Any) -> None:
            found.append(given[5])

        def run(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "Rehearser", Player)
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--quick", "--fault", "errors"), "--quick is the good day"),
        (("--fail-at", "Build", "--fault", "latency"), "latency cannot be rehearsed in Build"),
        (("--fail-at", "Nowhere"), "Nowhere"),
        (("--fault", "rain"), "rain"),
        (("--resume", "--quick"), "it takes no other option"),
    ],
)
def test_what_makes_no_rehearsal_is_wrong_usage(scripts, arguments, said) -> None:
    result = CliRunner().invoke(root, ["rehearse", *arguments])

    assert (result.exit_code, scripts) == (2, [])
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "good", "bad", "by_hand"),
    [
        ((), True, "errors", True),
        (("--quick",), True, None, False),
        (("--fault", "observer"), False, "observer", False),
        (("--fail-at", "CanaryApproval"), False, "approval", False),
    ],
)
def test_what_is_played(scripts, arguments, good, bad, by_hand) -> None:
    CliRunner().invoke(root, ["rehearse", *arguments])

    (script,) = scripts
    assert (script.good, script.bad.kind if script.bad else None, script.by_hand) == (good, bad, by_hand)
    assert script.approve is False


def test_without_one_that_was_interrupted_there_is_nothing_to_resume(scripts) -> None:
    result = CliRunner().invoke(root, ["rehearse", "--resume"])

    assert (result.exit_code, scripts) == (3, [])
    assert "nothing to resume" in result.stderr
    assert "rehearse --keep" in result.stderr
