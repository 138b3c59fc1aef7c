"""The small service, and a process that runs the tool's commands on it and dies when it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crash.dying import Request
from crash.small_service import ENVIRONMENT, STAGE
from crash.states import KnownStates

from manuel_release.rehearsal.process import client_environment, scrubbed

if TYPE_CHECKING:
    from emulator.gateway_world import World

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = """
retained_releases = {kept}
api_url = "{endpoint}/_aws/execute-api/{{api_id}}/{{stage}}"
lease_seconds = 0.5
poll_seconds = 0.5
health_seconds = 30
health_answers = 1
canary_interval_seconds = 60
canary_delay_seconds = 1
canary_minute_delay_seconds = 1
[people]
on_call = ["*"]
[environments.production]
stack = "{stack}"
asks = false
canary = {canary}
"""
KEPT = {True: 3, False: 4}
"""With and without a canary: so that r-1 is what the deploy of r-5 prunes."""


@dataclass(frozen=True)
class Ran:
    """How a command ended: exit code, its JSON (None where it has none), what it said, and its changing calls."""

    code: int
    answer: Any
    said: str
    calls: tuple[str, ...]


class CrashWorld(KnownStates):
    """The service and whoever types commands."""

    def __init__(self, world: World, folder: Path) -> None:
        super().__init__(world)
        self.folder, self._quota = folder, 0
        self.environment = scrubbed(dict(os.environ)) | client_environment(world.endpoint, world.region)
        self.environment["XDG_CACHE_HOME"] = str(folder / "cache")
        for canary, kept in KEPT.items():
            text = SETTINGS.format(kept=kept, endpoint=world.endpoint, stack=self.stack, canary=str(canary).lower())
            self.settings(canary=canary).write_text(text, encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("dying.py"))],
            env=scrubbed(dict(os.environ)) | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def close(self) -> None:
        """End the process, and close every connection."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def settings(self, *, canary: bool) -> Path:
        """The settings file of an environment with a canary, or of one where a deploy serves at its end."""
        return self.folder / ("canary.toml" if canary else "serving.toml")

    def artifact(self, *, new: bool = True) -> Path:
        """A packaged artifact; a new one is other code and another parameter than everything before."""
        self._quota += new
        folder = self.folder / "artifact"
        folder.mkdir(exist_ok=True)
        record = {"code_digest": f"{self._quota:064x}", "commit": "abc1234", "author": "jane@example.com"}
        parameters = {"Environment": "prod", "ApiVersionStage": STAGE, "Quota": str(self._quota)}
        for name, text in (
            ("packaged-template.yaml", self.text),
            ("artifact.json", json.dumps(record)),
            ("parameters-production.json", json.dumps(parameters)),
        ):
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def command(self, *arguments: str, canary: bool = True) -> list[str]:
        """The words of a command with the options that all of them get."""
        options = ("--config", str(self.settings(canary=canary)), "--env", ENVIRONMENT, "--output", "json")
        return [*arguments, *options]

    def run(self, *arguments: str, canary: bool = True, at: str = "", number: int = 0, when: str = "before") -> Ran:
        """Run a command to its end, or to its death at a call."""
        out, err, log = (self.folder / name for name in ("out", "err", "log"))
        log.write_text("")
        request = Request(
            str(self.folder),
            self.environment,
            self.command(*arguments, canary=canary),
            *map(str, (out, err, log)),
            at=at,
            number=number,
            when=when,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(request)) + "\n")
        self._process.stdin.flush()
        code, text = int(self._answer()), out.read_text()
        with contextlib.suppress(ValueError):
            return Ran(code, json.loads(text), err.read_text(), tuple(log.read_text().splitlines()))
        return Ran(code, None, text + err.read_text(), tuple(log.read_text().splitlines()))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that runs commands has ended"
        return line.strip()
