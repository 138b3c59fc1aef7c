"""The embedded AWS as a child process: start, wait until it answers, stop, and leave nothing behind.

The child gets an environment built from nothing (no credentials, profiles or endpoints of the person who starts it),
listens on 127.0.0.1 only, keeps its temporary files in a folder of its own, and ends when its parent does, however
that happened (its standard input closes).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import manuel_release
from manuel_release import programs
from manuel_release.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

ACCOUNT_ID = "123456789012"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG_TAIL_LINES = 15


@dataclass(frozen=True)
class Options:
    """How to start the embedded AWS.

    alarm_speed: how many seconds of an alarm's period pass in one real second (the alarm engine alone).
    auth: enforce IAM policies.
    tied: stop when the starting process ends; False for `cloud up`.
    shift_seconds_per_minute: seconds that a minute of a CodeDeploy deployment takes (its shortest shift is a minute).
    approval_seconds_per_minute: seconds that a minute of a manual approval's timeout takes (the shortest is 5 minutes).
    build_seconds_per_minute: seconds that a minute of a CodeBuild project's timeout takes.
    build_environment: variables that every build gets and nothing overrides: where installed environments are
        (`MANUEL_ENVS`), and rehearsal values of settings.
    account_concurrency: warm function workers at the most, as Lambda's account limit of concurrent executions.
    command: the program to run instead of the emulator environment's Python, without the module; for coverage.
    """

    region: str = "eu-west-1"
    port: int = 0
    alarm_speed: float = 1.0
    shift_seconds_per_minute: float = 60.0
    approval_seconds_per_minute: float = 60.0
    build_seconds_per_minute: float = 60.0
    build_environment: Mapping[str, str] = field(default_factory=dict)
    auth: bool = False
    tied: bool = True
    account_concurrency: int = 40
    command: Sequence[str] = ()


def client_environment(endpoint: str, region: str) -> dict[str, str]:
    """Variables that send every AWS client to the embedded AWS and nowhere else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MANUEL_API_URL": endpoint + "/_aws/execute-api/{api_id}/{stage}",
    }


def scrubbed(environment: dict[str, str]) -> dict[str, str]:
    """The variables that a child may inherit: none of AWS's, of proxies', of this product's, or of Python's."""
    banned = ("AWS_", "MANUEL_", "PYTHON", "SAM_", "COV_", "COVERAGE_")
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    return {
        k: v
        for k, v in environment.items()
        if k == "MANUEL_ENVS" or (not k.startswith(banned) and k.lower() not in proxies)
    }


def child_environment(endpoint: str, region: str) -> dict[str, str]:
    """This process's environment, scrubbed, with every AWS client pointed at the embedded AWS."""
    return {**scrubbed(dict(os.environ)), **client_environment(endpoint, region)}


def _server_environment(options: Options, port: int, ai_port: int, temporary: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(Path(manuel_release.__file__).resolve().parent.parent),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "AUTH": str(options.auth).lower(),
        "MINISTACK_REGION": options.region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(options.account_concurrency),
        "STATE_DIR": str(temporary / "state"),
        "MANUEL_ALARM_SPEED": str(options.alarm_speed),
        "MANUEL_SHIFT_SECONDS_PER_MINUTE": str(options.shift_seconds_per_minute),
        "MANUEL_APPROVAL_SECONDS_PER_MINUTE": str(options.approval_seconds_per_minute),
        "MANUEL_BUILD_SECONDS_PER_MINUTE": str(options.build_seconds_per_minute),
        "MANUEL_BUILD_ENVIRONMENT": json.dumps(dict(options.build_environment)),
        "MANUEL_BUILD_LOGS": str(temporary.parent / "builds"),
        "MANUEL_FUNCTION_PYTHON": str(programs.program("function", "python")),
        "MANUEL_AI_PORT": str(ai_port),
        "MANUEL_CLOUD_TIED": "1" if options.tied else "0",
    }


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(endpoint: str, *, timeout: float = 1.0) -> bool:
    """Whether the embedded AWS at `endpoint` says that it is healthy."""
    try:
        with urllib.request.urlopen(endpoint + "/_ministack/health", timeout=timeout) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class EmbeddedCloud:
    """A running embedded AWS; use it as a context manager, or `start` and `stop`.

    ai_endpoint: where Bedrock and Transcribe answer, and where their faults are planned (`ai.server`).
    """

    def __init__(
        self, process: subprocess.Popen[bytes], endpoint: str, folder: Path, options: Options, *, ai_endpoint: str = ""
    ) -> None:
        self.process = process
        self.endpoint = endpoint
        self.folder = folder
        self.options = options
        self.ai_endpoint = ai_endpoint

    @classmethod
    def start(cls, folder: Path, options: Options | None = None) -> Self:
        """Start in `folder` (made; holds the log and the temporary files) and wait until it answers.

        Raises EmulatorError with the log's last lines when it ends or stays silent for START_SECONDS.
        """
        options = options or Options()
        folder = folder.resolve()
        temporary = folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        port = options.port or free_port()
        ai_port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        if options.port and answers(endpoint):
            raise EmulatorError(
                f"port {port} is taken: something answers there already", hint="Choose another port, or stop it first."
            )
        command = list(options.command) or [str(programs.program("emulator", "python"))]
        with (folder / "cloud.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "-m", "manuel_release.rehearsal.emulator"],
                cwd=folder,
                env=_server_environment(options, port, ai_port, temporary),
                stdin=subprocess.PIPE if options.tied else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the parent's to handle; the child stops when asked
            )
        cloud = cls(process, endpoint, folder, options, ai_endpoint=f"http://127.0.0.1:{ai_port}")
        try:
            cloud._wait_until_healthy()
        except BaseException:
            cloud.stop()
            raise
        return cloud

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise EmulatorError(
                    f"the embedded AWS ended with code {self.process.returncode} while starting:\n{self.log_tail()}",
                    hint="Run `make setup` again; if it stays, the lines above say what ministack objects to.",
                )
            if answers(self.endpoint):
                return
            time.sleep(0.05)
        raise EmulatorError(
            f"the embedded AWS did not answer within {START_SECONDS:.0f} s:\n{self.log_tail()}",
            hint="The machine may be very busy; run the command again.",
        )

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    def log_tail(self) -> str:
        """The last lines that the server wrote."""
        with contextlib.suppress(OSError):
            return "\n".join((self.folder / "cloud.log").read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return ""

    def environment(self) -> dict[str, str]:
        """This process's environment, scrubbed, with every AWS client pointed at this cloud."""
        return child_environment(self.endpoint, self.options.region)

    def let_go(self) -> None:
        """Leave the server running when this process ends."""
        self.process.returncode = 0  # otherwise Popen warns, at its end, about a process that is meant to stay

    def stop(self) -> None:
        """Stop the server and remove its temporary files; harmless when it is gone already."""
        stop_process(self.process)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL to the whole session after STOP_SECONDS."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdin is not None:
        process.stdin.close()
