"""What goes to Lambda: who may import what, and that the package needs no compiled modules."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from functions.backing import APP

from manuel_release import programs

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = sorted(APP.rglob("*.py"))


def imports(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name.split(".")[0] for name in found}


def where(source: Path) -> str:
    return source.relative_to(APP).as_posix()


@pytest.mark.parametrize("source", SOURCES, ids=where)
def test_only_the_store_calls_aws(source: Path) -> None:
    assert where(source).startswith("manuel/store/") or not imports(source) & {"boto3", "botocore"}


@pytest.mark.parametrize("source", SOURCES, ids=where)
def test_only_the_settings_read_the_environment(source: Path) -> None:
    assert where(source) == "manuel/settings.py" or "os" not in imports(source)


@pytest.mark.parametrize("source", SOURCES, ids=where)
def test_the_service_knows_nothing_of_the_release_tool(source: Path) -> None:
    assert "manuel_release" not in imports(source)


def test_requirements_are_pinned_with_hashes() -> None:
    lines = [li for li in (APP / "requirements.txt").read_text().splitlines() if li and not li.startswith(("#", " "))]

    assert lines
    assert all("==" in line and line.endswith("\\") for line in lines)
    assert not [line for line in lines if line.startswith(("boto", "pydantic"))]


@pytest.mark.emulator
def test_the_handlers_work_in_lambdas_python_without_compiled_modules(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """The package is built for arm64 and rehearsed on whatever runs here."""
    uv, python = programs.program("build", "uv"), programs.program("function", "python")
    requirements = ["-r", str(APP / "requirements.txt"), "--require-hashes"]
    platform = ["--python-platform", "aarch64-unknown-linux-gnu", "--python-version", "3.11", "--only-binary", ":all:"]
    subprocess.run([str(uv), "pip", "install", "-q", "--target", tmp_path, *requirements, *platform], check=True)
    shutil.copytree(APP / "manuel", tmp_path / "manuel")
    for compiled in [*tmp_path.rglob("*.so"), *tmp_path.rglob("*.pyd")]:
        compiled.unlink()
    script = (
        "from manuel import health, manuals, process_manual, query, transcribe, usage\n"
        "class Context:\n aws_request_id = 'id'\n def get_remaining_time_in_millis(): return 1000\n"
        "for module in (health, manuals, process_manual, query, transcribe, usage):\n"
        "    assert module.handler({'httpMethod': 'GET', 'path': '/x'}, Context)['statusCode'] == 404\n"
    )

    done = subprocess.run(
        [str(python), "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{script}"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
