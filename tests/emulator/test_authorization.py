"""With IAM enforced: a policy that is as narrow as AWS allows lets through what AWS lets through, and nothing else."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import emulator_command

from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Clients = Callable[..., Any]

pytestmark = pytest.mark.emulator

REGION = "eu-west-1"
HERE = f"{REGION}:{ACCOUNT_ID}"
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    options = Options(auth=True, command=emulator_command())
    with EmbeddedCloud.start(tmp_path_factory.mktemp("strict"), options) as running:
        yield running


@pytest.fixture
def root(strict: EmbeddedCloud) -> Iterator[Clients]:
    """`root("sns")` is a client that may do everything."""
    with ExitStack() as stack:

        def client(service: str, key: str = ACCOUNT_ID, secret: str = "embedded", token: str | None = None) -> Any:  # noqa: S107
            made = boto3.client(
                service,
                endpoint_url=strict.endpoint,
                region_name=REGION,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )
            return stack.enter_context(closing(made))

        yield client


@pytest.fixture
def may(root: Clients) -> Callable[..., Clients]:
    """`may(statement, ...)("sns")` is a client of a role with these statements."""

    def role(*statements: dict[str, Any]) -> Clients:
        iam, name = root("iam"), f"role-{abs(hash(json.dumps(statements))):x}"
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
        got = root("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return lambda service: root(service, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    return role


def denied(call: Callable[..., Any], **given: Any) -> bool:
    with pytest.raises(ClientError) as error:
        call(**given)
    return "AccessDenied" in error.value.response["Error"]["Code"]


def test_a_change_set_belongs_to_its_stack(root: Clients, may: Callable[..., Clients]) -> None:
    made = {
        name: root("cloudformation").create_change_set(
            StackName=name, ChangeSetName="it", ChangeSetType="CREATE", TemplateBody=TEMPLATE
        )["Id"]
        for name in ("ours", "theirs")
    }
    stack = f"arn:aws:cloudformation:{HERE}:stack/ours/*"
    cloudformation = may(
        {"Action": ["cloudformation:DescribeChangeSet", "cloudformation:DeleteChangeSet"], "Resource": stack}
    )("cloudformation")

    assert cloudformation.describe_change_set(ChangeSetName=made["ours"])["StackName"] == "ours"
    assert denied(cloudformation.describe_change_set, ChangeSetName=made["theirs"])
    cloudformation.delete_change_set(ChangeSetName=made["ours"])
    assert denied(cloudformation.delete_change_set, ChangeSetName=made["theirs"])


def test_alarms_are_described_all_at_once_and_deleted_by_name(root: Clients, may: Callable[..., Clients]) -> None:
    for name in ("ours-1", "theirs-1"):
        root("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    alarms = f"arn:aws:cloudwatch:{HERE}:alarm:"
    cloudwatch = may(
        {"Action": "cloudwatch:DescribeAlarms", "Resource": f"{alarms}*"},
        {"Action": "cloudwatch:DeleteAlarms", "Resource": f"{alarms}ours-*"},
    )("cloudwatch")

    assert cloudwatch.describe_alarms(AlarmNamePrefix="ours")["MetricAlarms"]
    assert denied(cloudwatch.delete_alarms, AlarmNames=["theirs-1"])
    cloudwatch.delete_alarms(AlarmNames=["ours-1"])
    left = root("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [one["AlarmName"] for one in left] == ["theirs-1"]


def test_user_pools_are_told_apart_by_their_tags(root: Clients, may: Callable[..., Clients]) -> None:
    pools = {
        value: root("cognito-idp").create_user_pool(PoolName=value, UserPoolTags={"env": value})["UserPool"]["Id"]
        for value in ("dev", "prod")
    }
    any_pool = f"arn:aws:cognito-idp:{HERE}:userpool/*"
    cognito = may(
        {
            "Action": "cognito-idp:AdminCreateUser",
            "Resource": any_pool,
            "Condition": {"StringEquals": {"aws:ResourceTag/env": "dev"}},
        },
        {
            "Action": "cognito-idp:CreateUserPool",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/purpose": "test"}},
        },
    )("cognito-idp")

    cognito.admin_create_user(UserPoolId=pools["dev"], Username="ann")
    assert denied(cognito.admin_create_user, UserPoolId=pools["prod"], Username="ann")
    cognito.create_user_pool(PoolName="new", UserPoolTags={"purpose": "test"})
    assert denied(cognito.create_user_pool, PoolName="new")


def test_a_role_may_ask_about_itself_alone(may: Callable[..., Clients]) -> None:
    own = f"arn:aws:iam::{ACCOUNT_ID}:role/role-*"
    role = may({"Action": "iam:SimulatePrincipalPolicy", "Resource": own})
    name, iam = role("sts").get_caller_identity()["Arn"].split("/")[1], role("iam")

    asked = {"ActionNames": ["sns:Publish"], "ResourceArns": ["*"]}
    found = iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{name}", **asked)
    assert [one["EvalDecision"] for one in found["EvaluationResults"]] == ["implicitDeny"]
    assert denied(iam.simulate_principal_policy, PolicySourceArn=f"arn:aws:iam::{ACCOUNT_ID}:role/other", **asked)
