"""Building and packaging with SAM CLI, called as a program.

Both commands read the caller's own environment for credentials, region and endpoint, as they do on the command line.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release import programs
from manuel_release.artifact import digest, template
from manuel_release.errors import ReleaseError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILD_FOLDER = Path(".aws-sam/build")
TEMPLATE = "template.yaml"
OUTPUT_LINES = 25


@dataclass(frozen=True)
class Build:
    """What `sam build` left: the folder, and the digest over it and the source template."""

    folder: Path
    code_digest: str

    @property
    def template(self) -> Path:
        """The built template; its CodeUri values point into the folder."""
        return self.folder / TEMPLATE


def _run(arguments: Sequence[str], root: Path, *, region: str | None = None, profile: str | None = None) -> None:
    sam = programs.program("build", "sam")
    environment = dict(os.environ)
    environment["PATH"] = f"{sam.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment["SAM_CLI_TELEMETRY"] = "0"
    options = [*(["--region", region] if region else []), *(["--profile", profile] if profile else [])]
    done = subprocess.run(
        [str(sam), *arguments, *options],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-OUTPUT_LINES:])
        raise ReleaseError(
            f"`sam {arguments[0]}` failed with code {done.returncode}:\n{tail}",
            hint="Nothing was changed. Correct what SAM objects to and run the same command again.",
        )


def build(root: Path) -> Build:
    """Run `sam build` in the repository at `root`; raises ReleaseError with SAM's last lines."""
    if not (root / TEMPLATE).is_file():
        raise SettingsError(
            f"there is no {TEMPLATE} in {root}",
            hint="Run this in the repository of the service, or deploy a built artifact with --artifact.",
        )
    _run(["build", "--template-file", TEMPLATE, "--build-dir", str(BUILD_FOLDER)], root)
    return built(root)


def built(root: Path) -> Build:
    """The last build of the repository at `root`; raises SettingsError when there is none."""
    folder = root / BUILD_FOLDER
    if not (folder / TEMPLATE).is_file():
        raise SettingsError(f"there is no build in {folder}", hint="Leave out --no-build, or run `make build` first.")
    template.load(folder / TEMPLATE)
    source = [(TEMPLATE, (root / TEMPLATE).read_bytes())] if (root / TEMPLATE).is_file() else []
    return Build(folder, digest.digest([*source, *digest.tree(folder)]))


def package(
    root: Path, build: Build, *, bucket: str, prefix: str, region: str | None = None, profile: str | None = None
) -> str:
    """Upload the built functions to `bucket` below `prefix`; returns the template that names the uploads.

    Raises ReleaseError with SAM's last lines.
    """
    packaged = build.folder.parent / "packaged-template.yaml"
    _run(
        [
            *("package", "--template-file", str(build.template), "--s3-bucket", bucket, "--s3-prefix", prefix),
            *("--output-template-file", str(packaged), "--no-progressbar"),
        ],
        root,
        region=region,
        profile=profile,
    )
    return packaged.read_text(encoding="utf-8")
