"""The rehearsal: the real templates, the real functions and real HTTP requests on an AWS of its own.

Every change is made by this very command line tool, called as a program with the environment of the embedded AWS, so
what is rehearsed is what people run.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from manuel_release.errors import EmulatorError, ReleaseError
from manuel_release.model.progress import StepResult
from manuel_release.model.rehearsal import Rehearsal, RehearsedAction, RehearsedStage
from manuel_release.rehearsal import knowledge, workspace
from manuel_release.rehearsal.process import EmbeddedCloud, Options
from manuel_release.rehearsal.visitor import Watcher, ask_until_known, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from manuel_release.model.progress import Progress

T = TypeVar("T")

COMMAND_SECONDS = 600
OUTPUT_LINES = 20
QUESTION = "What do I descale the kettle with?"
MANUAL = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"
NOT_EVIDENCE = (
    "What this is no evidence for: permissions of the deploy roles and PassRole, the stage cache, WAF, arm64 "
    "execution, reserved and provisioned concurrency, and how long AWS takes over a stack."
)


@dataclass
class Stage:
    """Collects the actions of the stage that runs now."""

    name: str
    actions: list[RehearsedAction] = field(default_factory=list)


@dataclass
class Rehearser:
    """Runs the stages one after the other.

    root: the repository. folder: where this rehearsal keeps its copies, logs and cloud.
    """

    root: Path
    folder: Path
    region: str
    progress: Progress
    stages: list[Stage] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    status: list[dict[str, Any]] = field(default_factory=list)

    def run(self, *, keep: bool = False) -> Rehearsal:
        """All stages; never raises ReleaseError: a failure is told in the result."""
        began = time.monotonic()
        failure = ""
        cloud: EmbeddedCloud | None = None
        try:
            with self._stage("Embedded AWS"):
                self._act("copy the working tree", lambda: workspace.copy_tree(self.root, self.folder / "v1"))
                cloud = self._act(
                    "start", lambda: EmbeddedCloud.start(self.folder / "cloud", Options(region=self.region))
                )
                running = cloud
                self._act("make knowledge bases", lambda: knowledge.prepare(running, self.folder / "v1"))
            with pointed_at(cloud):
                self._everything(cloud)
        except ReleaseError as error:
            failure = error.message
        except KeyboardInterrupt as stopped:
            stopped.add_note(f"Nothing but this rehearsal was touched; its copies and logs are in {self.folder}.")
            raise
        finally:
            if cloud is not None:
                with self._stage("Cloud down"):
                    self._act("stop", cloud.stop)
        if not keep and not failure:
            shutil.rmtree(self.folder, ignore_errors=True)
        return Rehearsal(
            stages=tuple(RehearsedStage(stage.name, tuple(stage.actions)) for stage in self.stages),
            seconds=time.monotonic() - began,
            releases={one["name"]: one["live_release"] for one in self.status},
            facts=(*self.facts, NOT_EVIDENCE),
            failure=failure,
            kept="" if not keep and not failure else str(self.folder),
            status=tuple(self.status),
        )

    def _everything(self, cloud: EmbeddedCloud) -> None:
        with self._stage("Bootstrap"):
            self._cli("v1", "bootstrap", "--yes")
        for environment, options in (("dev", ()), ("staging", ("--no-build",)), ("production", ("--no-build",))):
            with self._stage(f"v1 to {environment}"):
                self._cli("v1", "deploy", "--env", environment, "--yes", *options)
        with self._stage("A user"):
            self._user(cloud)
        with self._stage("v2 to dev"):
            self._act("patch", lambda: workspace.next_version(self.folder / "v1", self.folder / "v2", "v2"))
            self._replace(cloud)
        with self._stage("Status"):
            answer = self._cli("v2", "status")
            self.status.extend(answer["environments"])
            self._act("compare", self._compare)

    def _replace(self, cloud: EmbeddedCloud) -> None:
        outputs = self._outputs(cloud, "manuel-dev")
        with Watcher(self._url(cloud, outputs) + "/health") as watcher:
            self._cli("v2", "deploy", "--env", "dev", "--yes")
        self.facts.append(f"Replacing v1 by v2 in dev under traffic: {watcher.sentence}.")
        if watcher.failures:
            raise EmulatorError(f"the switch lost requests: {watcher.sentence}: {watcher.failures[0]}")

    def _compare(self) -> None:
        expected = {"dev": "r-2", "staging": "r-1", "production": "r-1"}
        found = {one["name"]: one["live_release"] for one in self.status}
        if found != expected:
            raise EmulatorError(f"status says {found}, expected {expected}")

    def _user(self, cloud: EmbeddedCloud) -> None:
        from manuel_release.aws import Aws  # noqa: PLC0415 - only a rehearsal that got so far needs it
        from manuel_release.aws.session import Session  # noqa: PLC0415
        from manuel_release.aws.users import Users  # noqa: PLC0415

        outputs = self._outputs(cloud, "manuel-dev")
        aws = Aws(Session(None, self.region, self.region))
        users, email, password = Users(aws.session), "rehearsal@example.com", f"Aa1!{secrets.token_hex(12)}"
        pool, client, url = outputs["UserPoolId"], outputs["UserPoolClientId"], self._url(cloud, outputs)
        self._act("sign up", lambda: users.create(pool, email, password))
        token = self._act("sign in (Cognito id token)", lambda: users.id_token(pool, client, email, password))
        self._act("without a token: 401", lambda: _expect(send("GET", f"{url}/api/usage").status, 401))
        self._act("upload a manual", lambda: _upload(url, token))
        usage = self._act("read the usage", lambda: send("GET", f"{url}/api/usage", token=token))
        _expect(usage.status, 200)
        used = usage.body["daily"]["used"]
        _expect(used, 1)
        self.facts.append(f"A user with a Cognito id token uploaded a manual and has used {used} operation today.")
        answer = self._act("ask a question about it", lambda: ask_until_known(url, token, QUESTION))
        _expect([source["file_name"] for source in answer["sources"]], ["kettle.md"])
        if "citric acid" not in answer["answer"]:
            raise EmulatorError(f"the manual says citric acid, Manuel said: {answer['answer']}")
        self.facts.append(f"Asked {QUESTION!r}, Manuel answered {answer['answer']!r} from kettle.md.")

    def _outputs(self, cloud: EmbeddedCloud, stack: str) -> dict[str, str]:
        from manuel_release.aws import Aws  # noqa: PLC0415
        from manuel_release.aws.session import Session  # noqa: PLC0415

        found = Aws(Session(None, cloud.options.region, self.region)).stacks.describe(stack)
        if found is None:
            raise EmulatorError(f"the stack {stack} is not there")
        return dict(found.outputs)

    def _url(self, cloud: EmbeddedCloud, outputs: dict[str, str]) -> str:
        return f"{cloud.endpoint}/_aws/execute-api/{outputs['ApiId']}/{outputs['ApiStage']}"

    def _cli(self, version: str, *arguments: str) -> Any:
        """Run this tool in a version's folder; its answer. What it tells on stderr goes to the progress."""
        name = " ".join(("manuel-release", *arguments))
        return self._act(name, lambda: self._run(version, arguments))

    def _run(self, version: str, arguments: tuple[str, ...]) -> Any:
        command = [sys.executable, "-P", "-m", "manuel_release", *arguments, "--output", "json"]
        with (self.folder / "rehearsal.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(arguments)}\n")
            process = subprocess.Popen(
                command,
                cwd=self.folder / version,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert process.stderr is not None  # noqa: S101 - it is a pipe
            for line in process.stderr:
                log.write(line)
                self.progress.note(line.rstrip())
            answer, _ = process.communicate(timeout=COMMAND_SECONDS)
            log.write(answer)
        if process.returncode != 0:
            tail = answer.strip()[-2000:]
            raise EmulatorError(f"`{' '.join(arguments)}` ended with {process.returncode}:\n{tail}")
        return json.loads(answer)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.stages.append(Stage(name))
        began = time.monotonic()
        self.progress.start(name)
        try:
            yield
        except BaseException:
            self.progress.end(StepResult(name, "failed", time.monotonic() - began))
            raise
        self.progress.end(StepResult(name, "done", time.monotonic() - began))

    def _act(self, name: str, work: Callable[[], T]) -> T:
        began = time.monotonic()
        status = "failed"
        try:
            result = work()
            status = "done"
        finally:
            self.stages[-1].actions.append(RehearsedAction(name, status, time.monotonic() - began))
        return result


@contextmanager
def pointed_at(cloud: EmbeddedCloud) -> Iterator[None]:
    """While it lasts, this process and its children know no AWS but `cloud`; afterwards all is as before."""
    before, inside = dict(os.environ), cloud.environment()
    os.environ.clear()
    os.environ.update(inside)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise EmulatorError(f"got {found!r}, expected {wanted!r}")


def _upload(url: str, token: str) -> None:
    wanted = {"file_name": "kettle.md", "content_type": "text/markdown", "size_bytes": len(MANUAL)}
    reply = send("POST", f"{url}/api/manuals/upload", token=token, body=wanted)
    if reply.status != 201:
        raise EmulatorError(f"the upload was refused with {reply.status}: {reply.body}")
    upload = reply.body["upload"]
    _expect(send(upload["method"], upload["url"], raw=MANUAL, headers=upload["headers"]).status, 200)
    listed = send("GET", f"{url}/api/manuals", token=token)
    _expect([manual["file_name"] for manual in listed.body["manuals"]], ["kettle.md"])
