"""CloudFormation's answers as our models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from manuel_release.aws.masking import masked
from manuel_release.model.stack import VALIDATION_FAILED, Action, Change, PropertyChange, Replacement, Stack, StackEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        OperationEventTypeDef,
        ResourceChangeDetailTypeDef,
        ResourceChangeTypeDef,
        StackEventTypeDef,
        StackTypeDef,
    )


def stack(found: StackTypeDef) -> Stack:
    """One stack of DescribeStacks."""
    return Stack(
        name=found["StackName"],
        id=found.get("StackId", found["StackName"]),
        status=found["StackStatus"],
        reason=masked(found.get("StackStatusReason", "")),
        outputs={each["OutputKey"]: each.get("OutputValue", "") for each in found.get("Outputs", [])},
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        change_set_id=found.get("ChangeSetId", ""),
    )


def event(found: StackEventTypeDef) -> StackEvent:
    """One event of DescribeStackEvents."""
    return StackEvent(
        id=found["EventId"],
        at=found["Timestamp"].astimezone(UTC),
        logical_id=found.get("LogicalResourceId", ""),
        physical_id=found.get("PhysicalResourceId", ""),
        type=found.get("ResourceType", ""),
        status=found.get("ResourceStatus", ""),
        reason=masked(found.get("ResourceStatusReason", "")),
        token=found.get("ClientRequestToken", ""),
    )


def objection(found: OperationEventTypeDef) -> StackEvent:
    """One event of DescribeEvents that says why something was not begun; `physical_id` is where in the template."""
    return StackEvent(
        id=found.get("EventId", ""),
        at=found["Timestamp"].astimezone(UTC) if "Timestamp" in found else datetime.min.replace(tzinfo=UTC),
        logical_id=found.get("LogicalResourceId", ""),
        physical_id=found.get("ValidationPath", ""),
        type=found.get("ResourceType", ""),
        status=VALIDATION_FAILED,
        reason=masked(found.get("ValidationStatusReason") or found.get("HookStatusReason", "")),
    )


def change(found: ResourceChangeTypeDef) -> Change:
    """One resource of DescribeChangeSet; `properties` are the names of its properties that differ."""
    details = tuple(made for detail in found.get("Details", []) if (made := _property(detail)) is not None)
    return Change(
        action=Action(found["Action"]),
        logical_id=found["LogicalResourceId"],
        physical_id=found.get("PhysicalResourceId", ""),
        type=found["ResourceType"],
        replacement=Replacement(found.get("Replacement", Replacement.NO)),
        properties=tuple(sorted({detail.name for detail in details})),
        scope=tuple(found.get("Scope", [])),
        details=details,
        policy=found.get("PolicyAction", ""),
    )


def _property(found: ResourceChangeDetailTypeDef) -> PropertyChange | None:
    target = found.get("Target", {})
    if target.get("Attribute") != "Properties" or "Name" not in target:
        return None
    before, after = target.get("BeforeValue"), target.get("AfterValue")
    return PropertyChange(
        name=target["Name"],
        path=target.get("Path", "").removeprefix("/Properties/"),
        before=None if before is None else masked(before),
        after=None if after is None else masked(after),
        recreation=target.get("RequiresRecreation", "Never"),
        dynamic=found.get("Evaluation") == "Dynamic",
        cause=found.get("CausingEntity", ""),
    )
