"""The packaged artifact: what later builds deploy, without SAM and without the source.

packaged-template.yaml     names code that is uploaded already
artifact.json              commit, author, code_digest
parameters-<env>.json      as they are in the repository
configuration-<env>.json   the same in CodePipeline's form; `make parameter-forms` adds them
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(".aws-sam", "artifact")
TEMPLATE = "packaged-template.yaml"
RECORD = "artifact.json"


@dataclass(frozen=True)
class Record:
    """What an artifact says of itself: commit (empty if unknown), its author's e-mail (too), SHA-256 of the code.

    rehearsed: the days on which the commit was rehearsed.
    """

    commit: str
    author: str
    code_digest: str
    rehearsed: tuple[str, ...] = ()


def write(folder: Path, record: Record, template: str, root: Path, parameters: Sequence[str]) -> None:
    """Write the artifact; what was in the folder before is removed.

    Args:
        folder: where to.
        record: what it says of itself.
        template: text of the template that names the uploaded code.
        root: of the repository.
        parameters: parameter files, as paths below `root`.

    Raises:
        SettingsError: a parameter file is not there.
    """
    missing = [name for name in parameters if not (root / name).is_file()]
    if missing:
        raise SettingsError(
            f"the artifact cannot be packaged without {', '.join(missing)}",
            hint="Every environment of the settings needs its parameters_file; write it, or correct the settings.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in parameters:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, folder / name)
    (folder / TEMPLATE).write_text(template, encoding="utf-8")
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Record:
    """What the artifact in a folder says of itself; raises UsageError when there is none."""
    try:
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        days = tuple(str(day) for day in data.get("rehearsed", ()))
        return Record(str(data["commit"]), str(data.get("author", "")), str(data["code_digest"]), days)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _none(folder, error) from error


def read_template(folder: Path) -> str:
    """The text of the artifact's template; raises UsageError when there is none."""
    try:
        return (folder / TEMPLATE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _none(folder, error) from error


def _none(folder: Path, error: Exception) -> UsageError:
    return UsageError(
        f"{folder} is not a packaged artifact: {error}",
        hint=f"It holds {TEMPLATE} and {RECORD}; `make package` writes both.",
    )
