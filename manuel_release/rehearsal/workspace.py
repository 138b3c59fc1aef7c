"""The folders that a rehearsal works in: copies of the working tree, one for each version that is released."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from manuel_release.errors import EmulatorError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

PATCHES = "tests/situations/releases"
AUTHOR = "rehearsal@localhost"
"""Who writes the versions."""
IDENTITY = ("-c", "user.name=rehearsal", "-c", f"user.email={AUTHOR}", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> str:
    """Output of git in `root`; raises SettingsError with git's words."""
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise SettingsError(
            f"`git {arguments[0]}` failed in {root}: {done.stderr.strip()}",
            hint="A rehearsal copies the files that git knows; run it in a clone of the repository.",
        )
    return done.stdout


def tracked(root: Path) -> list[str]:
    """The paths that git knows, and new ones that it does not ignore."""
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return [name for name in listed.split("\0") if name]


def last_commit(folder: Path) -> tuple[str, str, str, str, str]:
    """The newest commit: id, author, e-mail, time (ISO 8601), subject."""
    commit, author, email, date, subject = (
        git(folder, "log", "-1", "--format=%H%x00%an%x00%ae%x00%aI%x00%s").rstrip("\n").split("\0")
    )
    return commit, author, email, date, subject


def copy_tree(root: Path, target: Path) -> None:
    """Copy the working tree as it is (tracked files and new ones that git does not ignore) and commit it there."""
    target.mkdir(parents=True)
    for name in tracked(root):
        source = root / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    commit(target, "the working tree")


def commit(folder: Path, message: str) -> None:
    """Make `folder` a repository, where it is none, and commit everything in it."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, *IDENTITY, "commit", "--quiet", "--no-verify", "--message", message)


def next_version(previous: Path, target: Path, version: str) -> None:
    """Copy a version's folder, builds included, and apply the patch that makes it `version`.

    `target` appears when it is whole.
    """
    making = target.with_name(f"{target.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(previous, making, symlinks=True)
    patch = making / PATCHES / f"{version}.patch"
    if not patch.is_file():
        raise EmulatorError(f"there is no patch for {version}: {patch} does not exist")
    git(making, "apply", str(patch))
    commit(making, version)
    making.rename(target)
