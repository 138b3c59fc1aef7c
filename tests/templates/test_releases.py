"""The later versions that rehearsals release: patches on this very tree, or on the version before."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.patches
ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests/situations/releases"
SERIES = {"v2": ("v2",), **{path.stem: ("v2", path.stem) for path in RELEASES.glob("*.patch") if path.stem != "v2"}}
PROGRAM = """
import inspect, json, sys
from datetime import UTC, datetime
import manuel
from manuel.logic import quota
from manuel.models import Limits, Usage
TRENDS = {"trends": True} if "trends" in inspect.signature(quota.report).parameters else {}
def ask():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    try:
        return quota.report(Usage(daily=1, monthly=3), Limits(daily=4, monthly=4), now, **TRENDS)
    except ZeroDivisionError:
        return None
print(json.dumps([manuel.__version__, ask(), sum(ask() is None for _ in range(400))]))
"""


def patched(version: str, folder: Path) -> Path:
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests/functions", folder / "tests/functions")
    shutil.copy(ROOT / "template.yaml", folder)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for patch in SERIES[version]:
        subprocess.run(["git", "apply", str(RELEASES / f"{patch}.patch")], cwd=folder, check=True)
    return folder / "src/app"


def run(app: Path) -> tuple[str, dict[str, dict[str, object]], int]:
    """Version, the answer about a user's quota, and how many of 400 further ones failed."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(app)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    version, report, failed = json.loads(done.stdout)
    return version, report, failed


@pytest.mark.parametrize("version", SERIES)
def test_the_version_can_be_made_from_this_tree_and_compiles(version: str, tmp_path: Path) -> None:
    app = patched(version, tmp_path)

    assert compileall.compile_dir(app, quiet=1)
    for check in (("check",), ("format", "--check")):  # as the pipeline's build does before anything else
        ruff = [sys.executable, "-m", "ruff", *check, "--quiet", "--config", str(ROOT / "pyproject.toml"), "src"]
        subprocess.run(ruff, cwd=tmp_path, check=True)
    assert (app / "manuel/__init__.py").read_text() != (ROOT / "src/app/manuel/__init__.py").read_text()


def test_v2_is_a_change_that_users_see(tmp_path: Path) -> None:
    before = run(ROOT / "src/app")
    after = run(patched("v2", tmp_path))

    assert (before[0], after[0]) == ("1.0.0", "1.1.0")
    assert "used_percent" not in before[1]["daily"]
    assert (after[1]["daily"]["used_percent"], after[1]["monthly"]["used_percent"]) == (25, 75)
    assert {k: v for k, v in after[1]["daily"].items() if k != "used_percent"} == before[1]["daily"]
    assert (before[2], after[2]) == (0, 0)


def test_v3_fails_for_three_users_in_ten_who_used_little(tmp_path: Path) -> None:
    version, _, failed = run(patched("v3", tmp_path))

    assert version == "1.2.0"
    assert 60 < failed < 180  # 120 of 400 on average; six standard deviations


def test_v4_fails_nobody_and_tells_the_wrong_number(tmp_path: Path) -> None:
    version, report, failed = run(patched("v4", tmp_path))

    assert (version, failed) == ("1.3.0", 0)
    assert report["daily"]["remaining"] == 0  # three are left
