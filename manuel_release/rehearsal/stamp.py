"""The stamp of a commit: it was rehearsed, on these days. A note of git, so that it goes where the commit goes.

`artifact.source.rehearsed` reads it. Git pushes notes only when it is told to: `git push origin refs/notes/rehearsed`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from manuel_release.artifact import source
from manuel_release.rehearsal import workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path


def put(root: Path, days: Sequence[str], now: datetime) -> str:
    """Add days to the stamp of the commit that is checked out; the commit, empty when the tree is not that commit.

    New files that git does not ignore count: a rehearsal copies them, and so rehearsed something else.
    """
    commit = source.commit(root)
    if not commit or commit.endswith(source.DIRTY) or source.untracked(root):
        return ""
    known = source.rehearsed(root)
    stamp = {"days": [*known, *(day for day in days if day not in known)], "at": now.isoformat()}
    workspace.git(
        root,
        *workspace.IDENTITY,
        "notes",
        f"--ref={source.NOTES}",
        "add",
        "--force",
        "--message",
        json.dumps(stamp),
        commit,
    )
    return commit
