"""A change of a canary, and the end of an observation, as documents for scripts; pure. The rules are as_json's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from manuel_release.view.as_json import SCHEMA_VERSION, Document

if TYPE_CHECKING:
    from manuel_release.model.canary_change import CanaryOutcome, CanaryPlan, WayBack


class _End(Protocol):
    """How an observation ended."""

    @property
    def environment(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def next_command(self) -> str: ...


def changed(outcome: CanaryOutcome) -> Document:
    """The answer of `canary start`, `promote`, `extend` and `abort`."""
    plan = outcome.plan
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": outcome.environment,
        "api_stage": outcome.api_stage,
        "move": outcome.move.value,
        "status": outcome.status.value,
        "release": outcome.release,
        "stable_release": outcome.stable,
        "percent": outcome.percent,
        "seconds": round(outcome.seconds, 3),
        "steps": [
            {"name": one.title, "status": one.status, "seconds": round(one.seconds, 3), "detail": one.detail}
            for one in outcome.results
        ],
        "message": outcome.message,
        "notes": list(outcome.notes),
        "next_command": outcome.next_command,
        "plan": None if plan is None else _plan(plan),
    }


def _plan(plan: CanaryPlan) -> Document:
    return {
        "percent_before": plan.before,
        "percent": plan.percent,
        "order": plan.order.value if plan.order is not None else None,
        "steps": [step.title for step in plan.steps],
        "verdict": plan.verdict.replace(" ", "_"),
        "override": plan.override,
        "worst_case": plan.risk,
        "notes": list(plan.notes),
        "resumed": plan.resumed,
        "way_back": None if plan.way_back is None else _way_back(plan.way_back),
    }


def _way_back(found: WayBack) -> Document:
    return {
        "release": found.stable,
        "checks": [
            {"name": check.title, "answer": check.answer.value, "sentence": check.sentence} for check in found.checks
        ],
    }


def observed(end: _End) -> Document:
    """The last line of `canary watch --observe`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": end.environment,
        "release": end.release,
        "observed": {0: "good", 5: "rolled_back"}.get(end.exit_code, "cannot_tell_yet"),
        "exit_code": end.exit_code,
        "message": end.message,
        "next_command": end.next_command,
    }
