"""Source zips unpacked, and artifacts packed from the files that a buildspec's patterns name.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files
"""

from __future__ import annotations

import fnmatch
import io
import os
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from manuel_release.rehearsal.emulator.codebuild.buildspec import Artifacts

EARLIEST = (1980, 1, 1, 0, 0, 0)


class NoFiles(Exception):  # noqa: N818 - what CodeBuild calls it
    """No file of the build matches."""


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack a zip into `folder`, keeping who may execute; raises ValueError for a bad zip or a path that leaves it."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(archive))
    except zipfile.BadZipFile as error:
        raise ValueError(f"not a zip file: {error}") from error
    with packed:
        for entry in packed.infolist():
            path = PurePosixPath(entry.filename)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{entry.filename} leaves the folder")
        for entry in packed.infolist():
            target = Path(packed.extract(entry, folder))
            mode = entry.external_attr >> 16
            if target.is_file() and stat.S_IMODE(mode):
                target.chmod(stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)


def _all_files(base: Path) -> list[str]:
    found = []
    for folder, _folders, names in os.walk(base):
        found += [str((Path(folder) / name).relative_to(base).as_posix()) for name in names]
    return sorted(found)


def _matches(path: str, pattern: str) -> bool:
    """CodeBuild's globs: `**` crosses folders, `*` does not, a folder's name alone names nothing."""
    parts, wanted = path.split("/"), pattern.removeprefix("./").strip("/").split("/")
    return _matches_parts(parts, wanted)


def _matches_parts(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    if not parts:
        return False
    if wanted[0] == "**":
        return len(wanted) == 1 or _matches_parts(parts, wanted[1:]) or _matches_parts(parts[1:], wanted)
    return fnmatch.fnmatchcase(parts[0], wanted[0]) and _matches_parts(parts[1:], wanted[1:])


def select(folder: Path, base: str, patterns: Iterable[str], exclude: Iterable[str] = ()) -> tuple[Path, list[str]]:
    """The base folder, and the paths below it that match and are not excluded; raises NoFiles when there are none."""
    root = _base(folder, base)
    patterns, exclude = list(patterns), list(exclude)
    found = [
        path
        for path in _all_files(root)
        if any(_matches(path, pattern) for pattern in patterns)
        and not any(_matches(path, pattern) for pattern in exclude)
    ]
    if not found:
        raise NoFiles(f"no matching artifact paths found for {', '.join(patterns)}")
    return root, found


def _base(folder: Path, base: str) -> Path:
    if "*" not in base:
        root = folder / base
        if not root.is_dir():
            raise NoFiles(f"no matching base directory path found for {base}")
        return root
    found = sorted(path for path in folder.glob(base) if path.is_dir())
    if not found:
        raise NoFiles(f"no matching base directory path found for {base}")
    return found[0]


def pack(folder: Path, artifacts: Artifacts) -> bytes:
    """The zip of an artifact, the same bytes for the same files; raises NoFiles."""
    root, paths = select(folder, artifacts.base, artifacts.files, artifacts.exclude)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            source = root / path
            name = source.name if artifacts.discard_paths else path
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (source.stat().st_mode & 0xFFFF) << 16
            archive.writestr(entry, source.read_bytes())
    return packed.getvalue()
