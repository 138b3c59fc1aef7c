"""One execution environment of Lambda: a process on the functions' own interpreter, kept between invocations.

A sandbox sees the variables that Lambda documents and the function's own, nothing of the server's
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). It survives an exception of its handler and
ends when its process dies or times out (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
`workers.py` decides how many there are.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator import function_bootstrap
from manuel_release.rehearsal.emulator.function_code import store

REQUIRES = {
    "ministack.core.lambda_runtime._account_region_from_function_config": ("config",),
    "ministack.core.lambda_runtime.execution_credentials": ("config",),
    "ministack.core.lambda_runtime.kill_workers": ("workers",),
    "ministack.core.lambda_runtime.HOST_PREFIX_ENV": None,
    "ministack.services.lambda_svc._runtime_env_vars": ("config",),
}

INIT_SECONDS = 60.0  # AWS allows 10; two cores that start eight functions at once need more
LOG_SECONDS = 1.0  # for the rest of the log once the answer is there
END_SECONDS = 0.2  # for a process that ends by itself to leave its own exit status
PASSED_ON = "AWS_ENDPOINT_URL_"  # services that have an endpoint of their own here


class Ended(Exception):  # noqa: N818 - what happened to the process
    """The sandbox's process is gone: it died (its exit status) or was killed at its time-out (None)."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


def environment(config: dict[str, Any], folder: Path, stream: str) -> dict[str, str]:
    """The variables of a sandbox whose files are in `folder` and whose log stream is `stream`."""
    _account, region = lambda_runtime._account_region_from_function_config(config)
    name = config["FunctionName"]
    given = {key: value for key, value in os.environ.items() if key.startswith(PASSED_ON)}
    credentials = {key: value for key, value in lambda_runtime.execution_credentials(config).items() if value}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        "AWS_EC2_METADATA_DISABLED": "true",
        lambda_runtime.HOST_PREFIX_ENV: "true",
        **given,
        **{key: str(value) for key, value in lambda_svc._runtime_env_vars(config).items()},
        **credentials,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(folder / "code"),
        "_HANDLER": config.get("Handler", ""),
    }


def install() -> None:
    """Nothing to replace; listed among the patches for its REQUIRES."""


class Sandbox:
    """One sandbox; in_use, last_used, config and the private names that it has are what ministack's pool asks for."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        self.func_name = func_name
        self.config = config
        self.code_zip = code_zip
        self.in_use = False
        self.last_used = time.time()
        self.log_stream = ""
        self._lock = threading.Lock()
        self._proc: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._mark = b""
        self._answers = bytearray()
        self._log = bytearray()

    def _spawn(self) -> dict[str, Any] | None:
        """Start the process and import the handler; returns the error of a failed init."""
        self._discard_tmpdir()
        version = self.config.get("Version", "$LATEST")
        self.log_stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{uuid.uuid4().hex}"
        folder = self._folder = Path(tempfile.mkdtemp(prefix=f"sandbox-{self.func_name}-"))
        (folder / "tmp").mkdir()
        path = store.link(self.code_zip, self.config, folder)
        bootstrap = str(Path(function_bootstrap.__file__))
        self._answers.clear()
        self._log.clear()
        self._proc = subprocess.Popen(
            [os.environ["MANUEL_FUNCTION_PYTHON"], "-P", "-u", bootstrap],
            cwd=folder / "code",
            env=environment(self.config, folder, self.log_stream),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # what the handler starts ends with it
        )
        self._mark = f"\0{secrets.token_hex(8)}\0".encode()
        opening = {"mark": self._mark.decode(), "handler": self.config.get("Handler", ""), "path": path}
        answer = self._exchange(opening, INIT_SECONDS)
        error: dict[str, Any] | None = answer.get("error")
        return error

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send one request, return its answer and leave its log in `_log`; raises Ended."""
        process = self._proc
        if process is None or process.stdin is None or process.stdout is None or process.stderr is None:
            raise Ended(0)
        deadline = time.monotonic() + seconds
        data = memoryview(json.dumps(request).encode() + b"\n")
        try:
            while data:
                data = data[os.write(process.stdin.fileno(), data) :]
        except OSError:
            self._finish(process)
            raise Ended(process.returncode) from None
        sinks = {process.stdout.fileno(): self._answers, process.stderr.fileno(): self._log}
        while not self._answers.endswith(b"\n"):
            if not _read(sinks, deadline - time.monotonic()):
                late = time.monotonic() >= deadline
                self._finish(process)
                raise Ended(None if late else process.returncode)
        deadline = time.monotonic() + LOG_SECONDS
        while not self._log.endswith(self._mark):
            if not _read(sinks, deadline - time.monotonic()):
                break  # something else holds the log open; the answer counts
        answer: dict[str, Any] = json.loads(bytes(self._answers))
        self._answers.clear()
        return answer

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        """Make an end of the process, keep what it still wrote to its log, and remove its files."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            os.set_blocking(process.stderr.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(process.stderr.fileno(), 65536):
                    self._log.extend(chunk)
        self._proc = None
        self._close(process)
        self._discard_tmpdir()

    @staticmethod
    def _close(process: subprocess.Popen[bytes]) -> None:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _take_log(self) -> str:
        text = bytes(self._log).replace(self._mark, b"").decode(errors="replace")
        self._log.clear()
        return text.rstrip("\n")

    def invoke(
        self,
        event: object,
        request_id: str,
        *,
        trace_id: str | None = None,
        depth: int | None = None,  # noqa: ARG002 - ministack's signature; the trace id carries the lineage here
        durable: dict[str, Any] | None = None,  # noqa: ARG002 - ministack's signature
        invoked_function_arn: str | None = None,
    ) -> dict[str, Any]:
        """Run one invocation, in a new process when there is none.

        Returns status ("ok", "error"), result or error_payload, log, milliseconds (handler), init_ms, memory_mb.
        """
        seconds = float(self.config.get("Timeout") or 3)
        request = {
            "event": event,
            "request_id": request_id,
            "arn": invoked_function_arn or self.config.get("FunctionArn", ""),
            "seconds": seconds,
            "trace_id": trace_id,
        }
        with self._lock:
            init_ms = None
            started = time.perf_counter()
            try:
                if self._proc is None or self._proc.poll() is not None:
                    error = self._spawn()
                    init_ms = (time.perf_counter() - started) * 1000
                    if error:
                        if self._proc is not None:
                            self._finish(self._proc)
                        return self._failed(error, request_id, init_ms, init_ms)
                    started = time.perf_counter()
                answer = self._exchange(request, seconds)
            except Ended as ended:
                took = (time.perf_counter() - started) * 1000
                return self._failed(_explain(ended, request_id, seconds), request_id, took, init_ms)
            if answer.get("error"):
                return self._failed(answer["error"], request_id, answer["milliseconds"], init_ms)
            return {**answer, "status": "ok", "log": self._take_log(), "init_ms": init_ms}

    def _failed(self, error: dict[str, Any], request_id: str, took: float, init_ms: float | None) -> dict[str, Any]:
        error["requestId"] = request_id
        return {
            "status": "error",
            "error": error["errorMessage"],
            "error_payload": error,
            "log": self._take_log(),
            "milliseconds": took,
            "init_ms": init_ms,
        }

    def _discard_tmpdir(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            store.unlink(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def kill(self) -> None:
        """End the process and remove its files."""
        lambda_runtime.kill_workers([self])


def _read(sinks: dict[int, bytearray], seconds: float) -> bool:
    """Add what comes in from descriptors within some seconds; False when nothing did or one was closed."""
    poll = select.poll()
    for descriptor in sinks:
        poll.register(descriptor, select.POLLIN)
    ready = poll.poll(max(0.0, seconds) * 1000)
    for descriptor, _event in ready:
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return False
        sinks[descriptor].extend(chunk)
    return bool(ready)


def _explain(ended: Ended, request_id: str, seconds: float) -> dict[str, Any]:
    if ended.status is None:
        return function_bootstrap.failure(
            "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        )
    how = f"signal: {-ended.status}" if ended.status < 0 else f"exit status {ended.status}"
    return function_bootstrap.failure(
        "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}"
    )
