"""Stage conditions as they are declared: which results a gate allows, and which rules this emulator evaluates.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RULES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    # provider -> required and optional configuration
    "CloudWatchAlarm": (frozenset({"AlarmName"}), frozenset({"AlarmStates", "WaitTime"})),
    "DeploymentWindow": (frozenset({"Cron"}), frozenset({"TimeZone"})),
    "LambdaInvoke": (frozenset({"FunctionName"}), frozenset({"UserParameters"})),
    "VariableCheck": (frozenset({"Variable", "Value", "Operator"}), frozenset()),
}
GATES: Mapping[str, frozenset[str]] = {
    "beforeEntry": frozenset({"FAIL", "SKIP"}),
    "onSuccess": frozenset({"FAIL", "ROLLBACK"}),
    "onFailure": frozenset({"ROLLBACK"}),
}
SKIP_NEEDS = frozenset({"LambdaInvoke", "VariableCheck"})
OPERATORS = ("EQ", "NE", "CONTAINS", "MATCHES")


def wrong_conditions(stage: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a stage's conditions, a sentence each."""
    failure = stage.get("onFailure") or {}
    if failure.get("result") and failure.get("conditions"):
        yield f"onFailure of stage '{stage['name']}' has a result and conditions; it may have one of them"
    if failure.get("result") in {"FAIL", "SKIP"}:
        yield f"onFailure of stage '{stage['name']}': the result {failure['result']} is not allowed"
    if failure.get("retryConfiguration") and failure.get("result") != "RETRY":
        yield f"onFailure of stage '{stage['name']}': retryConfiguration needs the result RETRY"
    for gate, results in GATES.items():
        for condition in (stage.get(gate) or {}).get("conditions") or []:
            where = f"{gate} of stage '{stage['name']}'"
            result = condition.get("result")
            if result not in results:
                yield f"{where}: the result {result} is not allowed; {' and '.join(sorted(results))} are"
            if not condition.get("rules"):
                yield f"{where}: a condition needs a rule"
            for rule in condition.get("rules") or []:
                yield from _wrong_rule(rule, where)
                if result == "SKIP" and rule["ruleTypeId"]["provider"] not in SKIP_NEEDS:
                    yield f"{where}: SKIP is only for the rules {' and '.join(sorted(SKIP_NEEDS))}"


def _wrong_rule(rule: Mapping[str, Any], where: str) -> Iterator[str]:
    provider, name = rule["ruleTypeId"]["provider"], rule["name"]
    known = RULES.get(provider)
    if known is None:
        yield f"{where}: rule '{name}' of provider {provider} is not emulated; {', '.join(RULES)} are"
        return
    required, optional = known
    configuration = rule.get("configuration") or {}
    for key in sorted(required - set(configuration)):
        yield f"{where}: rule '{name}' is missing required configuration '{key}'"
    for key in sorted(set(configuration) - required - optional):
        yield f"{where}: rule '{name}' contains unknown configuration '{key}'"
    if provider == "VariableCheck" and configuration.get("Operator", "EQ") not in OPERATORS:
        yield f"{where}: rule '{name}': the operator {configuration['Operator']} is none of {', '.join(OPERATORS)}"
    if provider == "DeploymentWindow" and len(configuration.get("Cron", "* * * * * *").split()) not in {6, 7}:
        yield f"{where}: rule '{name}': a Quartz cron expression has 6 or 7 fields"


def check_variable(configuration: Mapping[str, str]) -> bool:
    """Whether a VariableCheck holds; its configuration is resolved already. Raises re.error for a bad expression."""
    found, expected = configuration["Variable"], configuration["Value"]
    operator = configuration["Operator"]
    if operator == "EQ":
        return found == expected
    if operator == "NE":
        return found != expected
    if operator == "CONTAINS":
        return expected in found
    return re.fullmatch(expected, found) is not None
