"""Which commit is being released and who wrote it, read with git.

A build that CodeBuild was given without history knows its commit only from CODEBUILD_RESOLVED_SOURCE_VERSION:
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


RESOLVED = "CODEBUILD_RESOLVED_SOURCE_VERSION"
DIRTY = "-dirty"
NOTES = "rehearsed"
"""Notes of git (refs/notes/rehearsed) that say on which days a commit was rehearsed."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(root: Path) -> str:
    """The commit checked out at `root`, `-dirty` behind it when the work tree differs.

    Without history it is the one that CodeBuild names, and empty where nobody does.
    """
    found = _git(root, "rev-parse", "HEAD")
    if not found:
        named = os.environ.get(RESOLVED, "")
        return named if _COMMIT.fullmatch(named) else ""  # of a zip in S3 it is a version id
    return found + (DIRTY if _git(root, "status", "--porcelain", "--untracked-files=no") else "")


def author(root: Path) -> str:
    """The e-mail address of the author of that commit; empty without history."""
    return _git(root, "log", "-1", "--format=%ae")


def rehearsed(root: Path) -> tuple[str, ...]:
    """On which days the commit checked out at `root` was rehearsed; none for one that is not known, or was changed.

    A clone does not bring notes along, so the remote repository is asked for them where there are none.
    """
    found = commit(root)
    if not _COMMIT.fullmatch(found):
        return ()
    show = ("notes", f"--ref={NOTES}", "show", found)
    note = _git(root, *show)
    if not note:
        _git(root, "fetch", "--quiet", "origin", f"+refs/notes/{NOTES}:refs/notes/{NOTES}")
        note = _git(root, *show)
    try:
        return tuple(str(day) for day in json.loads(note)["days"])
    except (ValueError, KeyError, TypeError):
        return ()
