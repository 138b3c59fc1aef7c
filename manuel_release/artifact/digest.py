"""The identity of a release: SHA-256 over what would run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

RELEASE_PARAMETER = "ReleaseId"
IGNORED_FOLDERS = {"__pycache__"}


def tree(folder: Path) -> Iterable[tuple[str, bytes]]:
    """(path with slashes, bytes) of every file below `folder`, sorted by path; no byte code: it carries times."""
    found = sorted(
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.is_file() and not IGNORED_FOLDERS.intersection(path.relative_to(folder).parts)
    )
    for name, path in found:
        yield name, path.read_bytes()


def digest(files: Iterable[tuple[str, bytes]], parameters: Mapping[str, str] | None = None) -> str:
    """SHA-256, hexadecimal, over files and, where given, parameters without ReleaseId.

    Each part is hashed with its length, so that moving bytes between a name, a file and a parameter changes the digest.
    """
    total = hashlib.sha256()
    for name, content in files:
        _add(total, b"file", name.encode(), content)
    for name, value in sorted((parameters or {}).items()):
        if name != RELEASE_PARAMETER:
            _add(total, b"parameter", name.encode(), value.encode())
    return total.hexdigest()


def _add(total: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:
        total.update(str(len(part)).encode() + b":" + part)
