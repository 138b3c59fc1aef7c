"""The packaged artifact, and what it knows of its commit."""

from __future__ import annotations

import json
import subprocess

import pytest

from manuel_release.artifact import packaging, source
from manuel_release.errors import SettingsError

RECORD = packaging.Record("a" * 40, "dan@example.com", "c" * 64)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "parameters-dev.json").write_text('{"Environment": "dev"}')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "staging.json").write_text("{}")
    return tmp_path


def test_the_artifact_holds_template_record_and_parameters_where_the_settings_look_for_them(root) -> None:
    folder = root / packaging.FOLDER

    packaging.write(folder, RECORD, "Resources: {}", root, ["parameters-dev.json", "more/staging.json"])

    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")) == [
        "artifact.json",
        "more/staging.json",
        "packaged-template.yaml",
        "parameters-dev.json",
    ]
    told = packaging.read(folder)
    assert (told.commit, told.author, told.code_digest) == ("a" * 40, "dan@example.com", "c" * 64)


def test_nothing_of_an_earlier_build_stays(root) -> None:
    folder = root / packaging.FOLDER
    packaging.write(folder, RECORD, "one", root, ["parameters-dev.json", "more/staging.json"])

    packaging.write(folder, RECORD, "two", root, ["parameters-dev.json"])

    assert not (folder / "more").exists()
    assert (folder / packaging.TEMPLATE).read_text() == "two"


def test_a_missing_parameter_file_is_named_and_the_last_artifact_kept(root) -> None:
    folder = root / packaging.FOLDER
    packaging.write(folder, RECORD, "one", root, [])

    with pytest.raises(SettingsError, match=r"parameters-production\.json"):
        packaging.write(folder, RECORD, "two", root, ["parameters-dev.json", "parameters-production.json"])

    assert json.loads((folder / packaging.RECORD).read_text())["commit"] == "a" * 40
    assert (folder / packaging.TEMPLATE).read_text() == "one"


def git(root, *arguments):
    subprocess.run(
        ["git", "-C", str(root), "-c", "user.name=Dan", "-c", "user.email=dan@example.com", *arguments],
        check=True,
        capture_output=True,
    )


def test_commit_and_author_come_from_the_history(root, monkeypatch) -> None:
    monkeypatch.setenv(source.RESOLVED, "b" * 40)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "one")
    head = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()

    assert (source.commit(root), source.author(root)) == (head, "dan@example.com")

    (root / "parameters-dev.json").write_text("changed")
    assert source.commit(root) == f"{head}-dirty"


@pytest.mark.parametrize(("named", "commit"), [("b" * 40, "b" * 40), ("null.1a2b", ""), ("", "")])
def test_without_history_codebuild_may_name_the_commit_but_nobody_the_author(root, monkeypatch, named, commit) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    monkeypatch.setenv(source.RESOLVED, named)

    assert (source.commit(root), source.author(root)) == (commit, "")
