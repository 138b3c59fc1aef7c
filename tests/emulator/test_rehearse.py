"""`rehearse`, whole: what `make rehearse` runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fakes import Told
from tests_root import ROOT

from manuel_release.errors import EmulatorError
from manuel_release.rehearsal import run, workspace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.emulator


def test_a_release_goes_to_three_environments_and_a_second_one_replaces_it_in_dev(tmp_path: Path) -> None:
    told, before = Told(), dict(os.environ)

    done = run.Rehearser(ROOT, tmp_path / "rehearsal", "eu-west-1", told).run()

    assert done.failure == ""
    assert [stage.name for stage in done.stages] == [
        "Embedded AWS",
        "Bootstrap",
        "v1 to dev",
        "v1 to staging",
        "v1 to production",
        "A user",
        "v2 to dev",
        "Status",
        "Cloud down",
    ]
    assert done.releases == {"dev": "r-2", "staging": "r-1", "production": "r-1"}
    assert any(fact.startswith("Replacing v1 by v2 in dev under traffic: 0 of ") for fact in done.facts)
    assert done.facts[-1] == run.NOT_EVIDENCE
    assert any("Smoke-test" in note for note in told.notes)
    assert not (tmp_path / "rehearsal").exists()
    assert dict(os.environ) == before


def test_a_rehearsal_that_fails_stops_its_cloud_says_why_and_keeps_its_logs(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    workspace.copy_tree(ROOT, broken)
    (broken / "operations.yaml").write_text("Resources: {Bad: {Type: AWS::No::Such}}\n")
    told = Told()

    done = run.Rehearser(broken, tmp_path / "rehearsal", "eu-west-1", told).run()

    assert not done.ok
    assert "AWS::No::Such" in done.failure
    assert [stage.status for stage in done.stages] == ["done", "failed", "done"]
    assert done.kept == str(tmp_path / "rehearsal")
    assert "bootstrap --yes" in (tmp_path / "rehearsal" / "rehearsal.log").read_text()
    assert [result.status for result in told.ends] == ["done", "failed", "done"]


class Interrupting(Told):
    """A person who presses Ctrl-C as soon as the bootstrap begins."""

    def start(self, title: str) -> None:
        if title == "Bootstrap":
            raise KeyboardInterrupt


def test_ctrl_c_stops_the_cloud_and_says_where_the_logs_are(tmp_path: Path) -> None:
    told, before = Interrupting(), dict(os.environ)

    with pytest.raises(KeyboardInterrupt) as stopped:
        run.Rehearser(ROOT, tmp_path / "rehearsal", "eu-west-1", told).run()

    assert str(tmp_path / "rehearsal") in stopped.value.__notes__[0]
    assert [result.title for result in told.ends] == ["Embedded AWS", "Cloud down"]
    assert not (tmp_path / "rehearsal" / "cloud" / "tmp").exists()
    assert dict(os.environ) == before


def test_a_version_without_a_patch_is_said(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()

    with pytest.raises(EmulatorError, match="no patch for v9"):
        workspace.next_version(tmp_path / "v1", tmp_path / "v9", "v9")


def test_a_copy_has_new_files_and_none_that_git_ignores(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    workspace._git(one, "init", "--quiet")
    (one / ".gitignore").write_text("ignored\n")
    (one / "ignored").write_text("x")
    (one / "new.txt").write_text("y")

    workspace.copy_tree(one, tmp_path / "two")

    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == [".git", ".gitignore", "new.txt"]
