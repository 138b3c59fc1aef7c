"""A desk: a checkout of the service, an embedded AWS of its own, and the tool's commands in processes of their own."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import boto3
from tests_root import ROOT

from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud, Options
from manuel_release.rehearsal.visitor import send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMPATIENT = "poll_seconds = 0.3\n"


@functools.cache
def _session() -> boto3.Session:
    """One session: it keeps the service models that it has read."""
    return boto3.Session(ACCOUNT_ID, "embedded", region_name="eu-west-1")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The last words on stderr: what happened, and what to run next."""
        return self.err[self.err.index("Error: ") :]


def checkout(folder: Path) -> Path:
    """A checkout of this repository below `folder`, whose settings look more often than people need to."""
    made = folder / "service"
    workspace.copy_tree(ROOT, made)
    settings = made / "manuel-release.toml"
    settings.write_text(IMPATIENT + settings.read_text(encoding="utf-8"), encoding="utf-8")
    workspace.commit(made, "settings of a test")
    return made


class Desk:
    """Commands run in `folder`, and clients, of one embedded AWS."""

    def __init__(self, folder: Path, cloud: EmbeddedCloud) -> None:
        self.folder = folder
        self.cloud = cloud
        self._clients: dict[str, Any] = {}

    @classmethod
    @contextlib.contextmanager
    def of_checkout(cls, folder: Path, options: Options | None = None) -> Iterator[Self]:
        """A desk with a checkout of this repository in `folder`, and its embedded AWS."""
        service = checkout(folder)
        with (
            EmbeddedCloud.start(folder / "cloud", options or Options()) as cloud,
            contextlib.closing(cls(service, cloud)) as made,
        ):
            yield made

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, service: str) -> Any:
        """The client of a service, by boto3's name; closed with the desk."""
        if service not in self._clients:
            self._clients[service] = _session().client(service, endpoint_url=self.cloud.endpoint)
        return self._clients[service]

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Begin a command; `variables` are added to its environment."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "manuel_release", *arguments],
            cwd=self.folder,
            env=self.cloud.environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> Ran:
        """Run a command to its end."""
        return self.ended(self.start(*arguments, **variables))

    @staticmethod
    def ended(process: subprocess.Popen[str]) -> Ran:
        """Wait for a command that was begun."""
        with process:
            out, err = process.communicate()
        return Ran(process.returncode, out, err)

    def json(self, *arguments: str) -> Any:
        """The document of a command that must end well."""
        ran = self.run(*arguments, "--output", "json")
        assert ran.code == 0, ran.out + ran.err
        return ran.answer

    def releases(self, environment: str = "dev") -> dict[str, str]:
        """The state of every release, newest first."""
        found = self.json("history", "--env", environment)["releases"]
        return {one["release"]: one["state"] for one in found}

    def stack_outputs(self, stack: str) -> dict[str, str]:
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def api_url(self, stack: str = "manuel-dev") -> str:
        """Where a stack's API answers."""
        outputs = self.stack_outputs(stack)
        return f"{self.cloud.endpoint}/_aws/execute-api/{outputs['ApiId']}/{outputs['ApiStage']}"

    def serving(self) -> str:
        """The release that answers in dev."""
        return send("GET", self.api_url() + "/health").release
