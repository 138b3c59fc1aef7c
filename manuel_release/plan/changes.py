"""What a change set means: what a canary covers, what changes for everybody at once, and what must not be done.

Only names are judged, never values. A change set that AWS computed lists three kinds of change: of the template's own
text, of a parameter, and of a value that comes from another resource. The last kind is often no change at all: an ARN
stays as it is unless its resource is replaced, but AWS says so only while the change set is executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.plan import Refusal
from manuel_release.model.preview import Area, Effect, JudgedChange
from manuel_release.model.release import LIVE
from manuel_release.model.stack import ALIAS, API_DEPLOYMENT, FUNCTION, VERSION, Action, Replacement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from manuel_release.model.environment import Environment
    from manuel_release.model.stack import Change, ChangeSet, PropertyChange

FIRST_VERSION = "FirstVersion"
LIVE_ALIAS = "LiveAlias"

SUBJECTS: tuple[tuple[str, str], ...] = (
    # beginning of a type, the longest first where one is the beginning of another -> what it belongs to
    (FUNCTION, "functions"),
    (VERSION, "functions"),
    (ALIAS, "functions"),
    ("AWS::Lambda::Permission", "permissions"),
    ("AWS::IAM::", "permissions"),
    ("AWS::S3::BucketPolicy", "permissions"),
    ("AWS::SNS::TopicPolicy", "permissions"),
    ("AWS::SQS::QueuePolicy", "permissions"),
    ("AWS::ApiGateway::Authorizer", "sign-in"),
    ("AWS::Cognito::", "sign-in"),
    ("AWS::ApiGateway::UsagePlan", "throttles"),
    ("AWS::ApiGateway::", "API"),
    ("AWS::WAFv2::", "firewall"),
    ("AWS::DynamoDB::", "data"),
    ("AWS::S3::", "data"),
    ("AWS::SQS::", "data"),
    ("AWS::Backup::", "data"),
    ("AWS::CloudWatch::", "alarms"),
    ("AWS::SNS::", "alarms"),
    ("AWS::Logs::", "logs"),
    ("AWS::CodeDeploy::", "releases"),
    ("AWS::SSM::", "configuration"),
)
OTHER_SUBJECT = "infrastructure"

REPLACED_UNNOTICED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::CodeDeploy::DeploymentConfig",  # every property of it is create-only
        "AWS::Logs::MetricFilter",
        "AWS::SNS::Subscription",
    }
)
"""Types that no request depends on and that hold nothing: a new one does what the old one did."""

NOT_THE_RESOURCE = frozenset({"Metadata", "CreationPolicy", "DeletionPolicy", "UpdateReplacePolicy"})
"""Parts of a resource's text that CloudFormation keeps to itself; the resource in AWS is not called."""

IDENTITIES = frozenset({"", "Arn"})
"""Attributes (none: !Ref) that stay the same as long as their resource is not replaced."""


def judge(change_set: ChangeSet) -> tuple[JudgedChange, ...]:
    """Every change with what it means, in the change set's order."""
    known = {change.logical_id: change for change in change_set.changes}
    removed = {c.physical_id for c in change_set.changes if c.type == FUNCTION and c.action is Action.REMOVE}
    return tuple(_judged(change, known, removed) for change in change_set.changes)


def refusal(changes: Iterable[JudgedChange], override: str, environment: Environment, region: str) -> Refusal | None:
    """Why a release with these changes is not deployed to an environment; None when it may be.

    `override` is the reason why shared changes may be breaking, empty for none; `region` is for the way out's commands.
    """
    judged = tuple(changes)
    deploy = f"manuel-release deploy --env {environment.name}"
    no = [one for one in judged if one.forbidden]
    if no:
        names = ", ".join(one.change.logical_id for one in no)
        return Refusal(
            f"{_these(no)} not be changed by a stack update:\n" + _lines(no),
            f"Put the text of {names} back as it runs now (`aws cloudformation get-template --stack-name "
            f"{environment.stack} --region {region} --query TemplateBody --output text` shows it), then run `{deploy}` "
            "again.",
        )
    breaking = [one for one in judged if one.objection]
    if not breaking or override:
        return None
    return Refusal(
        f"{_count(breaking)} not additive, for everybody at once, and no canary or rollback undoes that:\n"
        + _lines(breaking),
        "Expand first and contract later: keep it until no release that may be gone back to needs it. If it has to be "
        f'now: `{deploy} --override-shared "why"`.',
    )


def subject_of(kind: str) -> str:
    """What a resource of this type belongs to."""
    return next((subject for beginning, subject in SUBJECTS if kind.startswith(beginning)), OTHER_SUBJECT)


def _judged(change: Change, known: Mapping[str, Change], removed: set[str]) -> JudgedChange:
    subject = subject_of(change.type)
    area = Area.FUNCTIONS if subject == "functions" else Area.SHARED
    forbidden = _forbidden(change, known, removed)
    objection = "" if forbidden else _objection(change, known)
    harmless = Effect.ADDITIVE if _additive(change) else Effect.IN_PLACE
    effect = Effect.BREAKING if forbidden or objection else harmless
    return JudgedChange(change, area, subject, effect, subject == "permissions", objection, forbidden)


def _forbidden(change: Change, known: Mapping[str, Change], removed: set[str]) -> str:
    """Why this would take `live` away or put it back on version 1; empty when it does not."""
    if change.action in {Action.ADD, Action.IMPORT} or _untouched(change):
        return ""
    if change.type == FUNCTION and _replaced(change, known):
        return "the new function would have no version and no release of the old one, and its `live` would be version 1"
    if change.type == ALIAS and _is_live(change):
        reason = "CloudFormation would put `live` back on version 1, and CodeDeploy owns it"
    elif change.type == VERSION and _is_first(change):
        reason = "`live` was declared on this version, and a new one would put `live` back on it"
    else:
        return ""
    if change.action is Action.REMOVE:
        with_its_function = _function_of(change.physical_id) in removed
        return "" if with_its_function else "what serves is called through it"
    return reason


def _objection(change: Change, known: Mapping[str, Change]) -> str:
    """What is taken away from those who use it; empty when nothing is, as far as names tell."""
    if change.action is Action.REMOVE:
        return _removal(change)
    if change.action in {Action.DYNAMIC, Action.SYNC}:
        return "is changed in a way that AWS knows only while it happens"
    if change.gone:
        return f"no longer knows {', '.join(change.gone)}"
    if change.type in REPLACED_UNNOTICED or not _replaced(change, known):
        return ""
    words = "is replaced by a new one" if change.replacement is Replacement.YES else "may be replaced by a new one"
    return f"{words}; the old one stays in AWS" if change.kept else words


def _removal(change: Change) -> str:
    if change.type == API_DEPLOYMENT:
        return ""  # a changed API definition is a new deployment beside the old one
    if change.type == FUNCTION:
        return "is deleted, and with it every release of it"
    return "leaves the stack and stays in AWS" if change.kept else "is deleted"


def _additive(change: Change) -> bool:
    if change.action in {Action.ADD, Action.IMPORT}:
        return True
    return change.widens or _untouched(change)


def _untouched(change: Change) -> bool:
    """Whether only the stack's own notes about the resource change."""
    return change.action is Action.MODIFY and bool(change.scope) and NOT_THE_RESOURCE.issuperset(change.scope)


def _replaced(change: Change, known: Mapping[str, Change], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a new resource is, or may be, made; not when it only hangs on an identity that stays what it is."""
    if change.replacement is not Replacement.PERHAPS:
        return change.replacement is Replacement.YES
    deciding = [one for one in change.details if one.recreation != "Never"]
    seen |= {change.logical_id}
    return not deciding or any(not _stays(one, known, seen) for one in deciding)


def _stays(detail: PropertyChange, known: Mapping[str, Change], seen: frozenset[str]) -> bool:
    name, _, attribute = detail.cause.partition(".")
    cause = known.get(name)
    if not detail.dynamic or cause is None or attribute not in IDENTITIES:
        return False
    return name in seen or not _replaced(cause, known, seen)


def _is_live(change: Change) -> bool:
    return change.physical_id.endswith(f":{LIVE}") or change.logical_id.endswith(LIVE_ALIAS)


def _is_first(change: Change) -> bool:
    return change.physical_id.endswith(":1") or change.logical_id.endswith(FIRST_VERSION)


def _function_of(arn: str) -> str:
    """`manuel-usage-dev` for the ARN of one of its versions or aliases; empty for anything else."""
    before, _, qualified = arn.partition(":function:")
    return qualified.split(":")[0] if before else ""


def _these(some: Sequence[JudgedChange]) -> str:
    return "one resource must" if len(some) == 1 else f"{len(some)} resources must"


def _count(some: Sequence[JudgedChange]) -> str:
    return "one change is" if len(some) == 1 else f"{len(some)} changes are"


def _lines(some: Iterable[JudgedChange]) -> str:
    return "\n".join(f"  {_line(one)}" for one in some)


def _line(one: JudgedChange) -> str:
    change = one.change
    properties = f", {', '.join(change.properties)}" if change.properties else ""
    what = f"{change.name} ({change.logical_id}{properties})"
    return f"{what}: {one.forbidden}" if one.forbidden else f"{what} {one.objection}"
