"""CloudFormation: drift detection. It reads resources and changes none of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.aws.masking import masked
from manuel_release.model.drift import Detection, DriftedResource

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import DescribeStackResourceDriftsInputTypeDef, StackResourceDriftTypeDef

    from manuel_release.aws.session import Session

DETECTABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"})
"""The stack states in which CloudFormation accepts a detection (the page above)."""
_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 5.0


class Drift:
    """Has CloudFormation compare stacks with their templates."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = session
        self._sleep = sleep

    @property
    def _client(self) -> CloudFormationClient:
        return self._session.client("cloudformation")

    def begin(self, stack: str) -> str:
        """Start a detection; returns its id. The stack is in one of the states of DETECTABLE."""
        with translated(f"cannot start the drift detection of stack {stack}"):
            return self._client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]

    def wait(self, detection_id: str, seconds: float) -> Detection | None:
        """How a detection ended; None when it is still at work after `seconds`, and then it goes on by itself."""
        waited, pause = 0.0, _FIRST_POLL_SECONDS
        while True:
            with translated("cannot read the drift detection"):
                found = self._client.describe_stack_drift_detection_status(StackDriftDetectionId=detection_id)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                complete = found["DetectionStatus"] == "DETECTION_COMPLETE"
                return Detection(complete, masked(found.get("DetectionStatusReason", "")))
            if waited >= seconds:
                return None
            pause = min(pause, seconds - waited)
            self._sleep(pause)
            waited += pause
            pause = min(pause * 2, _LONGEST_POLL_SECONDS)

    def resources(self, stack: str) -> tuple[DriftedResource, ...]:
        """What the last detection found changed or deleted, in the order of the logical ids."""
        asked: DescribeStackResourceDriftsInputTypeDef = {
            "StackName": stack,
            "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"],
        }
        found: list[DriftedResource] = []
        with translated(f"cannot read the drift of stack {stack}"):
            while True:
                page = self._client.describe_stack_resource_drifts(**asked)
                found += [_resource(each) for each in page["StackResourceDrifts"]]
                if not page.get("NextToken"):
                    return tuple(sorted(found, key=lambda one: one.logical_id))
                asked["NextToken"] = page["NextToken"]


def _resource(found: StackResourceDriftTypeDef) -> DriftedResource:
    return DriftedResource(
        logical_id=found["LogicalResourceId"],
        physical_id=found.get("PhysicalResourceId", ""),
        type=found["ResourceType"],
        deleted=found["StackResourceDriftStatus"] == "DELETED",
        properties=tuple(sorted(each["PropertyPath"] for each in found.get("PropertyDifferences", []))),
    )
