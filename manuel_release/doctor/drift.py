"""Drift: what is no longer as the template says, apart from what releases change on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.drift import DETECTABLE
from manuel_release.doctor.results import counted, ok, skipped, warning
from manuel_release.model.release import LIVE
from manuel_release.model.stack import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from manuel_release.doctor.subject import Subject
    from manuel_release.model.check import Check
    from manuel_release.model.drift import DriftedResource

TITLE = "Drift"
STAGE = "AWS::ApiGateway::Stage"
DRIFT_SECONDS = 90.0
NEVER_REVERT = (
    "Never use a change set with the deployment mode REVERT_DRIFT on this stack: it would move `live` of every "
    "function back to version 1."
)


def begin(subject: Subject) -> str | None:
    """Start the detection, which goes on while other checks run; None where CloudFormation would refuse it."""
    stack = subject.stack
    return subject.app.aws.drift.begin(stack.name) if stack is not None and stack.status in DETECTABLE else None


def drift(subject: Subject, detection: str | None, seconds: float) -> Iterator[Check]:
    """What the detection found; `seconds` is how much longer it is waited for."""
    stack = subject.stack
    if stack is None:
        return
    if detection is None:
        yield skipped(TITLE, f"not looked for: CloudFormation does that for no stack in {stack.status}")
        return
    ended = subject.app.aws.drift.wait(detection, seconds)
    if ended is None:
        yield warning(
            TITLE,
            "CloudFormation is still looking for it",
            f"Run this again with --timeout 10m, or look with `aws cloudformation describe-stack-resource-drifts "
            f"--stack-name {stack.name}`.",
        )
        return
    found = subject.app.aws.drift.resources(stack.name)
    if not ended.complete:
        yield warning(TITLE, f"not every resource could be read: {ended.reason or 'CloudFormation gives no reason'}")
    strange = [one for one in found if not is_live(one) and not is_stage_traffic(one)]
    if strange:
        yield warning(
            TITLE,
            "\n".join(_line(one) for one in strange),
            "Find out who changed it, then put it back by hand or take the change into the template. " + NEVER_REVERT,
        )
    elif ended.complete:
        yield ok(TITLE, "\n".join(_expected(found)))


def is_live(one: DriftedResource) -> bool:
    """Whether this is an alias `live` that CodeDeploy moved, and nothing else."""
    moved = set(one.properties) == {"/FunctionVersion"}
    return one.type == ALIAS and one.physical_id.endswith(f":{LIVE}") and moved and not one.deleted


def is_stage_traffic(one: DriftedResource) -> bool:
    """Whether this is the API's stage, in nothing but its variables and its canary, which the release tool writes."""
    traffic = all(path.split("/")[1] in {"Variables", "CanarySetting"} for path in one.properties)
    return one.type == STAGE and bool(one.properties) and traffic and not one.deleted


def _expected(found: Iterable[DriftedResource]) -> Iterator[str]:
    count: Mapping[str, int] = {kind: sum(one.type == kind for one in found) for kind in (ALIAS, STAGE)}
    if not any(count.values()):
        yield "everything that CloudFormation can compare is as the template says"
        return
    yield "only what releases change on purpose:"
    if count[ALIAS]:
        yield f"`live` of {counted(count[ALIAS], 'function')}: version 1 in the template, and CodeDeploy moves it"
    if count[STAGE]:
        yield "variables and canary of the API stage: the release tool writes them"
    yield NEVER_REVERT


def _line(one: DriftedResource) -> str:
    what = "was deleted" if one.deleted else f"differs in {', '.join(one.properties) or 'something'}"
    return f"{one.logical_id} ({one.type}) {what}"
