"""Pipelines and findings as documents for scripts; pure. The rules are those of as_json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.view.as_json import SCHEMA_VERSION, Document, time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.pipeline import Action, Finding, Pipeline, PipelineState, StageState


def findings(found: Iterable[Finding]) -> Document:
    """The answer of `pipeline validate`."""
    told = [
        {"rule": one.rule, "file": one.file, "where": one.where, "what": one.what, "why": one.why, "hint": one.hint}
        for one in found
    ]
    return {"schema_version": SCHEMA_VERSION, "valid": not told, "findings": told}


def declared(pipeline: Pipeline) -> Document:
    """The answer of `pipeline diagram`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": pipeline.name,
        "type": pipeline.type,
        "mode": pipeline.mode,
        "stages": [{"name": one.name, "actions": [_action(a) for a in one.actions]} for one in pipeline.stages],
    }


def _action(one: Action) -> Document:
    return {
        "name": one.name,
        "category": one.category,
        "provider": one.provider,
        "run_order": one.run_order,
        "project": one.configuration.get("ProjectName"),
        "inputs": list(one.inputs),
        "outputs": list(one.outputs),
        "timeout_seconds": None if one.timeout_minutes is None else one.timeout_minutes * 60,
    }


def state(found: PipelineState) -> Document:
    """The answer of `pipeline status`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pipeline": found.name,
        "executions": [
            {
                "id": one.id,
                "status": one.status.value,
                "started_at": time(one.started_at),
                "changed_at": time(one.changed_at),
                "commit": one.revision,
                "message": one.message,
                "trigger": one.trigger,
                "stop_reason": one.stop_reason or None,
            }
            for one in found.executions
        ],
        "stages": [_stage(one) for one in found.stages],
    }


def _stage(one: StageState) -> Document:
    return {
        "name": one.name,
        "status": one.status.value,
        "execution_id": one.execution_id or None,
        "waiting_execution_ids": list(one.waiting_ids),
        "open": one.open,
        "closed_reason": one.closed_reason or None,
        "actions": [
            {
                "name": a.name,
                "status": a.status.value,
                "waits_for_a_person": a.waits,
                "summary": a.summary,
                "error": a.error or None,
                "changed_at": time(a.changed_at),
                "changed_by": a.changed_by or None,
                "url": a.url or None,
            }
            for a in one.actions
        ],
    }


def done(pipeline: str, what: str, execution_id: str = "", stage: str = "", stopped: Iterable[str] = ()) -> Document:
    """The answer of a command that changed something: what it was done to, and the executions that were stopped."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pipeline": pipeline,
        "done": what,
        "stage": stage or None,
        "execution_id": execution_id or None,
        "stopped": list(stopped),
    }
