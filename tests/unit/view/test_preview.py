"""The preview of a deploy: what people see of a change set, and what scripts get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from manuel_release.flow import PlanRefused
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.stack import Action, Change, ChangeSet, PropertyChange, Replacement
from manuel_release.plan.changes import judge, refusal
from manuel_release.settings import Settings
from manuel_release.view import as_json
from manuel_release.view.changes import NO_VALUES
from manuel_release.view.plan import PlanScreen

if TYPE_CHECKING:
    from manuel_release.model.plan import DeployPlan

PRODUCTION = Settings().environment("production")
FUNCTION = Change(
    Action.MODIFY,
    "HealthFunction",
    "manuel-health-prod",
    "AWS::Lambda::Function",
    properties=("Code", "Environment"),
    scope=("Properties",),
    description="A function that answers whether the service is well.",
    details=(
        PropertyChange("Code", "Code/S3Key", "builds/1", "builds/2"),
        PropertyChange("Environment", "Environment/Variables/MANUEL_LOG_LEVEL", "INFO", "DEBUG"),
        PropertyChange("Environment", "Environment/Variables/MANUEL_EXTRA", None, "x" * 200),
    ),
)
TABLE = Change(
    Action.MODIFY,
    "UsageTable",
    "manuel-usage-prod",
    "AWS::DynamoDB::Table",
    Replacement.YES,
    ("KeySchema",),
    ("Properties",),
    "A table that counts each user's operations per day and month.",
    (PropertyChange("KeySchema", recreation="Always"),),
    "ReplaceAndRetain",
)
API = Change(
    Action.MODIFY,
    "ManuelApi",
    "abc123",
    "AWS::ApiGateway::RestApi",
    properties=("Body",),
    scope=("Properties",),
    description="An HTTP API whose stage decides per request which release answers.",
    details=(PropertyChange("Body"),),
    gone=("GET /api/usage",),
)
ALIAS = Change(
    Action.MODIFY,
    "HealthLiveAlias",
    "arn:aws:lambda:eu-west-1:123456789012:function:manuel-health-prod:live",
    "AWS::Lambda::Alias",
    properties=("Description",),
    scope=("Properties",),
    description="The alias of the health function that gets the traffic; CodeDeploy moves it.",
)
ROLE = Change(
    Action.MODIFY,
    "HealthFunctionRole",
    "manuel-prod-HealthFunctionRole-1",
    "AWS::IAM::Role",
    properties=("Policies",),
    scope=("Properties",),
    description="An IAM role for the health function.",
)


def planned(plan: DeployPlan, *changes: Change, override: str = "", values: bool = False) -> DeployPlan:
    found = ChangeSet("arn:change-set", "manuel-prod", changes, values=values)
    judged = judge(found)
    no = refusal(judged, override, PRODUCTION, "eu-west-1")
    return replace(plan, change_set=found, changes=judged, refusal=no, override=override)


def test_a_preview_of_code_and_a_role(golden, plan, caller):
    golden("preview", PlanScreen(planned(plan, FUNCTION, ROLE), caller))


def test_a_preview_with_the_values_of_properties(golden, plan, caller):
    golden("preview-details", PlanScreen(planned(plan, FUNCTION, ROLE, values=True), caller, every=True))


def test_a_preview_that_is_refused(golden, plan, caller):
    golden("preview-refused", PlanScreen(planned(plan, FUNCTION, TABLE, API, ROLE), caller))


def test_a_preview_that_touches_live(golden, plan, caller):
    golden("preview-live", PlanScreen(planned(plan, FUNCTION, ALIAS), caller))


def test_a_preview_for_scripts(golden_document, plan):
    found = planned(plan, FUNCTION, ROLE, values=True)

    golden_document("preview-details", as_json.deployed(outcome(found)))


def test_a_refused_preview_for_scripts(golden_document, plan):
    refused = planned(plan, FUNCTION, TABLE, API, ROLE)

    golden_document("preview-refused", as_json.refused(PlanRefused(refused, refused.refusal), refused))


def outcome(plan: DeployPlan) -> DeployOutcome:
    return DeployOutcome(plan.environment, plan.api_stage, plan.release, OutcomeStatus.PLANNED, "r-13", plan=plan)


def test_where_aws_gives_no_values_the_preview_says_so(drawn, plan, caller):
    screen = PlanScreen(planned(plan, API, ROLE, values=True), caller)

    assert NO_VALUES in drawn(screen, "120")
    assert NO_VALUES not in drawn(PlanScreen(planned(plan, API, ROLE), caller), "120")


def test_a_refused_plan_names_no_steps(drawn, plan, caller):
    text = drawn(PlanScreen(planned(plan, TABLE), caller), "80")

    assert "Smoke-test" not in text
    assert "It is not deployed like this" in text


def test_an_overridden_plan_names_its_steps(drawn, plan, caller):
    assert "Smoke-test" in drawn(PlanScreen(planned(plan, TABLE, override="empty"), caller), "80")


def test_no_line_of_a_preview_is_longer_than_the_terminal(drawn, plan, caller):
    screen = PlanScreen(planned(plan, FUNCTION, TABLE, API, ROLE, values=True), caller)

    assert max(map(len, drawn(screen, "80").splitlines())) <= 80
    assert drawn(screen, "80", "ascii").isascii()


def test_scripts_get_the_values_only_when_they_were_asked_for(plan):
    def difference(values: bool):
        return as_json._plan(planned(plan, FUNCTION, values=values))["changes"][0]["differences"]

    assert difference(values=False) is None
    assert difference(values=True)[1] == {
        "property": "Environment",
        "path": "Environment/Variables/MANUEL_LOG_LEVEL",
        "before": "INFO",
        "after": "DEBUG",
        "recreation": "Never",
        "known_only_while_it_runs": False,
        "cause": None,
    }


def test_scripts_get_a_refusal_with_the_plan_that_it_is_about(plan):
    refused = planned(plan, TABLE, ALIAS)
    document = as_json.refused(PlanRefused(refused, refused.refusal), refused)

    assert list(document) == ["schema_version", "error", "plan"]
    assert (document["error"]["code"], document["error"]["exit_code"]) == ("refused", 3)
    assert document["error"]["message"] == document["plan"]["refusal"]["message"]
    assert [(one["overridable"], one["kept_in_aws"]) for one in document["plan"]["changes"]] == [
        (True, True),
        (False, False),
    ]


@pytest.mark.parametrize(("count", "told"), [(4, "R0, R1, R2, R3)"), (6, "R0, R1, R2, R3 and 2 more)")])
def test_iam_changes_are_counted_and_the_first_are_named(drawn, plan, caller, count, told):
    roles = [replace(ROLE, logical_id=f"R{number}") for number in range(count)]

    text = drawn(PlanScreen(planned(plan, *roles), caller), "pipe")

    assert f"IAM: {count} changes of permissions" in text
    assert told in text
