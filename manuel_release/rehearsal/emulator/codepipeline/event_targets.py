"""A pipeline as the target of an EventBridge rule, which ministack does not know: the event starts an execution.

The target's role is assumed and needs codepipeline:StartPipelineExecution, as on AWS.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import logging
from typing import Any

from ministack.services import eventbridge

from manuel_release.rehearsal.emulator import acting_role
from manuel_release.rehearsal.emulator.acting_role import AccessDenied, Actor
from manuel_release.rehearsal.emulator.codepipeline import executions, state

REQUIRES = {"ministack.services.eventbridge._invoke_target": ("target", "event", "rule", "view")}
PRINCIPAL = "events.amazonaws.com"
logger = logging.getLogger("codepipeline")


def start(target: dict[str, Any], rule: dict[str, Any]) -> None:
    """Start the pipeline that is the target; what prevents it is said in the server's log, as nobody waits for it."""
    arn, role = str(target["Arn"]), str(target.get("RoleArn") or "")
    found = state.pipelines.get(arn.rpartition(":")[2])
    if found is None or found.arn != arn:
        logger.warning("rule %s: there is no pipeline %s", rule.get("Name"), arn)
        return
    if not role or not acting_role.can_be_assumed(role, PRINCIPAL, str(rule.get("Arn", ""))):
        logger.warning("rule %s: the role %s of the target %s cannot be assumed", rule.get("Name"), role, arn)
        return
    try:
        Actor(role, "events").require("codepipeline:StartPipelineExecution", arn)
    except AccessDenied as denied:
        logger.warning("rule %s: %s", rule.get("Name"), denied)
        return
    trigger = {"triggerType": "CloudWatchEvent", "triggerDetail": str(rule.get("Arn", rule.get("Name")))}
    executions.begin(found, trigger=trigger)


def install() -> None:
    """Handle targets that are pipelines; leave all others to ministack."""
    invoke = eventbridge._invoke_target

    def with_pipelines(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> None:
        if ":codepipeline:" in str(target.get("Arn", "")):
            start(target, rule)
        else:
            invoke(target, event, rule, view)

    eventbridge._invoke_target = with_pipelines
