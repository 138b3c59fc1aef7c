"""A stage's gates: the rules of its conditions, evaluated when an execution enters, has succeeded or has failed.

All rules of a condition are evaluated; it holds when each one does. An alarm rule holds unless the alarm is in one of
its states (ALARM when none is given) at some moment of its waiting time, of which a minute takes as long as an
approval's. OverrideStageCondition is not emulated.
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ministack.services import cloudwatch, eventbridge

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied
from manuel_release.rehearsal.emulator.codepipeline import jobs, providers, rules, state, variables
from manuel_release.rehearsal.emulator.codepipeline.providers import lambda_function
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, ConditionRun

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.acting_role import Actor
    from manuel_release.rehearsal.emulator.codepipeline.state import Info, StageRun

REQUIRES = {
    "ministack.services.cloudwatch._alarms": None,
    "ministack.services.cloudwatch._composite_alarms": None,
    "ministack.services.eventbridge._cron_next_fire": ("fields", "after_dt"),
    "ministack.services.eventbridge._parse_cron_fields": ("expr",),
}
POLL_SECONDS = 1.0


class RuleFailed(Exception):  # noqa: N818 - an outcome
    """A rule does not hold, or cannot be evaluated; the message says why."""


def before_entry(run: StageRun) -> str:
    """`FAIL` or `SKIP` when the condition does not hold, else empty."""
    return _result_unless_met(run, "beforeEntry")


def on_success(run: StageRun) -> str:
    """`FAIL` or `ROLLBACK` when the condition does not hold, else empty."""
    return _result_unless_met(run, "onSuccess")


def _result_unless_met(run: StageRun, gate: str) -> str:
    condition = _condition(run, gate)
    return "" if condition is None or _holds(run, gate, condition) else str(condition["result"])


def on_failure(run: StageRun) -> str:
    """`ROLLBACK` when there is a condition and it holds, else empty."""
    condition = _condition(run, "onFailure")
    return str(condition["result"]) if condition is not None and _holds(run, "onFailure", condition) else ""


def _condition(run: StageRun, gate: str) -> Info | None:
    found: list[Info] = (run.stage.get(gate) or {}).get("conditions") or []
    return found[0] if found else None


def _holds(run: StageRun, gate: str, condition: Info) -> bool:
    outcomes = []
    for rule in condition["rules"]:
        try:
            _evaluate(run, rule)
        except (RuleFailed, AccessDenied, variables.UnresolvedError) as why:
            outcomes.append((rule["name"], state.FAILED, str(why)))
        else:
            outcomes.append((rule["name"], state.SUCCEEDED, ""))
    failed = [f"{name}: {why}" for name, status, why in outcomes if status == state.FAILED]
    with CHANGED:
        status = state.FAILED if failed else state.SUCCEEDED
        run.conditions[gate] = ConditionRun(status, "; ".join(failed), outcomes)
    return not failed


def _evaluate(run: StageRun, rule: Info) -> None:
    execution = run.execution
    known = {**execution.namespaces, variables.PIPELINE: execution.variables}
    known[variables.ITSELF] = {"PipelineExecutionId": execution.id}
    given = {key: variables.resolve(value, known) for key, value in (rule.get("configuration") or {}).items()}
    actor = jobs.actor_of(str(rule.get("roleArn") or execution.declaration["roleArn"]), execution)
    provider = rule["ruleTypeId"]["provider"]
    if provider == "VariableCheck":
        _variable(given)
    elif provider == "CloudWatchAlarm":
        _alarm(run, actor, given)
    elif provider == "LambdaInvoke":
        _function(run, actor, given)
    else:
        _window(given)


def _variable(given: dict[str, str]) -> None:
    try:
        held = rules.check_variable(given)
    except re.error as error:
        raise RuleFailed(f"{given['Value']} is not a regular expression: {error}") from error
    if not held:
        raise RuleFailed(f"{given['Variable']} {given['Operator']} {given['Value']} does not hold")


def _alarm(run: StageRun, actor: Actor, given: dict[str, str]) -> None:
    account_id, region = scope.current()
    name = given["AlarmName"]
    actor.require("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}")
    bad = {one.strip() for one in given.get("AlarmStates", "ALARM").split(",")}
    deadline = time.monotonic() + float(given.get("WaitTime", "0")) * providers.APPROVAL_SECONDS_PER_MINUTE
    while True:
        found = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
        if found is None:
            raise RuleFailed(f"there is no alarm {name}")
        if found["StateValue"] in bad:
            raise RuleFailed(f"the alarm {name} is in state {found['StateValue']}")
        left = deadline - time.monotonic()
        if left <= 0 or run.execution.stop or run.execution.forgotten:
            return
        with CHANGED:
            CHANGED.wait(min(left, POLL_SECONDS))


def _function(run: StageRun, actor: Actor, given: dict[str, str]) -> None:
    function = given["FunctionName"]
    actor.require("lambda:InvokeFunction", lambda_function.arn_of(function))
    event = {"pipelineExecutionId": run.execution.id, "UserParameters": given.get("UserParameters", "")}
    status, headers, body = lambda_function.invoke(function, event, "RequestResponse")
    wrong = {name.lower(): value for name, value in headers.items()}.get("x-amz-function-error")
    if status >= 400 or wrong:
        document = json.loads(body)
        words = document.get("errorMessage") or document.get("message") or f"HTTP {status}"
        raise RuleFailed(f"the function {function} failed: {words}")


def _window(given: dict[str, str]) -> None:
    try:
        zone = ZoneInfo(given.get("TimeZone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RuleFailed(f"{given['TimeZone']} is not a time zone") from error
    now = datetime.now(zone).replace(tzinfo=None, second=0, microsecond=0)
    fields = given["Cron"].split()[1:]  # Quartz begins with seconds, which are not used
    fields += ["*"] if len(fields) == 5 else []
    parsed = eventbridge._parse_cron_fields(f"cron({' '.join(fields)})")
    if parsed is None:
        raise RuleFailed(f"{given['Cron']} is not a cron expression: one of the days of month and week must be ?")
    following = eventbridge._cron_next_fire(parsed, now - timedelta(minutes=1))
    if following is None or following.replace(tzinfo=None) != now:
        raise RuleFailed(f"{now} is outside the window {given['Cron']}")
