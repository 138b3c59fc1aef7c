"""A rollback's receipt as the document for scripts; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.view.as_json import SCHEMA_VERSION, Document

if TYPE_CHECKING:
    from manuel_release.model.rollback import Receipt


def document(receipt: Receipt) -> Document:
    """The answer of `rollback`, dry runs included, and what an incident keeps."""
    counted = receipt.counted
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": receipt.environment,
        "api_stage": receipt.api_stage,
        "from_release": receipt.from_release,
        "to_release": receipt.to_release,
        "why": receipt.why,
        "message": receipt.message,
        "traffic_restored": receipt.traffic_restored,
        "seconds_to_traffic_restored": _seconds(receipt.seconds_to_traffic_restored),
        "seconds_to_last_bad_response": _seconds(receipt.seconds_to_last_bad_response),
        "bad_responses": receipt.bad_responses,
        "good_responses": receipt.good_responses,
        "failed_responses": counted.failed if counted is not None else None,
        "bad_release_is_gone": counted.quiet if counted is not None else None,
        "bad_requests": receipt.bad_requests,
        "api_calls_before_restored": receipt.api_calls_before_restored,
        "steps": [
            {"name": one.title, "status": one.status, "seconds": round(one.seconds, 3), "detail": one.detail}
            for one in receipt.steps
        ],
        "left": list(receipt.left),
        "not_rolled_back": list(receipt.not_rolled_back),
        "undo_command": receipt.undo_command,
        "incident_id": receipt.incident_id,
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
