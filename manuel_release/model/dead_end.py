"""States in which a stack does not go on by itself: what they are, why, and the next command; pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.stack import VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manuel_release.model.stack import Stack, StackEvent

_EXISTS = re.compile(r"already ?exist|AlreadyOwned|ResourceInUse", re.IGNORECASE)
_NAMED = (
    re.compile(r"identifier '(?P<name>[^']+)'"),
    re.compile(r"already exists(?: with the name)?: (?P<name>[\w./:-]+)"),
    re.compile(r"(?P<name>[\w./-]*[-/][\w./-]*) already exists"),
)
_OF_A_TAKEN_NAME: Mapping[str, tuple[str, str]] = {
    # type -> how to look at what has the name, and how to delete it
    "AWS::CloudWatch::Alarm": (
        "aws cloudwatch describe-alarms --alarm-names {name}",
        "aws cloudwatch delete-alarms --alarm-names {name}",
    ),
    "AWS::CodeDeploy::Application": (
        "aws deploy get-application --application-name {name}",
        "aws deploy delete-application --application-name {name}",
    ),
    "AWS::DynamoDB::Table": (
        "aws dynamodb describe-table --table-name {name}",
        "aws dynamodb delete-table --table-name {name}",
    ),
    "AWS::IAM::Role": ("aws iam get-role --role-name {name}", "aws iam delete-role --role-name {name}"),
    "AWS::Lambda::Function": (
        "aws lambda get-function --function-name {name}",
        "aws lambda delete-function --function-name {name}",
    ),
    "AWS::Logs::LogGroup": (
        "aws logs describe-log-groups --log-group-name-prefix {name}",
        "aws logs delete-log-group --log-group-name {name}",
    ),
    "AWS::S3::Bucket": ("aws s3 ls s3://{name}", "aws s3 rb s3://{name} --force"),
    "AWS::SSM::Parameter": ("aws ssm get-parameter --name {name}", "aws ssm delete-parameter --name {name}"),
}
_AGAIN = "run the same command again"


@dataclass(frozen=True)
class DeadEnd:
    """What a person is told: one sentence with its causes below it, and the way out."""

    reason: str
    hint: str


def told(event: StackEvent, names: Mapping[str, str]) -> str:
    """One event as a person reads it; `names` are the resources' own sentences by logical id."""
    what = names.get(event.logical_id) or f"{event.logical_id} ({event.type})"
    word = event.status.replace("_", " ").lower()
    return f"{word}: {what}" + (f" - {event.reason}" if event.failed and event.reason else "")


def why(stack: Stack, failures: Sequence[StackEvent], names: Mapping[str, str]) -> str:
    """The failures, one in a line; the stack's own reason where nothing else is known."""
    lines = [f"  {told(event, names)}" for event in failures]
    return "\n".join(lines) or f"  {stack.reason or 'CloudFormation gives no reason'}"


def failures_in(stack: Stack, events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """The resources' failures among the events of an operation."""
    return tuple(event for event in events if event.failed and event.physical_id != stack.id)


def of(stack: Stack, events: Sequence[StackEvent], names: Mapping[str, str], region: str) -> DeadEnd:
    """The way out of a stack whose last operation failed; `events` are all of that operation, oldest first."""
    failures = failures_in(stack, events)
    causes = why(stack, failures, names)
    here = f"--stack-name {stack.name} --region {region}"
    taken = _free_the_names(failures, region)
    correct = taken or "Correct the resource that is named above"
    match stack.status:
        case "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE":
            return DeadEnd(
                f"the update of {stack.name} failed and CloudFormation put the old state back:\n{causes}",
                f"The release that served before still serves. {correct}, then {_AGAIN}.",
            )
        case "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED":
            return DeadEnd(
                f"the creation of {stack.name} failed, and AWS updates no stack that is {stack.status}:\n{causes}",
                f"{correct}. Delete what is left of the stack with `aws cloudformation delete-stack {here}`; when it "
                f"is gone (`aws cloudformation wait stack-delete-complete {here}`) {_AGAIN}.",
            )
        case "UPDATE_ROLLBACK_FAILED":
            skip = " ".join(dict.fromkeys(event.logical_id for event in _of_the_rollback(stack, events)))
            skipping = f" --resources-to-skip {skip}" if skip else ""
            return DeadEnd(
                f"an update of {stack.name} failed and CloudFormation could not put the old state back "
                f"(UPDATE_ROLLBACK_FAILED):\n{causes}",
                f"{correct}, so that it can be changed back; then run `aws cloudformation continue-update-rollback "
                f"{here}` (with{skipping or ' --resources-to-skip'} if that is impossible) and {_AGAIN}.",
            )
        case "UPDATE_FAILED":
            return DeadEnd(
                f"an update of {stack.name} failed and was told to leave everything as it was then:\n{causes}",
                f"Put the old state back with `aws cloudformation rollback-stack {here}`, then {_AGAIN}.",
            )
        case "DELETE_FAILED":
            return DeadEnd(
                f"{stack.name} was to be deleted and could not be:\n{causes}",
                f"{correct}, then run `aws cloudformation delete-stack {here}`; when it is gone {_AGAIN}.",
            )
        case _:
            return DeadEnd(
                f"{stack.name} is {stack.status}, which AWS does not update:\n{causes}",
                f"See what happened with `aws cloudformation describe-stack-events {here}`.",
            )


def _of_the_rollback(stack: Stack, events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """The failures after the rollback began; only their resources may be skipped."""
    began = (n for n, event in enumerate(events) if event.physical_id == stack.id and "ROLLBACK_IN" in event.status)
    return failures_in(stack, events[next(began, len(events)) :])


def taken_name_hint(objections: Sequence[StackEvent], region: str) -> str:
    """What to do about a change set that AWS does not compute because a name is taken; empty for any other reason."""
    free = _free_the_names(objections, region)
    return f"{free}, then {_AGAIN}." if free else ""


def _free_the_names(failures: Sequence[StackEvent], region: str) -> str:
    """What to do about names that something else has; empty when that is not why it failed."""
    for event in failures:
        if not _EXISTS.search(event.reason):
            continue
        begun = event.physical_id if event.status != VALIDATION_FAILED else ""
        name = next((found["name"] for pattern in _NAMED if (found := pattern.search(event.reason))), begun)
        look, delete = _OF_A_TAKEN_NAME.get(event.type, ("", ""))
        if not name or not look:
            return (
                f"Something else has the name of {event.logical_id}, perhaps a resource that an earlier stack kept: "
                "delete it if it may go, or give it another name in template.yaml"
            )
        where = "" if event.type == "AWS::IAM::Role" else f" --region {region}"
        return (
            f"{name} was there already, perhaps kept by an earlier stack with its data: look at it with "
            f"`{look.format(name=name)}{where}`, then delete it if it may go (`{delete.format(name=name)}{where}`), "
            f"or give {event.logical_id} another name in template.yaml"
        )
    return ""
