"""The later versions that rehearsals release: each is a patch on this very tree."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "tests/situations/releases").glob("*.patch"))
PROGRAM = """
import json, sys
from datetime import UTC, datetime
import manuel
from manuel.logic import quota
from manuel.models import Limits, Usage
report = quota.report(Usage(daily=1, monthly=3), Limits(daily=4, monthly=4), datetime(2026, 11, 23, tzinfo=UTC))
print(json.dumps([manuel.__version__, report]))
"""


def patched(patch: Path, folder: Path) -> Path:
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", folder)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)
    return folder / "src/app"


def run(app: Path) -> tuple[str, dict[str, dict[str, object]]]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(app)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    version, report = json.loads(done.stdout)
    return version, report


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.stem)
def test_the_patch_applies_to_this_tree_and_compiles(patch: Path, tmp_path: Path) -> None:
    app = patched(patch, tmp_path)

    assert compileall.compile_dir(app, quiet=1)
    assert (app / "manuel/__init__.py").read_text() != (ROOT / "src/app/manuel/__init__.py").read_text()


def test_v2_is_a_change_that_users_see(tmp_path: Path) -> None:
    before = run(ROOT / "src/app")
    after = run(patched(ROOT / "tests/situations/releases/v2.patch", tmp_path))

    assert (before[0], after[0]) == ("1.0.0", "1.1.0")
    assert "used_percent" not in before[1]["daily"]
    assert (after[1]["daily"]["used_percent"], after[1]["monthly"]["used_percent"]) == (25, 75)
    assert {k: v for k, v in after[1]["daily"].items() if k != "used_percent"} == before[1]["daily"]
