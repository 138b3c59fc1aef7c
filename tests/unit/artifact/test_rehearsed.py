"""The stamp of a rehearsal: put on a commit, read from it, and needed where the settings say so."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from manuel_release.artifact import source
from manuel_release.rehearsal import stamp, workspace

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("one")
    workspace.commit(folder, "one")
    return folder


def test_days_are_added_to_those_that_the_commit_has(repository: Path) -> None:
    commit = stamp.put(repository, ["good day", "errors in DeployCanary"], NOW)
    stamp.put(repository, ["good day", "by hand"], NOW)

    assert commit == source.commit(repository)
    assert source.rehearsed(repository) == ("good day", "errors in DeployCanary", "by hand")


def test_a_tree_that_is_not_its_commit_gets_no_stamp_and_has_none(repository: Path) -> None:
    stamp.put(repository, ["good day"], NOW)
    (repository / "file").write_text("two")

    assert stamp.put(repository, ["by hand"], NOW) == ""
    assert source.rehearsed(repository) == ()


def test_the_next_commit_is_not_rehearsed(repository: Path) -> None:
    stamp.put(repository, ["good day"], NOW)
    (repository / "file").write_text("two")
    workspace.commit(repository, "two")

    assert source.rehearsed(repository) == ()


def test_a_clone_asks_where_it_came_from(repository: Path, tmp_path: Path) -> None:
    stamp.put(repository, ["good day"], NOW)
    clone = tmp_path / "clone"
    workspace.git(tmp_path, "clone", "--quiet", str(repository), str(clone))

    assert source.rehearsed(clone) == ("good day",)


def test_asking_where_it_came_from_keeps_the_stamps_that_nobody_pushed(repository: Path, tmp_path: Path) -> None:
    stamp.put(repository, ["good day"], NOW)
    clone = tmp_path / "clone"
    workspace.git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    first = stamp.put(clone, ["by hand"], NOW)
    (clone / "file").write_text("two")
    workspace.commit(clone, "two")

    assert source.rehearsed(clone) == ()
    workspace.git(clone, "checkout", "--quiet", first)
    assert set(source.rehearsed(clone)) == {"good day", "by hand"}
    assert "by hand" in workspace.git(clone, "notes", f"--ref={source.NOTES}", "show", first)


def test_a_tree_with_a_new_file_gets_no_stamp_unless_git_ignores_it(repository: Path) -> None:
    (repository / "new").write_text("copied by a rehearsal")
    assert stamp.put(repository, ["good day"], NOW) == ""

    (repository / ".git" / "info" / "exclude").write_text("new\n")
    assert stamp.put(repository, ["good day"], NOW) == source.commit(repository)


def test_a_remote_that_wants_a_password_or_does_not_answer_is_not_waited_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, said = tmp_path / "upload-pack", tmp_path / "said"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$GIT_TERMINAL_PROMPT" > "{said}"\nexec sleep 60\n')
    program.chmod(0o755)
    clone = tmp_path / "clone"
    workspace.git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    workspace.git(clone, "config", "remote.origin.uploadpack", str(program))
    monkeypatch.setattr(source, "FETCH_SECONDS", 2)
    began = time.monotonic()

    assert source.rehearsed(clone) == ()
    assert time.monotonic() - began < 50
    assert said.read_text() == "0"


def test_a_note_that_is_no_stamp_is_none(repository: Path) -> None:
    workspace.git(
        repository, *workspace.IDENTITY, "notes", f"--ref={source.NOTES}", "add", "--message", json.dumps(["x"]), "HEAD"
    )

    assert source.rehearsed(repository) == ()


def test_without_history_nothing_is_known(tmp_path: Path) -> None:
    assert source.rehearsed(tmp_path) == ()
