"""Revisions of repositories: what stands here for GitHub and CodeCommit.

The zip of a revision may hold the repository's history (`.git`), as a clone has it. CODE_ZIP leaves it out, and
CODEBUILD_CLONE_REF needs it: its artifact is only a reference, which CodeBuild follows.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

from ministack.core import responses

CONTROL = "/_rehearsal/sources/"
CODECOMMIT = "codecommit"
"""What stands for the owner of a repository of CodeCommit."""
CLONE = "cloneReference"

_LOCK = threading.Lock()
_revisions: Any = responses.AccountRegionScopedDict()  # repository -> [SourceRevision], oldest first


@dataclass(frozen=True)
class SourceRevision:
    """One commit on one branch: its files as a zip, and what is known of it."""

    repository: str
    branch: str
    commit: str
    archive: bytes = field(repr=False)
    message: str = ""
    author: str = ""
    email: str = ""
    author_date: str = ""
    put_at: float = field(default_factory=time.time)

    def digests(self) -> dict[str, str]:
        """Path -> digest of each file; raises ValueError when the archive is not a zip."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.archive)) as packed:
                names = [name for name in packed.namelist() if not _is_history(name)]
                return {name: hashlib.sha256(packed.read(name)).hexdigest() for name in names}
        except zipfile.BadZipFile as error:
            raise ValueError(f"the body is not a zip: {error}") from error

    def has_history(self) -> bool:
        """Whether the zip is a clone."""
        with zipfile.ZipFile(io.BytesIO(self.archive)) as packed:
            return ".git/HEAD" in packed.namelist()

    def files(self) -> bytes:
        """The zip without the history."""
        if not self.has_history():
            return self.archive
        kept = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.archive)) as packed, zipfile.ZipFile(kept, "w") as archive:
            for entry in packed.infolist():
                if not _is_history(entry.filename):
                    archive.writestr(entry, packed.read(entry), zipfile.ZIP_DEFLATED)
        return kept.getvalue()

    def reference(self, connection: str) -> bytes:
        """The artifact of CODEBUILD_CLONE_REF; `connection` is an ARN, or empty for CodeCommit."""
        return json.dumps(
            {CLONE: {"repository": self.repository, "commit": self.commit, "connection": connection}}
        ).encode()


def _is_history(name: str) -> bool:
    return name.split("/", 1)[0] == ".git"


def referred(artifact: bytes) -> tuple[SourceRevision, str] | None:
    """The revision and the connection that an artifact refers to; None for an artifact that is a zip."""
    if not artifact.startswith(b"{"):
        return None
    found = json.loads(artifact)[CLONE]
    revision = find(found["repository"], "", found["commit"])
    return None if revision is None else (revision, str(found["connection"]))


def put(revision: SourceRevision) -> list[str]:
    """Remember a revision; the paths that differ from the branch's last one. Raises ValueError for a bad archive."""
    new = revision.digests()
    before = find(revision.repository, revision.branch, None)
    with _LOCK:
        _revisions[revision.repository] = [*(_revisions.get(revision.repository) or []), revision]
    old = before.digests() if before is not None else {}
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def find(repository: str, branch: str, commit: str | None) -> SourceRevision | None:
    """The branch's newest revision, or that of a commit, which may be on any branch."""
    known: list[SourceRevision] = _revisions.get(repository) or []
    for found in reversed(known):
        if found.commit == commit or (commit is None and found.branch == branch):
            return found
    return None


def forget() -> None:
    """Drop everything."""
    _revisions.clear()
