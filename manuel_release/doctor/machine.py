"""This machine: the programs that are called, and the settings that count here."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release import programs
from manuel_release import settings as settings_module
from manuel_release.artifact import sam
from manuel_release.doctor.results import error, ok, warning
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.app import App
    from manuel_release.model.check import Check

PROGRAM_SECONDS = 60.0
SETUP_HINT = "Run `make setup` in the repository; it makes the environments again."
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class Broken(Exception):  # noqa: N818 - what happened to a program
    """A program that is there and does not run; the text says how it ended."""


def version_of(program: str | Path) -> str:
    """What `--version` says, `1.170.0`; raises FileNotFoundError when it is not there, Broken when it does not run."""
    try:
        done = subprocess.run(
            [str(program), "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=PROGRAM_SECONDS,
        )
    except FileNotFoundError:
        raise
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Broken(str(problem)) from problem
    found = _VERSION.search(done.stdout)
    if done.returncode != 0 or found is None:
        last = done.stdout.strip().splitlines()[-1:] or [f"it ended with code {done.returncode}"]
        raise Broken(last[0])
    return found[0]


def python(_: App) -> Iterator[Check]:
    """The interpreter that runs this, and that of the build environment, which is made of the same one."""
    here = platform.python_version()
    other = programs.folder() / "build" / "bin" / "python"
    if not other.is_symlink() and not other.exists():
        yield ok("Python", here)  # no build environment here: what that means is the matter of SAM's check
        return
    try:
        there = version_of(other)
    except (Broken, FileNotFoundError) as problem:
        yield warning("Python", f"{here}; the build environment's does not run: {problem}", SETUP_HINT)
        return
    if there.split(".")[:2] != here.split(".")[:2]:
        yield warning("Python", f"{here}, and the build environment was made with {there}", SETUP_HINT)
        return
    yield ok("Python", here)


def git(_: App) -> Iterator[Check]:
    """Git names the commit of a release."""
    try:
        yield ok("git", version_of("git"))
    except FileNotFoundError:
        yield warning("git", "not installed: releases get no commit, and rehearsals cannot copy the tree")
    except Broken as problem:
        yield warning("git", f"it does not run: {problem}")


def root(app: App) -> Path:
    """The repository; the working directory where the settings, which could say so, are wrong."""
    try:
        return app.root
    except SettingsError:
        return Path.cwd()


def build_tool(app: App, name: str, title: str) -> Iterator[Check]:
    """A program of the build environment; an error only where there is something to build."""
    try:
        yield ok(title, version_of(programs.program("build", name)))
    except SettingsError as problem:
        if (root(app) / sam.TEMPLATE).is_file():
            yield error(title, problem.message, problem.hint, access=True)
        else:
            yield warning(title, f"{problem.message}; nothing can be built here, all else works", problem.hint)
    except (Broken, FileNotFoundError) as problem:
        yield error(title, f"it does not run: {problem}", SETUP_HINT, access=True)


def settings(app: App) -> Iterator[Check]:
    """Which settings count here; raises SettingsError when they are wrong."""
    source = app.settings.source
    if source == settings_module.Settings().source:
        yield warning(
            "Settings",
            f"the built-in defaults count: there is no {settings_module.FILE_NAME} from here upward, and none that can "
            f"be read in SSM {settings_module.SSM_NAME}",
            "Run this in the repository, name a file with --config, or run `manuel-release bootstrap` there.",
        )
        return
    yield ok("Settings", source)
