"""What pipeline.yaml promises: the specification's stages, its gates, and roles that may do what they need."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import cfnlint
import pytest
from templates.conftest import ROOT

from manuel_release.artifact import template
from manuel_release.pipeline.expressions import Expressions
from manuel_release.pipeline.load import load
from manuel_release.pipeline.permissions import allows
from manuel_release.pipeline.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.model.pipeline import Delivery

MOST_CHARACTERS = 10_240
"""Of all policies within one role (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

NOT_USED = re.compile(  # by handlers for properties that template.yaml does not have
    r"(amplify|apprunner|appsync|bedrock-agentcore|ec2|elasticfilesystem|elasticloadbalancing|firehose|kinesis|kms"
    r"|payments|s3files|s3tables):.*"
    r"|iam:(CreateServiceLinkedRole|\w*(Group|User)\w*|\w+PermissionsBoundary)"
    r"|codedeploy:(CreateDeployment|GetDeployment|GetApplicationRevision|RegisterApplicationRevision|StopDeployment"
    r"|RegisterOnPremisesInstance)"
    r"|lambda:(GetCodeSigningConfig|\w+FunctionCodeSigningConfig|GetLayerVersion|PassCapacityProvider"
    r"|PutFunctionScalingConfig|AssociateRuntimeAlias)"
    r"|dynamodb:(\w+Item|Scan|Query|\w+Replica|ImportTable|DescribeImport|\w*Kinesis\w*|\w+ResourcePolicy"
    r"|UpdateContributorInsights)"
    r"|logs:(\w+KmsKey|\w*(DataProtection|IndexPolic|LogStream|Bearer|DeletionProtection)\w*|PutLogEvents"
    r"|DeleteResourcePolicy)"
    r"|cognito-idp:\w+WebACL\w*|wafv2:\w+PermissionPolicy|sns:PutDataProtectionPolicy|iam:GetRole|apigateway:Update\w+"
    r"|s3:(\w+Object\w*|REST.*|Delete\w+(Configuration|Cors|Encryption|Lifecycle|Replication|Website)"
    r"|Put\w*(Acl|Abac|Accelerate|Analytics|Logging|ObjectLock|Replication|Website|Tiering|Inventory|Metrics)\w*"
    r"|\w*Metadata\w*|Put\w*Configuration)"
)


@pytest.fixture(scope="module")
def delivery() -> Delivery:
    return load(ROOT)


def test_pipeline_buildspecs_and_makefile_fit_together(delivery: Delivery) -> None:
    assert validate(delivery) == ()


def test_the_stages_are_those_of_the_specification(delivery: Delivery) -> None:
    assert [stage.name for stage in delivery.pipeline.stages] == [
        "Source",
        "Build",
        "DeployDev",
        "IntegrationTestDev",
        "DeployStaging",
        "TestStaging",
        "ProductionApproval",
        "ChaosTest",
        "DeployCanary",
        "CanaryApproval",
        "FullProduction",
    ]
    assert (delivery.pipeline.type, delivery.pipeline.mode) == ("V2", "QUEUED")
    assert delivery.pipeline.triggers == ("Source",)


def test_approvals_end_by_themselves_after_a_day_or_two_hours(delivery: Delivery) -> None:
    minutes = {one.where: one.timeout_minutes for one in delivery.pipeline.actions if one.is_approval}

    assert minutes == {
        "ProductionApproval/DevOps": 1440,
        "ProductionApproval/Product": 1440,
        "CanaryApproval/DevOps": 120,
        "FullProduction/FinalApproval": 120,
    }


def test_production_is_approved_by_two_people_at_the_same_time(delivery: Delivery) -> None:
    stage = next(one for one in delivery.pipeline.stages if one.name == "ProductionApproval")

    assert [{action.name for action in group} for group in stage.groups] == [{"Package"}, {"DevOps", "Product"}]


def test_production_goes_to_half_is_watched_asked_about_and_goes_to_all(delivery: Delivery) -> None:
    stage = delivery.pipeline.stages[-1]

    assert [[action.name for action in group] for group in stage.groups] == [
        ["Promote50"],
        ["Observe50"],
        ["FinalApproval"],
        ["Promote100"],
        ["Observe100"],
    ]


def test_one_build_goes_to_every_environment(delivery: Delivery) -> None:
    builds = [one for one in delivery.pipeline.actions if one.is_build and one.name != "Build"]

    assert builds
    assert all("BuildArtifacts" in one.inputs and "SourceCode" not in one.inputs for one in builds)


def test_every_project_builds_on_arm_with_a_cache_and_a_role_of_its_own(delivery: Delivery) -> None:
    projects = delivery.projects.values()

    assert {one.environment_type for one in projects} == {"ARM_CONTAINER"}
    assert all("aarch64" in one.image and one.cache and one.log_group for one in projects)
    assert len({one.role for one in projects}) == len(projects)


@pytest.mark.parametrize(
    "role",
    [
        "DevStackRole",
        "StagingStackRole",
        "ProdStackRole",
        "IntegrationTestStagingRole",
        "DeployCanaryRole",
        "ObserveRole",
        "PromoteRole",
    ],
)
def test_a_roles_policies_are_short_enough(role: str) -> None:
    expressions = Expressions(template.load(ROOT / "pipeline.yaml"))
    documents = [policy["PolicyDocument"] for policy in expressions.resource(role)["Policies"]]

    assert sum(len(json.dumps(one, separators=(",", ":"))) for one in documents) < MOST_CHARACTERS


def test_only_cloudformation_may_be_handed_a_role(delivery: Delivery) -> None:
    written = template.load(ROOT / "pipeline.yaml")["Resources"]
    found = {
        name: statement["Condition"]["StringEquals"]["iam:PassedToService"]
        for name, resource in written.items()
        for policy in (resource.get("Properties") or {}).get("Policies") or []
        for statement in policy["PolicyDocument"]["Statement"]
        if "iam:PassRole" in str(statement["Action"])
    }

    builds = {name: service for name, service in found.items() if "Stack" not in name}
    assert set(builds) == {"DeployDevRole", "DeployStagingRole", "ApprovalPackageRole", "DeployCanaryRole"}
    assert set(builds.values()) == {"cloudformation.amazonaws.com"}


PRODUCTION = {
    "stack": "arn:aws:cloudformation:eu-west-1:123456789012:stack/manuel-prod/0637fd51",
    "function": "arn:aws:lambda:eu-west-1:123456789012:function:manuel-query-prod",
}


def who_may(delivery: Delivery, action: str, resource: str) -> set[str]:
    return {role.logical_id for role in delivery.roles.values() if allows(role, action, resource)}


def test_only_the_deploy_of_production_may_change_its_stack(delivery: Delivery) -> None:
    for action in ("cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack"):
        assert who_may(delivery, action, PRODUCTION["stack"]) == {"DeployCanaryRole"}
    assert "ApprovalPackageRole" in who_may(delivery, "cloudformation:CreateChangeSet", PRODUCTION["stack"])


def test_only_who_rolls_back_may_move_productions_aliases(delivery: Delivery) -> None:
    rollers = {"DeployCanaryRole", "ObserveRole", "PromoteRole", "OnCallRole"}

    assert who_may(delivery, "lambda:UpdateAlias", PRODUCTION["function"]) - {"ProdStackRole"} == rollers
    assert rollers <= who_may(
        delivery, "lambda:InvokeFunction", PRODUCTION["function"]
    )  # a rollback tests what it serves


def test_only_who_promotes_may_have_codedeploy_move_productions_aliases(delivery: Delivery) -> None:
    group = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:manuel-serverless-app/manuel-query-prod"

    assert who_may(delivery, "codedeploy:CreateDeployment", group) == {"PromoteRole"}
    assert {"DeployCanaryRole", "ObserveRole", "PromoteRole", "OnCallRole"} <= who_may(
        delivery, "codedeploy:StopDeployment", group
    )


@pytest.mark.parametrize(("project", "steps"), [("DeployCanaryProject", 2), ("PromoteProject", 1)])
def test_a_build_stops_waiting_before_codebuild_ends_it(project: str, steps: int) -> None:
    made = template.load(ROOT / "pipeline.yaml")["Resources"][project]["Properties"]
    variables = {one["Name"]: one["Value"] for one in made["Environment"]["EnvironmentVariables"]}
    waits = int(variables["WAIT"].removesuffix("h")) * 60

    assert steps * waits + 60 <= made["TimeoutInMinutes"]


def test_the_chaos_suite_knows_which_release_was_approved() -> None:
    commands = (ROOT / "buildspecs" / "chaos-testing.yml").read_text(encoding="utf-8")
    policies = template.load(ROOT / "pipeline.yaml")["Resources"]["ChaosTestingRole"]["Properties"]["Policies"]
    (ledger,) = [one["PolicyDocument"]["Statement"][0] for one in policies if one["PolicyName"] == "ledger"]

    assert commands.index("make expected-release") < commands.index("test-chaos")
    assert "chaos/run.py --environment $(ENVIRONMENT) --suite $(CHAOS_SUITE) --expect-release" in (
        ROOT / "Makefile"
    ).read_text(encoding="utf-8")
    assert ledger["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"] == ["production", "staging"]


def test_test_roles_touch_only_user_pools_that_are_tagged_for_them() -> None:
    written = template.load(ROOT / "pipeline.yaml")["Resources"]
    statements = [
        statement
        for name in ("IntegrationTestDevRole", "IntegrationTestStagingRole", "ChaosTestingRole")
        for policy in written[name]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "cognito-idp:" in str(statement["Action"])
    ]

    assert len(statements) == 9
    tags = ("aws:ResourceTag/manuel:environment", "aws:ResourceTag/manuel:purpose", "aws:RequestTag/manuel:purpose")
    values = {next(iter(one["Condition"]["StringEquals"].items())) for one in statements}
    assert {tag for tag, _ in values} == set(tags)
    assert {value for _, value in values} == {"dev", "staging", "test"}


def handlers(kind: str) -> Iterator[str]:
    """The actions that AWS documents for making, reading, changing and deleting a resource of this type."""
    folder = next(iter(cfnlint.__path__)) + "/data/schemas"
    with open(f"{folder}/providers/eu-west-1.json", encoding="utf-8") as providers:  # noqa: PTH123
        file = json.load(providers)[kind]
    with open(f"{folder}/resources/{file}.json", encoding="utf-8") as schema:  # noqa: PTH123
        found = json.load(schema).get("handlers") or {}
    for name, handler in found.items():
        if name != "list":
            yield from handler["permissions"]


@pytest.mark.parametrize("short", ["Dev", "Staging", "Prod"])
def test_cloudformation_may_do_what_aws_documents_for_each_resource_type(
    short: str, delivery: Delivery, expanded: dict[str, Any]
) -> None:
    (role,) = [one for one in delivery.roles.values() if one.logical_id == f"{short}StackRole"]
    allowed = {action for one in role.statements for action in one.actions}
    kinds = {resource["Type"] for resource in expanded["Resources"].values()}

    missing = {a for kind in sorted(kinds) for a in handlers(kind) if a not in allowed and not NOT_USED.fullmatch(a)}

    assert len(kinds) > 20
    assert missing == set()


def test_approvers_may_decide_at_their_gates_and_change_nothing_else(delivery: Delivery) -> None:
    gates = {
        name: sorted(
            resource.rsplit(":", 1)[-1]
            for one in delivery.policies
            if one.where == name and "codepipeline:PutApprovalResult" in one.statement.actions
            for resource in one.statement.resources
        )
        for name in ("DevOpsApproverPolicy", "ProductApproverPolicy")
    }
    changes = {
        action
        for one in delivery.policies
        if one.where in gates
        for action in one.statement.actions
        if not re.match(r"\w+:(Get|List|Query)", action)
    }

    assert gates == {
        "DevOpsApproverPolicy": [
            "manuel-pipeline/CanaryApproval/DevOps",
            "manuel-pipeline/FullProduction/FinalApproval",
            "manuel-pipeline/ProductionApproval/DevOps",
        ],
        "ProductApproverPolicy": ["manuel-pipeline/ProductionApproval/Product"],
    }
    assert changes == {"codepipeline:PutApprovalResult", "dynamodb:PutItem"}
