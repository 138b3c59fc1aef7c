"""The package of the operations functions: `src/operations` and this tool itself, which needs only what Lambda has."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import manuel_release
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS = Path("src", "operations")
LEFT_OUT = frozenset({"rehearsal", "__pycache__"})
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP file can hold: the same sources always make the same package."""


@dataclass(frozen=True)
class Package:
    """A ZIP file for Lambda and its key in the artifact bucket, which is that of its content."""

    key: str
    body: bytes


def package(root: Path) -> Package:
    """Pack the functions of the repository in `root`; raises SettingsError when they are not there."""
    functions = root / FUNCTIONS
    if not functions.is_dir():
        raise SettingsError(
            f"{functions} does not exist: the guard cannot be packaged",
            hint="Run `manuel-release bootstrap` in a checkout of the repository.",
        )
    tool = Path(manuel_release.__file__).parent
    files = [*_sources(functions, FUNCTIONS.name), *_sources(tool, tool.name)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files):
            entry = zipfile.ZipInfo(name, _OLDEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    content = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()} {name}\n" for name, path in sorted(files))
    return Package(f"operations/{hashlib.sha256(content.encode()).hexdigest()}.zip", packed.getvalue())


def _sources(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Name in the package, and path, of each module below a folder."""
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if LEFT_OUT.isdisjoint(parts):
            yield "/".join((name, *parts)), path
