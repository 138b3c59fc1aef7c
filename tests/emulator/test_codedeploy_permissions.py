"""With IAM enforced: who may ask CodeDeploy for what, and what its service role lets it do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import emulator_command
from emulator.codedeploy_world import EMBEDDED, REGION, ROLLBACK_ALWAYS, World, refusal, unique, until

from manuel_release.rehearsal.process import ACCOUNT_ID, EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

MANAGED = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
LAMBDA_MISSING = "does not give you permission to perform operations in the following AWS service: AWSLambda."


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A cloud that enforces IAM, where a minute of CodeDeploy takes half a second."""
    options = Options(auth=True, shift_seconds_per_minute=0.5, command=emulator_command())
    with EmbeddedCloud.start(tmp_path_factory.mktemp("strict"), options) as running:
        yield running


@pytest.fixture
def root(strict: EmbeddedCloud) -> Iterator[World]:
    with World.of(strict) as made:
        yield made


def statement(*actions: str, resource: str = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def user(root: World, strict: EmbeddedCloud) -> Iterator[Any]:
    """Makes the world of a new IAM user who has just these statements."""
    made: list[World] = []

    def make(*statements: dict[str, Any]) -> World:
        name = unique("user")
        root.iam.create_user(UserName=name)
        if statements:
            root.iam.put_user_policy(UserName=name, PolicyName="it", PolicyDocument=document(*statements))
        key = root.iam.create_access_key(UserName=name)["AccessKey"]
        world = World(strict, key["AccessKeyId"], key["SecretAccessKey"])
        world.application, world.function = root.application, root.function
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


def group_arn(world: World) -> str:
    return f"arn:aws:codedeploy:{REGION}:{ACCOUNT_ID}:deploymentgroup:{world.application}/live"


def test_a_user_without_a_policy_is_denied_in_awss_words(user: Any) -> None:
    nobody = user()
    with pytest.raises(ClientError) as error:
        nobody.codedeploy.get_application(applicationName="mine")
    code, message = refusal(error)
    assert code == "AccessDeniedException"
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT_ID}:user/user-")
    assert message.endswith(
        f" is not authorized to perform: codedeploy:GetApplication on resource: arn:aws:codedeploy:{REGION}:"
        f"{ACCOUNT_ID}:application:mine because no identity-based policy allows the codedeploy:GetApplication action"
    )
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_permission_counts_on_its_resource_only(root: World, user: Any) -> None:
    service_role(root)
    root.make_application()
    root.make_group()
    some = user(statement("codedeploy:GetDeploymentGroup", resource=group_arn(root)))
    found = some.codedeploy.get_deployment_group(applicationName=root.application, deploymentGroupName="live")
    assert found["deploymentGroupInfo"]["deploymentGroupName"] == "live"
    with pytest.raises(ClientError) as error:
        some.codedeploy.get_deployment_group(applicationName=root.application, deploymentGroupName="other")
    assert refusal(error)[0] == "AccessDeniedException"


def test_an_explicit_deny_wins(user: Any) -> None:
    some = user(statement("codedeploy:*"), statement("codedeploy:ListApplications", effect="Deny"))
    assert "deploymentConfigsList" in some.codedeploy.list_deployment_configs()
    with pytest.raises(ClientError) as error:
        some.codedeploy.list_applications()
    assert refusal(error)[1].endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "wrong", "UnrecognizedClientException"),
    ],
)
def test_unknown_credentials_are_refused(strict: EmbeddedCloud, key: str, secret: str, code: str) -> None:
    with World.of(strict, key, secret) as stranger, pytest.raises(ClientError) as error:
        stranger.codedeploy.list_applications()
    assert refusal(error)[0] == code


def test_a_wrong_secret_is_refused(strict: EmbeddedCloud, root: World) -> None:
    name = unique("user")
    root.iam.create_user(UserName=name)
    key = root.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    with World.of(strict, key, EMBEDDED) as forger, pytest.raises(ClientError) as error:
        forger.codedeploy.list_applications()
    assert refusal(error)[0] == "InvalidSignatureException"


def test_an_assumed_role_is_decided_by_its_policies(strict: EmbeddedCloud, root: World) -> None:
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "sts:AssumeRole"})
    name = unique("deployer")
    arn = root.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = document(statement("codedeploy:ListApplications"))
    root.iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=allowed)
    given = root.sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], REGION)
    client = session.client("codedeploy", endpoint_url=strict.endpoint)
    try:
        assert "applications" in client.list_applications()
        with pytest.raises(ClientError) as error:
            client.list_deployment_configs()
        assert f"assumed-role/{name}/test is not authorized" in refusal(error)[1]
    finally:
        client.close()


DEPLOYS = ("CreateDeployment", "GetDeploymentConfig", "RegisterApplicationRevision")


@pytest.mark.parametrize("missing", DEPLOYS)
def test_create_deployment_needs_the_configuration_and_the_revision_too(root: World, user: Any, missing: str) -> None:
    ready(root)
    some = user(*(statement(f"codedeploy:{action}") for action in DEPLOYS if action != missing))
    with pytest.raises(ClientError) as error:
        some.deploy()
    assert refusal(error)[0] == "AccessDeniedException"
    everything = user(*(statement(f"codedeploy:{action}") for action in DEPLOYS))
    assert root.finished(everything.deploy())["status"] == "Succeeded"


def test_overriding_alarms_needs_the_permission_to_update_the_group(root: World, user: Any) -> None:
    ready(root)
    some = user(*(statement(f"codedeploy:{action}") for action in DEPLOYS))
    with pytest.raises(ClientError) as error:
        some.deploy(overrideAlarmConfiguration={"enabled": False})
    assert "codedeploy:UpdateDeploymentGroup" in refusal(error)[1]


def test_a_deployment_is_stopped_by_who_may_stop_those_of_its_group(root: World, user: Any) -> None:
    ready(root)
    deployment = root.deploy(deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent30Minutes")
    other = user(statement("codedeploy:StopDeployment", resource=group_arn(root).replace("live", "other")))
    with pytest.raises(ClientError):
        other.codedeploy.stop_deployment(deploymentId=deployment)
    mine = user(statement("codedeploy:StopDeployment", resource=group_arn(root)))
    mine.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    assert root.finished(deployment)["status"] == "Stopped"
    root.rolled_back(deployment)


def service_role(
    world: World, *statements: dict[str, Any], managed: str = MANAGED, principal: str = "codedeploy.amazonaws.com"
) -> str:
    """A role for CodeDeploy with AWS's own policy, unless `statements` say something else."""
    name = unique("codedeploy")
    trust = document({"Effect": "Allow", "Principal": {"Service": [principal]}, "Action": "sts:AssumeRole"})
    world.role = world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if statements:
        world.iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=document(*statements))
    else:
        world.iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    return name


def ready(world: World, *statements: dict[str, Any], **settings: Any) -> str:
    """Function, application and group; returns the service role's name."""
    trust = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role = unique("function")
    world.execution_role = world.iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    name = service_role(world, *statements)
    world.make_function()
    world.make_application()
    world.make_group(**settings)
    return name


def test_a_role_that_codedeploy_may_not_assume_is_refused_for_a_group(root: World) -> None:
    service_role(root, principal="lambda.amazonaws.com")
    root.make_application()
    with pytest.raises(root.codedeploy.exceptions.InvalidRoleException) as error:
        root.make_group()
    assert refusal(error)[1].startswith("AWS CodeDeploy does not have the permissions required to assume the role arn:")


def test_awss_own_policy_suffices_to_shift_and_to_roll_back(root: World) -> None:
    alarm = root.alarm()
    configuration = {"enabled": True, "alarms": [{"name": alarm}]}
    ready(root, alarmConfiguration=configuration, autoRollbackConfiguration=ROLLBACK_ALWAYS)
    assert root.finished(root.deploy())["status"] == "Succeeded"
    root.ring(alarm)
    deployment = root.deploy(root.appspec(current="2", target="1"))
    assert root.finished(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert root.rolled_back(deployment)["status"] == "Succeeded"


def test_a_role_without_update_alias_moves_nothing(root: World) -> None:
    ready(root, statement("lambda:GetAlias"))
    info = root.finished(root.deploy())
    assert info["errorInformation"]["code"] == "IAM_ROLE_PERMISSIONS"
    assert LAMBDA_MISSING in info["errorInformation"]["message"]
    assert root.alias() == ("1", {})


def test_a_role_without_get_alias_fails_the_deployment(root: World) -> None:
    ready(root, statement("lambda:UpdateAlias"))
    info = root.finished(root.deploy())
    assert info["errorInformation"]["code"] == "IAM_ROLE_PERMISSIONS"


def test_a_role_that_may_not_see_alarms_stops_a_watched_deployment(root: World) -> None:
    configuration = {"enabled": True, "alarms": [{"name": root.alarm()}]}
    ready(root, statement("lambda:GetAlias", "lambda:UpdateAlias"), alarmConfiguration=configuration)
    info = root.finished(root.deploy())
    assert info["status"] == "Stopped"
    assert info["errorInformation"]["code"] == "IAM_ROLE_PERMISSIONS"


@pytest.mark.parametrize("publishes", [True, False])
def test_a_trigger_needs_a_role_that_may_publish(root: World, publishes: bool) -> None:
    url, queue = root.queue()
    topic = root.sns.create_topic(Name=unique("topic"))["TopicArn"]
    root.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    actions = ["lambda:GetAlias", "lambda:UpdateAlias", *(["sns:Publish"] if publishes else [])]
    trigger = {"triggerName": "start", "triggerTargetArn": topic, "triggerEvents": ["DeploymentStart"]}
    ready(root, statement(*actions), triggerConfigurations=[trigger])
    assert root.finished(root.deploy())["status"] == "Succeeded"
    if publishes:
        until(lambda: root.received(url))
    else:
        time.sleep(0.5)
        assert root.received(url) == []


def test_awss_own_policy_invokes_only_hooks_with_the_prefix(root: World) -> None:
    ready(root)
    info = root.finished(root.deploy(root.appspec(BeforeAllowTraffic="smoke-test")))
    assert info["errorInformation"]["code"] == "IAM_ROLE_PERMISSIONS"
    info = root.finished(root.deploy(root.appspec(BeforeAllowTraffic="CodeDeployHook_missing")))
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"


def test_a_role_that_is_gone_fails_the_deployment(root: World) -> None:
    name = ready(root)
    root.iam.detach_role_policy(RoleName=name, PolicyArn=MANAGED)
    root.iam.delete_role(RoleName=name)
    info = root.finished(root.deploy())
    assert info["errorInformation"]["code"] == "IAM_ROLE_MISSING"
