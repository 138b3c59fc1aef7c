"""CloudFormation's answers as our models."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from manuel_release.model.stack import Action, Change, Replacement, Stack, StackEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef, StackEventTypeDef, StackTypeDef


def stack(found: StackTypeDef) -> Stack:
    """One stack of DescribeStacks."""
    return Stack(
        name=found["StackName"],
        id=found.get("StackId", found["StackName"]),
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={each["OutputKey"]: each.get("OutputValue", "") for each in found.get("Outputs", [])},
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
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
        reason=found.get("ResourceStatusReason", ""),
    )


def change(found: ResourceChangeTypeDef) -> Change:
    """One resource of DescribeChangeSet; `properties` are the names of its properties that differ."""
    properties = {
        target["Name"]
        for detail in found.get("Details", [])
        if (target := detail.get("Target", {})).get("Attribute") == "Properties" and "Name" in target
    }
    return Change(
        action=Action(found["Action"]),
        logical_id=found["LogicalResourceId"],
        physical_id=found.get("PhysicalResourceId", ""),
        type=found["ResourceType"],
        replacement=Replacement(found.get("Replacement", Replacement.NO)),
        properties=tuple(sorted(properties)),
        scope=tuple(found.get("Scope", [])),
    )
