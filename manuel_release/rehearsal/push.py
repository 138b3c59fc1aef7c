"""A push: a version's folder, with its history, to the repository that the pipeline reads."""

from __future__ import annotations

import io
import json
import urllib.parse
import urllib.request
import zipfile
from typing import TYPE_CHECKING

from manuel_release.rehearsal import workspace

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "manuel/manuel-backend"
BRANCH = "main"
PUSH_SECONDS = 60.0


def push(endpoint: str, folder: Path) -> list[str]:
    """Put the newest commit where a connection finds it; the executions that this started, by their ids."""
    commit, author, email, date, message = workspace.last_commit(folder)
    request = urllib.request.Request(
        f"{endpoint}/_rehearsal/sources/{REPOSITORY}/{BRANCH}",
        data=packed(folder),
        method="PUT",
        headers={
            "x-commit-id": commit,
            "x-commit-message": urllib.parse.quote(message),
            "x-author": urllib.parse.quote(author),
            "x-author-email": email,
            "x-author-date": date,
        },
    )
    with urllib.request.urlopen(request, timeout=PUSH_SECONDS) as answer:
        return [str(one) for one in json.loads(answer.read())["executions"]]


def packed(folder: Path) -> bytes:
    """A zip of what git knows in the folder, and of its history."""
    history = sorted(str(path.relative_to(folder)) for path in (folder / ".git").rglob("*") if path.is_file())
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in (*workspace.tracked(folder), *history):
            archive.write(folder / name, name)
    return made.getvalue()
