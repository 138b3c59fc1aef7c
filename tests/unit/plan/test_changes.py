"""What a change set means, one kind of change after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release.model.preview import Area, Effect, JudgedChange
from manuel_release.model.stack import Action, Change, ChangeSet, PropertyChange, Replacement
from manuel_release.plan.changes import REPLACED_UNNOTICED, judge, refusal, subject_of
from manuel_release.settings import Settings

if TYPE_CHECKING:
    from manuel_release.model.plan import Refusal

DEV = Settings().environment("dev")
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:manuel-usage-dev"
FUNCTION = Change(Action.MODIFY, "UsageFunction", "manuel-usage-dev", "AWS::Lambda::Function", scope=("Properties",))
ALIAS = Change(Action.MODIFY, "UsageLiveAlias", f"{ARN}:live", "AWS::Lambda::Alias", scope=("Properties",))
VERSION = Change(Action.MODIFY, "UsageFirstVersion", f"{ARN}:1", "AWS::Lambda::Version", scope=("Properties",))
TABLE = Change(Action.MODIFY, "UsageTable", "manuel-usage-dev", "AWS::DynamoDB::Table", scope=("Properties",))


def judged(*changes: Change) -> tuple[JudgedChange, ...]:
    return judge(ChangeSet("cs", "manuel-dev", changes))


def only(change: Change, *others: Change) -> JudgedChange:
    return judged(change, *others)[0]


def refused(*changes: Change, override: str = "") -> Refusal | None:
    return refusal(judged(*changes), override, DEV, "eu-west-1")


def of(kind: str, **more: Any) -> Change:
    return Change(**{"action": Action.MODIFY, "logical_id": "X", "physical_id": "x", "type": kind, **more})


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("AWS::Lambda::Function", "functions"),
        ("AWS::Lambda::Version", "functions"),
        ("AWS::Lambda::Permission", "permissions"),
        ("AWS::IAM::ManagedPolicy", "permissions"),
        ("AWS::S3::BucketPolicy", "permissions"),
        ("AWS::S3::Bucket", "data"),
        ("AWS::DynamoDB::Table", "data"),
        ("AWS::ApiGateway::Authorizer", "sign-in"),
        ("AWS::Cognito::UserPoolClient", "sign-in"),
        ("AWS::ApiGateway::UsagePlan", "throttles"),
        ("AWS::ApiGateway::RestApi", "API"),
        ("AWS::WAFv2::WebACLAssociation", "firewall"),
        ("AWS::CloudWatch::Alarm", "alarms"),
        ("AWS::Logs::LogGroup", "logs"),
        ("AWS::CodeDeploy::DeploymentGroup", "releases"),
        ("AWS::SSM::Parameter", "configuration"),
        ("Custom::Something", "infrastructure"),
    ],
)
def test_everything_but_functions_is_shared(kind: str, subject: str) -> None:
    one = only(of(kind, action=Action.ADD))

    assert subject_of(kind) == one.subject == subject
    assert one.area is (Area.FUNCTIONS if subject == "functions" else Area.SHARED)
    assert one.iam is (subject == "permissions")


@pytest.mark.parametrize("action", [Action.ADD, Action.IMPORT])
@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::Lambda::Alias", "AWS::Lambda::Function"])
def test_what_is_added_only_adds(action: Action, kind: str) -> None:
    change = of(kind, action=action, logical_id="UsageLiveAlias")

    assert only(change).effect is Effect.ADDITIVE
    assert refused(change) is None


@pytest.mark.parametrize("kind", ["AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::IAM::Role"])
def test_what_changes_in_place_is_neither_called_additive_nor_refused(kind: str) -> None:
    change = of(kind, scope=("Properties",), properties=("Policies",))

    assert only(change).effect is Effect.IN_PLACE
    assert refused(change) is None


def test_what_was_compared_and_only_grew_only_adds() -> None:
    assert only(replace(TABLE, widens=True)).effect is Effect.ADDITIVE


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        (replace(TABLE, action=Action.REMOVE), "is deleted"),
        (replace(TABLE, action=Action.REMOVE, policy="Delete"), "is deleted"),
        (replace(TABLE, action=Action.REMOVE, policy="Retain"), "leaves the stack and stays in AWS"),
        (replace(TABLE, replacement=Replacement.YES, policy="ReplaceAndDelete"), "is replaced by a new one"),
        (
            replace(TABLE, replacement=Replacement.YES, policy="ReplaceAndRetain"),
            "is replaced by a new one; the old one stays in AWS",
        ),
        (replace(TABLE, replacement=Replacement.PERHAPS), "may be replaced by a new one"),
        (replace(TABLE, action=Action.DYNAMIC), "is changed in a way that AWS knows only while it happens"),
        (replace(TABLE, action=Action.SYNC), "is changed in a way that AWS knows only while it happens"),
        (replace(TABLE, gone=("GET /a", "PUT /b")), "no longer knows GET /a, PUT /b"),
        (replace(FUNCTION, action=Action.REMOVE), "is deleted, and with it every release of it"),
        (of("AWS::CloudWatch::Alarm", action=Action.REMOVE), "is deleted"),
    ],
)
def test_what_takes_something_away_is_refused_unless_somebody_says_why(change: Change, objection: str) -> None:
    change = replace(change, description="A thing that people use.")

    assert (only(change).effect, only(change).objection, only(change).forbidden) == (Effect.BREAKING, objection, "")
    no = refused(change)
    assert no is not None
    assert f"A thing that people use ({change.logical_id}) {objection}" in no.reason
    assert '`manuel-release deploy --env dev --override-shared "why"`' in no.hint
    assert refused(change, override="it is empty") is None


def test_an_api_deployment_that_makes_room_for_the_next_takes_nothing_away() -> None:
    change = of("AWS::ApiGateway::Deployment", action=Action.REMOVE)

    assert only(change).effect is Effect.IN_PLACE
    assert refused(change) is None


@pytest.mark.parametrize("kind", sorted(REPLACED_UNNOTICED))
def test_what_no_request_depends_on_may_be_replaced(kind: str) -> None:
    assert refused(of(kind, replacement=Replacement.YES)) is None


@pytest.mark.parametrize(
    "change",
    [
        ALIAS,
        replace(ALIAS, replacement=Replacement.YES),
        replace(ALIAS, replacement=Replacement.PERHAPS),
        replace(ALIAS, action=Action.REMOVE),
        replace(ALIAS, logical_id="Renamed"),
        replace(ALIAS, physical_id=""),
        replace(ALIAS, scope=("Properties", "Metadata")),
        VERSION,
        replace(VERSION, replacement=Replacement.YES),
        replace(VERSION, action=Action.REMOVE, policy="Retain"),
        replace(VERSION, physical_id=""),
        replace(FUNCTION, replacement=Replacement.YES),
        replace(FUNCTION, replacement=Replacement.PERHAPS),
    ],
    ids=str,
)
def test_nothing_allows_to_touch_live_its_first_version_or_to_replace_a_function(change: Change) -> None:
    one = only(change)

    assert one.area is Area.FUNCTIONS
    assert one.effect is Effect.BREAKING
    no = refused(change, override="I mean it")
    assert no is not None
    assert one.forbidden in no.reason
    assert "aws cloudformation get-template --stack-name manuel-dev --region eu-west-1" in no.hint
    assert change.logical_id in no.hint
    assert "override" not in no.hint


@pytest.mark.parametrize("scope", [("Metadata",), ("DeletionPolicy", "UpdateReplacePolicy"), ("CreationPolicy",)])
@pytest.mark.parametrize("change", [ALIAS, VERSION, TABLE], ids=lambda change: change.type)
def test_what_only_changes_the_stacks_notes_touches_nothing(change: Change, scope: tuple[str, ...]) -> None:
    change = replace(change, scope=scope)

    assert only(change).effect is Effect.ADDITIVE
    assert refused(change) is None


def test_another_alias_and_another_version_are_not_live() -> None:
    others = (
        replace(ALIAS, physical_id=f"{ARN}:probe", logical_id="ProbeAlias"),
        replace(VERSION, physical_id=f"{ARN}:12", logical_id="SecondVersion"),
    )

    assert refused(*others) is None


def test_a_function_may_go_with_its_alias_and_version_for_a_reason() -> None:
    gone = [replace(one, action=Action.REMOVE) for one in (FUNCTION, ALIAS, VERSION)]

    assert refused(*gone) is not None
    assert refused(*gone, override="nobody calls it") is None


def test_another_functions_alias_may_not_go_with_it() -> None:
    other = replace(ALIAS, physical_id=ARN.replace("usage", "health") + ":live", logical_id="HealthLiveAlias")
    gone = [replace(one, action=Action.REMOVE) for one in (FUNCTION, other)]

    no = refused(*gone, override="nobody calls it")

    assert no is not None
    assert "HealthLiveAlias" in no.reason


def test_a_new_functions_alias_and_version_are_admitted() -> None:
    made = [replace(one, action=Action.ADD, physical_id="") for one in (FUNCTION, ALIAS, VERSION)]

    assert refused(*made) is None


def hanging_on(cause: str, *, dynamic: bool = True) -> Change:
    detail = PropertyChange("SourceArn", recreation="Always", dynamic=dynamic, cause=cause)
    return of("AWS::Lambda::Permission", replacement=Replacement.PERHAPS, details=(detail,))


@pytest.mark.parametrize("cause", ["UsageTable.Arn", "UsageTable"])
def test_what_hangs_on_an_identity_that_stays_is_not_replaced(cause: str) -> None:
    assert refused(hanging_on(cause), TABLE) is None


@pytest.mark.parametrize(
    "change",
    [
        hanging_on("UsageTable.StreamArn"),  # may be another one
        hanging_on("Unknown.Arn"),  # nothing here says what becomes of it
        hanging_on("UsageTable.Arn", dynamic=False),  # AWS knows already that it changes
        of("AWS::Lambda::Permission", replacement=Replacement.PERHAPS),
        replace(hanging_on("UsageTable.Arn"), replacement=Replacement.YES),
    ],
    ids=str,
)
def test_what_hangs_on_anything_else_may_be_replaced(change: Change) -> None:
    assert refused(change, TABLE) is not None


def test_what_hangs_on_something_that_is_replaced_may_be_replaced_too() -> None:
    role = replace(TABLE, logical_id="Role", type="AWS::IAM::Role", replacement=Replacement.YES)

    assert only(hanging_on("Role.Arn"), role).effect is Effect.BREAKING


def test_resources_that_hang_on_each_other_are_not_followed_for_ever() -> None:
    one = replace(hanging_on("Y.Arn"), logical_id="X")
    two = replace(hanging_on("X.Arn"), logical_id="Y")

    assert refused(one, two) is None


def test_properties_that_never_replace_do_not_decide() -> None:
    never = PropertyChange("Tags", recreation="Never", dynamic=False)
    change = replace(hanging_on("UsageTable.Arn"), details=(never, *hanging_on("UsageTable.Arn").details))

    assert refused(change, TABLE) is None


def test_what_must_not_be_done_is_said_before_what_needs_a_reason() -> None:
    no = refused(ALIAS, replace(TABLE, action=Action.REMOVE))

    assert no is not None
    assert "UsageLiveAlias" in no.reason
    assert "UsageTable" not in no.reason


def test_every_breaking_change_is_named() -> None:
    some = [replace(TABLE, action=Action.REMOVE, logical_id=name) for name in ("A", "B", "C")]

    no = refused(*some)

    assert no is not None
    assert no.reason.startswith("3 changes are not additive")
    assert [line.split("(")[1][0] for line in no.reason.splitlines()[1:]] == ["A", "B", "C"]
