"""Lambda invocations on every path: which version a weighted alias picks, what is logged, and what is counted.

Routing follows https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html, metrics and dimensions
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html: none, FunctionName, FunctionName + Resource
(`NAME:ALIAS` or `NAME:VERSION`), and for aliases + ExecutedVersion.

The qualifier that was called travels in the FunctionArn of the configuration that is executed.
"""

from __future__ import annotations

import contextvars
import random
import time
from typing import Any

from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator import function_logs, scope, workers
from manuel_release.rehearsal.emulator.metrics_api import store

REQUIRES = {
    "ministack.services.lambda_svc._functions": None,
    "ministack.services.lambda_svc._func_arn": ("name",),
    "ministack.services.lambda_svc._qp_first": ("query_params", "key", "default"),
    "ministack.services.lambda_svc._effective_func_record_for_qualifier": ("func", "qualifier"),
    "ministack.services.lambda_svc._get_func_record_for_qualifier": ("name", "qualifier"),
    "ministack.services.lambda_svc._event_invoke_config": ("func", "qualifier"),
    "ministack.services.lambda_svc._invoke": ("name", "event", "headers", "path_qualifier", "query_params"),
    "ministack.services.lambda_svc._execute_function": ("func", "event"),
    "ministack.services.lambda_svc.invoke_async_with_retry": ("func", "event"),
    "ministack.services.lambda_svc._execute_function_dispatch": ("func", "config", "event", "request_id", "started"),
    "ministack.services.lambda_svc._acquire_execution_slot": ("func", "config"),
    "ministack.services.lambda_svc._emit_lambda_metrics": ("function_name", "duration_ms", "error", "throttle"),
}

_called: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("manuel_called", default=None)
"""ARN of the drawn version and of the alias that an Invoke request named."""


def draw(alias: dict[str, Any]) -> str:
    """The version that one invocation of an alias runs: an additional one with its weight, else the primary."""
    point = random.random()  # noqa: S311 - traffic, not a secret
    for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
        point -= float(weight)
        if point < 0:
            return str(version)
    return str(alias.get("FunctionVersion", "$LATEST"))


def alias_of(func: dict[str, Any] | None, qualifier: str | None) -> dict[str, Any] | None:
    """The alias that a qualifier names, or None for versions, $LATEST and unknown ones."""
    found: dict[str, Any] | None = ((func or {}).get("aliases") or {}).get(qualifier)
    return found


def unqualified(arn: str) -> tuple[str, str | None]:
    """A function ARN without its qualifier, and the qualifier."""
    parts = arn.split(":")
    return ":".join(parts[:7]), parts[7] if len(parts) > 7 else None


def dimension_sets(config: dict[str, Any]) -> list[dict[str, str]]:
    """Every set of dimensions under which an invocation of this configuration is counted."""
    name = config["FunctionName"]
    sets = [{}, {"FunctionName": name}]
    _arn, qualifier = unqualified(config.get("FunctionArn", ""))
    if qualifier:
        sets.append({"FunctionName": name, "Resource": f"{name}:{qualifier}"})
        if not qualifier.isdigit() and qualifier != "$LATEST":
            sets.append({**sets[-1], "ExecutedVersion": config.get("Version", "$LATEST")})
    return sets


def count(config: dict[str, Any], **values: float) -> None:
    """Publish AWS/Lambda metrics (Duration in ms, the others counts) of one invocation."""
    now = time.time()
    for dimensions in dimension_sets(config):
        for metric, value in values.items():
            unit = "Milliseconds" if metric == "Duration" else "Count"
            store.record(scope.current(), "AWS/Lambda", metric, dimensions, [(value, 1.0)], timestamp=now, unit=unit)


def _as_called(func: dict[str, Any]) -> dict[str, Any]:
    """A function record that knows the alias by which an Invoke request named it."""
    config, called = func.get("config") or func, _called.get()
    if called and config.get("FunctionArn") == called[0]:
        return {**func, "config": {**config, "FunctionArn": called[1]}}
    return func


def _route() -> None:
    """Let aliases pick a version wherever a function is invoked, and nowhere else."""
    stock_effective = lambda_svc._effective_func_record_for_qualifier
    stock_invoke = lambda_svc._invoke

    def effective(func: dict[str, Any] | None, qualifier: str | None) -> Any:
        """What event sources and API Gateway run."""
        alias = alias_of(func, qualifier)
        if alias is None:
            return stock_effective(func, qualifier)
        record, config = stock_effective(func, draw(alias))
        return (None, None) if record is None else (record, {**config, "FunctionArn": alias["AliasArn"]})

    def for_reading(name: str, qualifier: str | None) -> Any:
        """What GetFunction and the like show: an alias stands for its primary version."""
        return stock_effective(lambda_svc._functions.get(name), qualifier)

    async def invoke(
        name: str,
        event: object,
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier") or None
        alias = alias_of(lambda_svc._functions.get(name), qualifier)
        if alias is None:
            return await stock_invoke(name, event, headers, path_qualifier, query_params)
        version = draw(alias)
        _called.set((f"{lambda_svc._func_arn(name)}:{version}", alias["AliasArn"]))
        return await stock_invoke(name, event, headers, version, query_params)

    lambda_svc._effective_func_record_for_qualifier = effective
    lambda_svc._get_func_record_for_qualifier = for_reading
    lambda_svc._invoke = invoke


def _execute() -> None:
    """Keep the alias that was called, for the function, its retries and its destinations."""
    stock_execute = lambda_svc._execute_function
    stock_later = lambda_svc.invoke_async_with_retry

    def execute(func: dict[str, Any], event: object) -> Any:
        return stock_execute(_as_called(func), event)

    def execute_later(func: dict[str, Any], event: object) -> None:
        func = _as_called(func)
        config = func.get("config") or func
        _arn, qualifier = unqualified(config["FunctionArn"])
        base = lambda_svc._functions.get(config["FunctionName"]) or func
        stock_later({**func, "event_invoke_config": lambda_svc._event_invoke_config(base, qualifier)}, event)

    lambda_svc._execute_function = execute
    lambda_svc.invoke_async_with_retry = execute_later


def _observe() -> None:
    """Log and count every invocation and every refused one."""
    stock_dispatch = lambda_svc._execute_function_dispatch
    stock_slot = lambda_svc._acquire_execution_slot

    def dispatch(func: dict[str, Any], config: dict[str, Any], event: object, request_id: str, started: float) -> Any:
        result: dict[str, Any]
        if not str(config.get("Runtime", "")).startswith("python") or config.get("PackageType") == "Image":
            result = stock_dispatch(func, config, event, request_id, started)
        else:
            result = workers.execute(func, event, request_id)
            function_logs.write(config, request_id, result)
        took = result.get("milliseconds")
        duration = (time.time() - started) * 1000 if took is None else took
        count(config, Invocations=1.0, Errors=float(bool(result.get("error"))), Throttles=0.0, Duration=duration)
        return result

    def slot(func: dict[str, Any], config: dict[str, Any]) -> Any:
        key, limit = stock_slot(func, config)
        if key is None:
            count(config, Throttles=1.0)
        return key, limit

    lambda_svc._execute_function_dispatch = dispatch
    lambda_svc._acquire_execution_slot = slot
    lambda_svc._emit_lambda_metrics = lambda *_args, **_kwargs: None


def install() -> None:
    """Route, log and count."""
    _route()
    _execute()
    _observe()
