"""The Python runtime of one Lambda sandbox: imports the handler once, then answers one invocation after the other.

Runs on the functions' interpreter, so only the standard library is imported. Requests come as JSON lines on descriptor
0, answers leave on descriptor 1; both are moved out of the way before the handler is imported, so that everything it
prints is log (descriptor 2). After each answer a mark in the log says that the invocation's log is complete.

Error types and texts follow https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any, "Context"], Any]


class Context:
    """What a handler gets as its second argument; the names are AWS's."""

    identity = None
    client_context = None
    tenant_id = None

    def __init__(self, request_id: str, arn: str, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is timed out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def failure(kind: str, message: str, request_id: str = "", stack: list[str] | None = None) -> dict[str, Any]:
    """An error as the caller of Invoke reads it."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": stack or []}


def load(spec: str) -> tuple[Handler | None, dict[str, Any] | None]:
    """Import `package.module.function` (or `package/module.function`); returns the handler or the error."""
    module_name, _, name = spec.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        traceback.print_exc()
        return None, failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        traceback.print_exc()
        return None, failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}")
    except Exception as error:
        traceback.print_exc()
        return None, failure(type(error).__name__, str(error), stack=traceback.format_tb(error.__traceback__))
    if not hasattr(module, name):
        return None, failure("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    return getattr(module, name), None


def peak_memory() -> int:
    """Most memory (MB) that this process has had; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def run(handler: Handler, request: dict[str, Any]) -> str:
    """Run one invocation and return the answer as a JSON line; a handler's exception is an answer too."""
    context = Context(request["request_id"], request["arn"], request["seconds"])
    if request.get("trace_id"):
        os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
    started = time.perf_counter()
    answer: dict[str, Any]
    try:
        answer = {"result": handler(request["event"], context)}
    except Exception as error:
        answer = {
            "error": failure(
                type(error).__name__, str(error), context.aws_request_id, traceback.format_tb(error.__traceback__)[1:]
            )
        }
        told = traceback.format_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
        sys.stderr.write(f"[ERROR] {type(error).__name__}: {error}\n{''.join(told)}")
    answer["milliseconds"] = (time.perf_counter() - started) * 1000
    answer["memory_mb"] = peak_memory()
    try:
        return json.dumps(answer) + "\n"
    except (TypeError, ValueError) as error:
        wrong = failure("Runtime.MarshalError", f"Unable to marshal response: {error}", context.aws_request_id)
        return json.dumps({**answer, "result": None, "error": wrong}) + "\n"


def _follow(requests: int, lines: queue.SimpleQueue[str]) -> None:
    """Hand over request lines; when the server is gone, end at once, in the middle of a handler too."""
    with open(requests, encoding="utf-8") as stream:
        for line in stream:
            lines.put(line)
    os._exit(0)


def main() -> None:
    """Serve until the server closes the requests."""
    requests, answers = os.dup(0), os.dup(1)
    silence = os.open(os.devnull, os.O_RDONLY)
    os.dup2(silence, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_follow, args=(requests, lines), daemon=True).start()
    opening = json.loads(lines.get())
    mark = opening["mark"].encode()

    def reply(line: str) -> None:
        data = memoryview(line.encode())
        while data:
            data = data[os.write(answers, data) :]
        sys.stderr.flush()
        os.write(2, mark)

    sys.path[:0] = opening["path"]
    handler, error = load(opening["handler"])
    reply(json.dumps({"error": error} if error else {"ready": True}) + "\n")
    while handler is not None:
        reply(run(handler, json.loads(lines.get())))


if __name__ == "__main__":
    main()
