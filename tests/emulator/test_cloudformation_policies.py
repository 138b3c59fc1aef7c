"""DeletionPolicy and UpdateReplacePolicy: what a template keeps stays, whatever happens to its stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from emulator.codedeploy_world import unique
from emulator.stack_world import Resources, Stack, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def stack(cloud: EmbeddedCloud) -> Iterator[Stack]:
    with Stack.of(cloud) as made:
        yield made


TABLE: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def test_deletion_policy_retain_keeps_an_application_when_the_stack_goes(stack: Stack) -> None:
    resources = {
        "Application": resource("CodeDeploy::Application", {"ComputePlatform": "Lambda"}, DeletionPolicy="Retain")
    }
    stack.put(resources, {"Application": {"Ref": "Application"}})
    name = stack.output("Application")
    assert stack.delete() == "DELETE_COMPLETE"
    assert name in stack.world.codedeploy.list_applications()["applications"]


def test_deletion_policy_retain_keeps_a_table_and_a_bucket_with_their_contents(stack: Stack) -> None:
    table = {**TABLE, "TableName": unique("kept"), "DeletionProtectionEnabled": True}
    bucket = unique("kept")
    resources = {
        "Table": resource("DynamoDB::Table", table, DeletionPolicy="Retain"),
        "Bucket": resource("S3::Bucket", {"BucketName": bucket}, DeletionPolicy="Retain"),
    }
    stack.put(resources)
    stack.world.s3.put_object(Bucket=bucket, Key="manual.pdf", Body=b"x")
    assert stack.delete() == "DELETE_COMPLETE"
    assert stack.world.dynamodb.describe_table(TableName=table["TableName"])["Table"]["TableStatus"] == "ACTIVE"
    assert stack.world.s3.get_object(Bucket=bucket, Key="manual.pdf")["Body"].read() == b"x"


def test_a_retained_resource_that_leaves_the_template_stays(stack: Stack) -> None:
    kept = resource("CodeDeploy::Application", {"ComputePlatform": "Lambda"}, DeletionPolicy="Retain")
    other = resource("SNS::Topic")
    stack.put({"Application": kept, "Other": other}, {"Application": {"Ref": "Application"}})
    name = stack.output("Application")
    assert stack.put({"Other": other}) == "UPDATE_COMPLETE"
    assert name in stack.world.codedeploy.list_applications()["applications"]


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_update_replace_policy_decides_on_a_table_whose_key_changes(stack: Stack, policy: str) -> None:
    def table(key: str) -> Resources:
        properties = {
            **TABLE,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        }
        return {"Table": resource("DynamoDB::Table", properties, UpdateReplacePolicy=policy)}

    dynamodb = stack.world.dynamodb
    stack.put(table("pk"), {"Table": {"Ref": "Table"}})
    old = stack.output("Table")
    dynamodb.put_item(TableName=old, Item={"pk": {"S": "1"}})
    assert stack.put(table("id"), {"Table": {"Ref": "Table"}}) == "UPDATE_COMPLETE"
    new = stack.output("Table")
    assert dynamodb.describe_table(TableName=new)["Table"]["KeySchema"][0]["AttributeName"] == "id"
    if policy == "Retain":
        assert dynamodb.get_item(TableName=old, Key={"pk": {"S": "1"}})["Item"]
    else:
        assert old not in dynamodb.list_tables()["TableNames"]


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_update_replace_policy_decides_on_the_replaced_configuration(stack: Stack, policy: str) -> None:
    def config(percentage: int) -> Resources:
        canary = {"CanaryPercentage": percentage, "CanaryInterval": 1}
        routing = {"Type": "TimeBasedCanary", "TimeBasedCanary": canary}
        properties = {"ComputePlatform": "Lambda", "TrafficRoutingConfig": routing}
        return {"Config": resource("CodeDeploy::DeploymentConfig", properties, UpdateReplacePolicy=policy)}

    stack.put(config(10), {"Config": {"Ref": "Config"}})
    old = stack.output("Config")
    stack.put(config(20), {"Config": {"Ref": "Config"}})
    listed = stack.world.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    assert (old in listed) is (policy == "Retain")
