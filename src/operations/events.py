"""EventBridge's events, as what happened to a release.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.model.alarm import parse
from manuel_release.model.decision import Happening, Occurrence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from manuel_release.model.environment import Environment

    Event = Mapping[str, Any]

SCHEDULED = "Scheduled Event"


def scheduled(event: Event) -> bool:
    """Whether it is time to look, and nothing happened."""
    return bool(event.get("detail-type") == SCHEDULED)


def occurrences(event: Event, environments: Iterable[Environment]) -> tuple[Occurrence, ...]:
    """What an event tells, one for each environment that it concerns; nothing for an event that is not the guard's.

    Only environments with a canary have a release on trial; approvals and observing builds do not name one of them.
    """
    read = _READERS.get(str(event.get("source")))
    guarded = [one for one in environments if one.canary]
    return read(event.get("detail") or {}, guarded) if read is not None else ()


def _alarm(detail: Event, environments: list[Environment]) -> tuple[Occurrence, ...]:
    alarm = parse(str(detail.get("alarmName", "")))
    state = detail.get("state") or {}
    if alarm is None or state.get("value") != "ALARM":
        return ()
    return tuple(
        Occurrence(
            Happening.ALARM, one.name, alarm.name, alarm.release, alarm.signal, _sentence(state.get("reason", ""))
        )
        for one in environments
        if one.short == alarm.environment
    )


def _deployment(detail: Event, environments: list[Environment]) -> tuple[Occurrence, ...]:
    """A deployment group is named like its function, which ends with the environment's short name."""
    if detail.get("state") != "FAILURE":
        return ()
    group = str(detail.get("deploymentGroup", ""))
    return tuple(
        Occurrence(Happening.ROLLOUT_FAILED, one.name, str(detail.get("deploymentId", group)), text=group)
        for one in environments
        if group.endswith(f"-{one.short}")
    )


def _approval(detail: Event, environments: list[Environment]) -> tuple[Occurrence, ...]:
    kind = (detail.get("type") or {}).get("category")
    if kind != "Approval" or detail.get("state") in {"STARTED", "SUCCEEDED", None}:
        return ()
    result = detail.get("execution-result") or {}
    said = _sentence(result.get("external-execution-summary", "")) or str(detail["state"]).lower()
    name = f"{detail.get('stage', '')}/{detail.get('action', '')}"
    execution = str(detail.get("execution-id", ""))
    return tuple(
        Occurrence(Happening.APPROVAL_REFUSED, one.name, name, text=said, execution=execution) for one in environments
    )


def _build(detail: Event, environments: list[Environment]) -> tuple[Occurrence, ...]:
    if detail.get("build-status") not in {"FAILED", "STOPPED"}:
        return ()
    build = str(detail.get("build-id", detail.get("project-name", ""))).rsplit("/", 1)[-1]
    return tuple(Occurrence(Happening.OBSERVER_DIED, one.name, build) for one in environments)


def _sentence(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")


_READERS: Mapping[str, Callable[[Event, list[Environment]], tuple[Occurrence, ...]]] = {
    "aws.cloudwatch": _alarm,
    "aws.codedeploy": _deployment,
    "aws.codepipeline": _approval,
    "aws.codebuild": _build,
}
