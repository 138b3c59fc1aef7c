"""The walls of DESIGN.md: who may import what, and how long a module may get."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "manuel_release"
SERVICE = ROOT / "src" / "app" / "manuel"
MOST_LINES = 300
BANNED_NAMES = {"utils", "util", "helpers", "common", "manager", "misc"}

OURS: dict[str, set[str]] = {
    # package -> what of ours it may import besides model, errors and itself
    "model": set(),
    "plan": {"settings"},
    "aws": set(),
    "observe": {"aws", "record", "settings", "verdict"},
    "apply": {"app", "artifact", "aws", "observe", "settings"},
    "record": {"aws"},
    "artifact": {"programs"},
    "doctor": {"artifact", "aws", "observe", "plan", "programs", "record", "settings"},
    "view": set(),
    "verdict": set(),
    "rehearsal": {"apply", "artifact", "aws", "lease", "observe", "pipeline", "programs", "settings"},
    "pipeline": {"artifact"},
    "gates": set(),
}
OUTSIDE: dict[str, set[str]] = {
    # third-party package -> where it may be imported, as prefixes of paths below the repository
    "click": {"manuel_release/cli/"},
    "rich": {"manuel_release/view/"},
    "boto3": {"manuel_release/aws/", "src/app/manuel/store/"},
    "botocore": {"manuel_release/aws/", "src/app/manuel/store/", "manuel_release/rehearsal/emulator/"},
    "yaml": {"manuel_release/artifact/", "manuel_release/pipeline/", "manuel_release/rehearsal/emulator/"},
    "ministack": {"manuel_release/rehearsal/emulator/"},
    "aws_lambda_powertools": {"src/app/manuel/"},
}


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *SERVICE.rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it the import stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def types_only(path: Path) -> set[str]:
    """Dotted names imported under `if TYPE_CHECKING`: they cost nothing when the program runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom) and inner.module:
                    found |= {inner.module, *(f"{inner.module}.{a.name}" for a in inner.names)}
                elif isinstance(inner, ast.Import):
                    found |= {a.name for a in inner.names}
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_is_longer_than_a_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_third_party_packages_stay_behind_their_walls(path: Path) -> None:
    where = path.relative_to(ROOT).as_posix()
    for name in imports(path):
        allowed = OUTSIDE.get(name.split(".")[0])
        if allowed is not None and name not in types_only(path):
            assert where.startswith(tuple(allowed)), f"{where} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_our_packages_import_only_what_they_may(path: Path) -> None:
    package = path.relative_to(PACKAGE).parts[0]
    if package not in OURS:
        return
    allowed = OURS[package] | {"model", "errors", package, "__version__"}
    typed = types_only(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "manuel_release" and len(parts) > 1 and name not in typed:
            assert parts[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_its_commands_know_the_rehearsal(path: Path) -> None:
    where = path.relative_to(PACKAGE).as_posix()
    if where.startswith("rehearsal/") or where in {"cli/rehearse.py", "cli/cloud.py"}:
        return
    assert not [name for name in imports(path) if name.startswith("manuel_release.rehearsal")]


@pytest.mark.parametrize("path", sorted(SERVICE.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_service_knows_nothing_of_the_tool(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith("manuel_release")]


@pytest.mark.parametrize("path", sorted((PACKAGE / "model").rglob("*.py")), ids=lambda p: p.name)
def test_models_need_the_standard_library_only(path: Path) -> None:
    import sys  # noqa: PLC0415

    for name in imports(path):
        root = name.split(".")[0]
        assert root in sys.stdlib_module_names or root == "manuel_release", f"{path.name} imports {name}"


def test_the_walls_see_an_import_inside_a_function(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("def f():\n    from boto3.session import Session\n")

    assert "boto3.session.Session" in set(imports(path))
