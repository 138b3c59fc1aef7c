"""Lambda's pool of sandboxes: which one runs an invocation, how many stay warm, and when they end.

Concurrency is counted by ministack against LAMBDA_ACCOUNT_CONCURRENCY and throttled as on AWS
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html); this module bounds what idles, so that the
versions of old releases do not fill a small machine.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {
    "ministack.core.lambda_runtime._worker_class_for": ("config",),
    "ministack.core.lambda_runtime._worker_key": ("func_name", "config", "qualifier"),
    "ministack.core.lambda_runtime._workers": None,
    "ministack.core.lambda_runtime._lock": None,
    "ministack.core.lambda_runtime.kill_workers": ("workers",),
    "ministack.core.lambda_runtime.acquire_worker": (
        "func_name",
        "config",
        "code_zip",
        "qualifier",
        "max_concurrency",
    ),
    "ministack.core.lambda_runtime.release_worker": ("worker",),
    "ministack.services.lambda_svc.acquire_worker": None,
    "ministack.services.lambda_svc.release_worker": None,
    "ministack.services.lambda_svc.reap_idle_workers": ("ttl",),
    "ministack.services.lambda_svc._execute_function_warm": ("func", "event", "request_id"),
    "ministack.services.lambda_svc._ensure_reaper_thread": (),
    "ministack.services.lambda_svc._inbound_invoke_depth": ("headers",),
    "ministack.services.lambda_svc._invoke_depth": None,
    "ministack.services.lambda_svc._reserved_concurrency": ("func", "config"),
    "ministack.services.lambda_svc._functions": None,
}

WARM_PER_FUNCTION = 10
"""Sandboxes of one function, over all its versions; busy ones may be more."""
SURPLUS_IDLE_SECONDS = 30.0
"""A version's second and further sandboxes end after idling this long."""
IDLE_SECONDS = 300.0
"""A version's last sandbox ends after idling this long."""

_LINEAGE = re.compile(r"Lineage=(\d+):")


def execute(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
    """Run one invocation in a warm or a new sandbox.

    Returns body (the result, or the error as Lambda words it), error, log, and what a REPORT line needs:
    milliseconds, init_ms, memory_mb, log_stream.
    """
    config = func.get("config") or func
    code_zip = func.get("code_zip")
    if not code_zip:
        return {"body": {"statusCode": 200, "body": "Mock response - no code deployed"}}
    lambda_svc._ensure_reaper_thread()
    worker, _reason = acquire(config["FunctionName"], config, code_zip, config.get("Version", "$LATEST"))
    try:
        outcome = worker.invoke(
            event, request_id, trace_id=_trace_id(), invoked_function_arn=config.get("FunctionArn", "")
        )
        report = {key: outcome.get(key) for key in ("milliseconds", "init_ms", "memory_mb", "log")}
        report["log_stream"] = getattr(worker, "log_stream", "")
    finally:
        release(worker)
    if outcome["status"] == "ok":
        return {**report, "body": outcome.get("result")}
    plain = {"errorMessage": outcome.get("error", ""), "errorType": "Runtime.HandlerError"}
    return {**report, "body": outcome.get("error_payload") or plain, "error": True}


def _trace_id() -> str:
    """An X-Ray header whose Lineage counts hops, which every AWS SDK passes on and loop detection reads."""
    depth = lambda_svc._invoke_depth.get()
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0;Lineage={depth}:{secrets.token_hex(4)}:0"


def depth_of(headers: dict[str, str]) -> int:
    """How many functions a request has already been through."""
    found = _LINEAGE.search(headers.get("x-amzn-trace-id", ""))
    return int(found[1]) if found else 0


def total_cap() -> int:
    """Sandboxes that may be warm at the same time, busy ones included."""
    return int(os.environ["LAMBDA_ACCOUNT_CONCURRENCY"])


def acquire(
    func_name: str,
    config: dict[str, Any],
    code_zip: bytes,
    qualifier: str = "$LATEST",
    max_concurrency: int | None = None,
) -> tuple[Any, str]:
    """Lease a free sandbox or a new one; a new one pushes out the longest unused idle ones beyond the caps."""
    worker, reason = lambda_runtime.acquire_worker(func_name, config, code_zip, qualifier, max_concurrency)
    if reason == "spawn":
        prefix = lambda_runtime._worker_key(func_name, config, "")
        _evict(lambda key: key.startswith(prefix), WARM_PER_FUNCTION)
        _evict(lambda _key: True, total_cap())
    return worker, reason


def release(worker: Any) -> None:
    """Give a leased sandbox back."""
    if worker is not None:
        worker.last_used = time.time()
    lambda_runtime.release_worker(worker)


def _evict(among: Callable[[str], bool], cap: int) -> None:
    """End the longest unused idle sandboxes of the pools that `among` accepts until at most `cap` are left."""
    with lambda_runtime._lock:
        warm = [(key, worker) for key, pool in lambda_runtime._workers.items() if among(key) for worker in pool]
        idle = sorted((pair for pair in warm if not pair[1].in_use), key=lambda pair: pair[1].last_used)
        doomed = idle[: max(0, len(warm) - cap)]
        _forget(doomed)
    lambda_runtime.kill_workers([worker for _key, worker in doomed])


def _forget(doomed: list[tuple[str, Any]]) -> None:
    for key, worker in doomed:
        pool = lambda_runtime._workers[key]
        pool.remove(worker)
        if not pool:
            del lambda_runtime._workers[key]


def reap(ttl: float | None = None) -> int:  # noqa: ARG001 - ministack's signature
    """End sandboxes that have idled for too long; returns how many."""
    now = time.time()
    with lambda_runtime._lock:
        doomed = []
        for key, pool in lambda_runtime._workers.items():
            for index, worker in enumerate(pool):
                limit = SURPLUS_IDLE_SECONDS if index else IDLE_SECONDS
                if not worker.in_use and now - worker.last_used > limit:
                    doomed.append((key, worker))
        _forget(doomed)
    lambda_runtime.kill_workers([worker for _key, worker in doomed])
    return len(doomed)


def install() -> None:
    """Run Python functions in own sandboxes and bound how many there are."""
    stock_class = lambda_runtime._worker_class_for
    stock_reserved = lambda_svc._reserved_concurrency

    def sandbox_class(config: dict[str, Any]) -> Any:
        return Sandbox if str(config.get("Runtime", "")).startswith("python") else stock_class(config)

    def reserved(func: dict[str, Any] | None, config: dict[str, Any]) -> int | None:
        """Reserved concurrency is the function's, whichever version or alias is called."""
        value: int | None = stock_reserved(lambda_svc._functions.get(config.get("FunctionName")) or func, config)
        return value

    lambda_runtime._worker_class_for = sandbox_class
    lambda_svc.acquire_worker = acquire
    lambda_svc.release_worker = release
    lambda_svc.reap_idle_workers = reap
    lambda_svc._execute_function_warm = execute
    lambda_svc._inbound_invoke_depth = depth_of
    lambda_svc._reserved_concurrency = reserved
