"""The program: what it refuses, and that no other run of pytest runs its tests."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests_root import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = ROOT / "tests/integration/test_runner.py"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUNNER), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_what_cannot_be_run_is_told_in_one_line_with_exit_code_2(tmp_path: Path) -> None:
    config = "test_config_dev.json"  # found beside the program, from any folder
    for arguments, told in (
        (("--environment", "dev", "--config", config), "MANUEL_TEST_URL"),
        (("--environment", "dev", "--config", config, "--category", "colours"), "--category"),
    ):
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_no_other_run_of_pytest_collects_the_suites() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/integration"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 5, done.stdout  # nothing was collected
    assert "no tests" in done.stdout


def test_the_requirements_beside_the_suites_are_the_lock() -> None:
    lock = (ROOT / "locks/integration.txt").read_text()

    assert (ROOT / "tests/integration/fixtures/requirements.txt").read_text() == lock
