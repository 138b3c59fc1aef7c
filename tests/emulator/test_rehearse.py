"""`rehearse` when it does not get to its end, and the folders that it works in."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from fakes import Told
from tests_root import ROOT

from manuel_release.errors import EmulatorError, Refused
from manuel_release.rehearsal import detached, push, run, workspace
from manuel_release.rehearsal.process import answers
from manuel_release.rehearsal.script import Script, interrupted

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.emulator


QUICK = Script(bad=None, by_hand=False)
"""The shortest; none of these tests gets so far that it matters. `make rehearse` itself is the test of the whole."""


def test_a_rehearsal_that_fails_stops_its_cloud_says_why_and_keeps_its_logs(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    workspace.copy_tree(ROOT, broken)
    (broken / "operations.yaml").write_text("Resources: {Bad: {Type: AWS::No::Such}}\n")
    told = Told()

    done = run.Rehearser(broken, tmp_path / "rehearsal", "eu-west-1", told, print, QUICK).run()

    assert not done.ok
    assert "AWS::No::Such" in done.failure
    assert [stage.status for stage in done.stages] == ["done", "failed", "done"]
    assert done.kept == str(tmp_path / "rehearsal")
    assert "bootstrap --yes" in (tmp_path / "rehearsal" / "rehearsal.log").read_text()
    assert [result.status for result in told.ends] == ["done", "failed", "done"]


def test_a_cloud_that_is_kept_goes_on_and_there_is_no_second_one(tmp_path: Path) -> None:
    broken, kept = tmp_path / "broken", replace(QUICK, keep=True)
    workspace.copy_tree(ROOT, broken)
    (broken / "operations.yaml").write_text("Resources: {Bad: {Type: AWS::No::Such}}\n")
    (broken / ".manuel").mkdir()

    done = run.Rehearser(broken, tmp_path / "rehearsal", "eu-west-1", Told(), print, kept).run()

    running = detached.find(broken / ".manuel")
    try:
        assert running is not None
        assert running.endpoint in "".join(done.facts)
        assert answers(running.endpoint)
        with pytest.raises(Refused, match="runs already"):
            run.Rehearser(broken, tmp_path / "second", "eu-west-1", Told(), print, kept).run()
    finally:
        detached.down(broken / ".manuel")


def test_one_that_is_resumed_goes_on_where_it_was_and_repeats_nothing(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", replace(QUICK, keep=True)
    workspace.copy_tree(ROOT, root)
    (root / "operations.yaml").write_text("Resources: {Bad: {Type: AWS::No::Such}}\n")
    (root / "template.yaml").write_text("Resources: {Bad: {Type: AWS::No::Such}}\n")
    folder = root / ".manuel" / "rehearsals" / "one"
    log = folder / "rehearsal.log"

    try:
        failures = [run.Rehearser(root, folder, "eu-west-1", Told(), print, kept, "c0ffee").run().failure]
        shutil.copy(ROOT / "operations.yaml", folder / "v1")
        for _ in range(2):
            with pytest.raises(Refused, match="is at it"):
                interrupted(root / ".manuel")
            told = json.loads((folder / "script.json").read_text())
            (folder / "script.json").write_text(json.dumps({**told, "at_it": {"pid": 1, "started": "never"}}))
            begun = interrupted(root / ".manuel")
            known = begun.folder, begun.cloud.region, Told(), print, begun.script, begun.commit, begun.cloud.endpoint
            done = run.Rehearser(root, *known).run()
            failures.append(done.failure)
        (folder / "script.json").unlink()
        with pytest.raises(Refused, match="no rehearsal that is not over belongs"):
            interrupted(root / ".manuel")
    finally:
        detached.down(root / ".manuel")

    assert (begun.folder, begun.script, begun.commit) == (folder, kept, "c0ffee")
    assert ["bootstrap" in failure.splitlines()[0] for failure in failures] == [True, False, False]
    assert "deploy" in failures[2]
    assert [stage.name for stage in done.stages] == ["Embedded AWS", "Bootstrap", "First release"]
    assert [line.split()[1] for line in log.read_text().splitlines() if line.startswith("$ ")] == [
        *("bootstrap", "bootstrap", "deploy", "deploy"),
    ]


class Interrupting(Told):
    """A person who presses Ctrl-C as soon as the bootstrap begins."""

    def start(self, title: str) -> None:
        if title == "Bootstrap":
            raise KeyboardInterrupt


def test_ctrl_c_stops_the_cloud_and_says_where_the_logs_are(tmp_path: Path) -> None:
    told, before = Interrupting(), dict(os.environ)

    with pytest.raises(KeyboardInterrupt) as stopped:
        run.Rehearser(ROOT, tmp_path / "rehearsal", "eu-west-1", told, print, QUICK).run()

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
    workspace.git(one, "init", "--quiet")
    (one / ".gitignore").write_text("ignored\n")
    (one / "ignored").write_text("x")
    (one / "new.txt").write_text("y")

    workspace.copy_tree(one, tmp_path / "two")

    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == [".git", ".gitignore", "new.txt"]


def test_a_push_carries_what_git_knows_and_its_history(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    (one / "kept.txt").write_text("kept")
    (one / ".gitignore").write_text("ignored\n")
    (one / "ignored").write_text("x")
    workspace.commit(one, "first, with: a colon")

    with zipfile.ZipFile(io.BytesIO(push.packed(one))) as archive:
        names = archive.namelist()
    commit, author, email, date, subject = workspace.last_commit(one)

    assert {"kept.txt", ".gitignore", ".git/HEAD"} <= set(names)
    assert "ignored" not in names
    assert (len(commit), author, email, subject) == (40, "rehearsal", workspace.AUTHOR, "first, with: a colon")
    assert datetime.fromisoformat(date).tzinfo is not None
