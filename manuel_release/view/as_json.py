"""Models -> documents for scripts: snake_case, ISO 8601 UTC, seconds, shares as percent 0-100; pure.

A document only ever gains keys; a change of meaning raises `schema_version`.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from manuel_release.errors import ReleaseError
    from manuel_release.model.entry import Freeze, Lease
    from manuel_release.model.outcome import DeployOutcome
    from manuel_release.model.plan import DeployPlan
    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.progress import StepResult
    from manuel_release.model.release import CanaryStep, Release, Return
    from manuel_release.model.stack import PropertyChange
    from manuel_release.model.status import EnvironmentStatus

SCHEMA_VERSION = 1

Document = dict[str, Any]


def time(at: datetime | None) -> str | None:
    """`2026-01-31T09:30:00Z`; None stays None."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _seconds(value: float) -> float:
    return round(value, 3)


def status(environments: Iterable[EnvironmentStatus]) -> Document:
    """The answer of `status`."""
    return {"schema_version": SCHEMA_VERSION, "environments": [_environment(one) for one in environments]}


def _environment(one: EnvironmentStatus) -> Document:
    canary = one.canary
    return {
        "name": one.name,
        "api_stage": one.api_stage,
        "condition": one.condition.value,
        "stack": one.stack,
        "stack_status": one.stack_status,
        "live_release": one.live_release,
        "pinned_release": one.pinned_release,
        "canary": None
        if canary is None
        else {
            "release": canary.release,
            "percent": canary.percent,
            "actual_percent": None if one.actual_percent is None else round(one.actual_percent, 3),
        },
        "traffic_drift": one.traffic_drift,
        "alarms": [{"name": alarm.name, "state": alarm.state} for alarm in one.alarms],
        "lease": lease_of(one.lease),
        "freeze": freeze_of(one.freeze),
        "pending_approvals": list(one.pending_approvals),
        "unfinished": [_release(release) for release in one.unfinished],
        "staged_release": None if one.waiting is None else one.waiting.name,
        "serving_differs": [
            {"function": d.function, "alias": d.alias, "version": d.version, "expected_version": d.expected}
            for d in one.serving_differs
        ],
        "note": one.remarks,
    }


def freeze_of(freeze: Freeze | None) -> Document | None:
    """A freeze; None stays None."""
    if freeze is None:
        return None
    return {"by": freeze.by, "reason": freeze.reason, "since": time(freeze.since), "until": time(freeze.until)}


def lease_of(lease: Lease | None) -> Document | None:
    """A lease, without its token; None stays None."""
    if lease is None:
        return None
    return {
        "holder": lease.holder,
        "reason": lease.reason,
        "taken_at": time(lease.taken_at),
        "expires_at": time(lease.expires_at),
    }


def history(releases: Iterable[Release]) -> Document:
    """The answer of `history`."""
    return {"schema_version": SCHEMA_VERSION, "releases": [_release(release) for release in releases]}


def _release(release: Release) -> Document:
    return {
        "release": release.name,
        "environment": release.environment,
        "api_stage": release.api_stage,
        "commit": release.commit,
        "state": release.state.value,
        "started_at": time(release.started_at),
        "live_at": time(release.live_at),
        "rolled_back_at": time(release.rolled_back_at),
        "by": release.by,
        "reason": release.reason,
        "failure": release.failure,
        "digest": release.digest,
        "code_digest": release.code_digest,
        "versions": dict(release.versions),
        "api_deployment_id": release.api_deployment_id,
        "override_shared": release.override_shared,
        "canary_steps": [_canary_step(step) for step in release.steps],
        "rollbacks": [_return(one) for one in release.returns],
        "pruned_at": time(release.pruned_at),
    }


def _canary_step(step: CanaryStep) -> Document:
    return {
        "percent": step.percent,
        "at": time(step.at),
        "by": step.by,
        "override": step.override,
        "until": time(step.until),
    }


def _return(one: Return) -> Document:
    return {
        "at": time(one.at),
        "to_release": one.to,
        "by": one.by,
        "reason": one.reason,
        "trigger": one.trigger,
        "incident_id": one.incident,
        "finished": one.done,
    }


def deployed(outcome: DeployOutcome) -> Document:
    """The answer of `deploy`, dry runs included."""
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": outcome.environment,
        "api_stage": outcome.api_stage,
        "release": outcome.release,
        "previous_release": outcome.previous,
        "status": outcome.status.value,
        "message": outcome.message,
        "url": outcome.url,
        "seconds": _seconds(outcome.seconds),
        "steps": _steps(outcome.results),
        "plan": None if outcome.plan is None else _plan(outcome.plan),
        "next_command": outcome.next_command,
    }


def _steps(results: Sequence[StepResult]) -> list[Document]:
    return [
        {"name": one.title, "status": one.status, "seconds": _seconds(one.seconds), "detail": one.detail}
        for one in results
    ]


def _plan(plan: DeployPlan) -> Document:
    return {
        "commit": plan.commit,
        "digest": plan.digest,
        "code_digest": plan.code_digest,
        "stack": plan.change_set.stack,
        "creates_stack": plan.change_set.creates_stack,
        "changes": [_change(one, plan.change_set.values) for one in plan.changes],
        "refusal": None if plan.refusal is None else {"message": plan.refusal.reason, "hint": plan.refusal.hint},
        "override_shared": plan.override,
        "steps": [step.title for step in plan.steps],
        "serves_at_end": plan.serves_at_end,
        "warnings": list(plan.warnings),
    }


def _change(one: JudgedChange, values: bool) -> Document:
    change = one.change
    return {
        "action": change.action.value,
        "logical_id": change.logical_id,
        "physical_id": change.physical_id,
        "type": change.type,
        "replacement": change.replacement.value,
        "properties": list(change.properties),
        "description": change.description,
        "area": one.area.value,
        "subject": one.subject,
        "effect": one.effect.value,
        "iam": one.iam,
        "objection": one.objection or one.forbidden,
        "overridable": not one.forbidden,
        "kept_in_aws": change.kept,
        "differences": [_difference(detail) for detail in change.details] if values else None,
    }


def _difference(detail: PropertyChange) -> Document:
    return {
        "property": detail.name,
        "path": detail.path or detail.name,
        "before": detail.before,
        "after": detail.after,
        "recreation": detail.recreation,
        "known_only_while_it_runs": detail.dynamic,
        "cause": detail.cause or None,
    }


def refused(error: ReleaseError, plan: DeployPlan) -> Document:
    """The answer of `deploy` when what would change must not be done: the error, and the plan that it is about."""
    told = {"code": error.code, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
    return {"schema_version": SCHEMA_VERSION, "error": told, "plan": _plan(plan)}
