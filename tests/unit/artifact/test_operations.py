"""The package of the operations functions: what is in it, and that it runs where only Lambda's own modules are."""

from __future__ import annotations

import io
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests_root import ROOT

from manuel_release import programs
from manuel_release.artifact.operations import package
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

WHAT_A_ROLLBACK_LOADS = """
import sys
sys.path.insert(0, sys.argv[1])
import manuel_release, manuel_release.rollback, manuel_release.rollback_finish, operations.guard
assert manuel_release.__file__.startswith(sys.argv[1]), manuel_release.__file__
print(sorted({name.split(".")[0] for name in sys.modules} & {"boto3", "click", "rich", "yaml"}))
"""


def names(body: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return set(archive.namelist())


def test_the_functions_and_the_tool_are_in_it_without_its_rehearsals() -> None:
    found = names(package(ROOT).body)

    assert {"operations/__init__.py", "operations/guard.py", "manuel_release/rollback.py"} <= found
    assert not [name for name in found if "rehearsal/" in name or "__pycache__" in name]


def test_the_same_sources_make_the_same_package() -> None:
    assert package(ROOT) == package(ROOT)


def test_another_line_makes_another_key(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "operations"
    folder.mkdir(parents=True)
    (folder / "guard.py").write_text("one = 1\n")
    before = package(tmp_path).key
    (folder / "guard.py").write_text("one = 2\n")

    assert package(tmp_path).key != before


def test_it_is_made_in_a_checkout(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the guard cannot be packaged"):
        package(tmp_path)


def test_a_rollback_needs_nothing_that_lambda_does_not_have(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package(ROOT).body)) as archive:
        archive.extractall(tmp_path)

    done = subprocess.run(
        [str(programs.program("function", "python")), "-P", "-c", WHAT_A_ROLLBACK_LOADS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[]", "", 0)
