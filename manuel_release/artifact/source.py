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
ORIGINS_NOTES = "rehearsed-origin"
"""The remote repository's notes as they were fetched last: never into NOTES, which may have some that nobody pushed."""
FETCH_SECONDS = 10
_COMMIT = re.compile(r"[0-9a-f]{40}")


def _git(root: Path, *arguments: str, seconds: float | None = None) -> str:
    """Output of git, which asks nobody for a password; empty when it fails or takes longer than `seconds`."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
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


def untracked(root: Path) -> bool:
    """Whether files are there that git neither knows nor ignores: not of the commit, but copied by a rehearsal."""
    return bool(_git(root, "ls-files", "--others", "--exclude-standard"))


def author(root: Path) -> str:
    """The e-mail address of the author of that commit; empty without history."""
    return _git(root, "log", "-1", "--format=%ae")


def rehearsed(root: Path) -> tuple[str, ...]:
    """On which days the commit checked out at `root` was rehearsed; none for one that is not known, or was changed.

    A clone does not bring notes along, so the remote repository is asked for them where there are none. What it has is
    kept beside the notes that were made here, and both count.
    """
    found = commit(root)
    if not _COMMIT.fullmatch(found):
        return ()
    days = _days(root, NOTES, found)
    if not days:
        fetched = f"+refs/notes/{NOTES}:refs/notes/{ORIGINS_NOTES}"
        _git(root, "fetch", "--quiet", "origin", fetched, seconds=FETCH_SECONDS)
    return tuple(dict.fromkeys([*days, *_days(root, ORIGINS_NOTES, found)]))


def _days(root: Path, notes: str, commit_: str) -> tuple[str, ...]:
    try:
        return tuple(str(day) for day in json.loads(_git(root, "notes", f"--ref={notes}", "show", commit_))["days"])
    except (ValueError, KeyError, TypeError):
        return ()
