"""Programs in environments of their own, because their pins exclude each other (`make setup` makes them)."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from manuel_release.errors import SettingsError


def folder() -> Path:
    """The folder of the environments: `MANUEL_ENVS`, or `envs` inside the environment that runs this tool."""
    return Path(os.environ.get("MANUEL_ENVS") or Path(sys.prefix) / "envs")


def program(environment: str, name: str) -> Path:
    """Path of program `name` in an environment (`emulator`, `build`, `function`), or on PATH for `build`.

    Raises SettingsError when it is nowhere.
    """
    path = folder() / environment / "bin" / name
    if path.exists():
        return path
    elsewhere = shutil.which(name) if environment == "build" else None
    if elsewhere is None:
        raise SettingsError(
            f"{name} is not installed: it is neither in {folder() / environment} nor on PATH",
            hint="Run `make setup` in the repository; it makes the environments for building and rehearsing.",
        )
    return Path(elsewhere)
