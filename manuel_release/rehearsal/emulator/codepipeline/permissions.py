"""Which permission on which resource an operation needs.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/permissions-reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codepipeline import state
from manuel_release.rehearsal.emulator.targets import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

_ON_NOTHING = ("PutJobSuccessResult", "PutJobFailureResult")
_ON_STAGE = (
    "DisableStageTransition", "EnableStageTransition", "RetryStageExecution", "RollbackStage", "OverrideStageCondition",
)  # fmt: skip


def of(action: str, body: dict[str, Any]) -> Sequence[Permission]:
    """What a caller of `action` needs on a pipeline, a stage (`PIPELINE/STAGE`) or an action."""
    if action in _ON_NOTHING:
        return (Permission((action,)),)
    if action in {"TagResource", "UntagResource", "ListTagsForResource"}:
        return (Permission((action,), str(body.get("resourceArn") or "*")),)
    name = body.get("pipelineName") or body.get("name") or (body.get("pipeline") or {}).get("name") or "*"
    resource = str(name)
    if action in _ON_STAGE:
        resource = f"{name}/{body.get('stageName') or '*'}"
    if action == "PutApprovalResult":
        resource = f"{name}/{body.get('stageName') or '*'}/{body.get('actionName') or '*'}"
    return (Permission((action,), state.arn(resource)),)
