"""Which commit is being released, read with git."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(root: Path) -> str:
    """The commit checked out at `root`, `-dirty` behind it when the work tree differs; empty where there is none."""
    found = _git(root, "rev-parse", "HEAD")
    if not found:
        return ""
    return found + ("-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
