"""Properties that ministack's CloudFormation drops: shown by describe calls, and following the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from emulator.codedeploy_world import ROLE, unique
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


def test_a_tables_recovery_ttl_encryption_and_protection_are_shown_and_follow_the_template(stack: Stack) -> None:
    name = unique("table")
    full = {
        **TABLE,
        "TableName": name,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "DeletionProtectionEnabled": True,
    }
    dynamodb = stack.world.dynamodb

    def settings() -> tuple[str, str, str, bool]:
        recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        table = dynamodb.describe_table(TableName=name)["Table"]
        return (
            recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
            dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"],
            table.get("SSEDescription", {}).get("Status", "none"),
            table["DeletionProtectionEnabled"],
        )

    assert stack.put({"Table": resource("DynamoDB::Table", full)}) == "CREATE_COMPLETE"
    assert settings() == ("ENABLED", "ENABLED", "ENABLED", True)
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "1"}})
    plain = {**TABLE, "TableName": name}
    assert stack.put({"Table": resource("DynamoDB::Table", plain)}) == "UPDATE_COMPLETE"
    assert settings() == ("DISABLED", "DISABLED", "none", False)
    assert dynamodb.get_item(TableName=name, Key={"pk": {"S": "1"}})["Item"]


def test_a_protected_table_is_not_deleted_with_its_stack(stack: Stack) -> None:
    name = unique("table")
    table = {**TABLE, "TableName": name, "DeletionProtectionEnabled": True}
    stack.put({"Table": resource("DynamoDB::Table", table)})
    assert stack.delete() == "DELETE_FAILED"
    assert "Disable deletion protection first" in stack.why()
    stack.world.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_new_table_has_none_of_the_settings_of_a_deleted_one_of_its_name(stack: Stack) -> None:
    name = unique("table")
    recovery = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    stack.put({"Table": resource("DynamoDB::Table", {**TABLE, "TableName": name, **recovery})})
    stack.delete()
    stack.world.dynamodb.create_table(TableName=name, **TABLE)
    found = stack.world.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


LIFECYCLE = {
    "Rules": [
        {
            "Id": "archive",
            "Status": "Enabled",
            "Prefix": "manuals/",
            "TagFilters": [{"Key": "kind", "Value": "raw"}],
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
            "ExpirationInDays": "365",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
        {"Id": "all", "Status": "Disabled", "ExpirationInDays": 1},
    ]
}


def test_a_buckets_lifecycle_encryption_ownership_and_tags_are_shown_and_follow_the_template(stack: Stack) -> None:
    name = unique("bucket")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/manuel"}
    rule = {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    full = {
        "BucketName": name,
        "LifecycleConfiguration": LIFECYCLE,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
        "Tags": [{"Key": "team", "Value": "manuel"}],
    }
    s3 = stack.world.s3
    assert stack.put({"Bucket": resource("S3::Bucket", full)}, Tags=[{"Key": "env", "Value": "dev"}]) == (
        "CREATE_COMPLETE"
    )
    archive, everything = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert archive["Filter"] == {
        "And": {
            "Prefix": "manuals/",
            "Tags": [{"Key": "kind", "Value": "raw"}],
            "ObjectSizeGreaterThan": 0,
        }
    }
    assert archive["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    assert archive["Expiration"]["Days"] == 365
    assert archive["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert archive["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert (everything["ID"], everything["Status"], everything["Filter"]) == ("all", "Disabled", {"Prefix": ""})
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == default
    assert encryption["BucketKeyEnabled"] is True
    ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "ObjectWriter"}]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["team"] == "manuel"
    assert tags["env"] == "dev"
    assert tags["aws:cloudformation:stack-name"] == stack.name

    assert stack.put({"Bucket": resource("S3::Bucket", {"BucketName": name})}, Tags=[]) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=name)
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert "team" not in tags


def test_a_lifecycle_that_s3_refuses_fails_the_stack_and_leaves_no_bucket(stack: Stack) -> None:
    name = unique("bucket")
    rules = {"Rules": [{"Status": "Enabled", "ExpirationInDays": 0}]}
    resources = {"Bucket": resource("S3::Bucket", {"BucketName": name, "LifecycleConfiguration": rules})}
    assert stack.put(resources) == "ROLLBACK_COMPLETE"
    assert "must be a positive integer" in stack.why()
    assert name not in [bucket["Name"] for bucket in stack.world.s3.list_buckets()["Buckets"]]


def test_a_bucket_that_is_not_empty_is_not_deleted_with_its_stack(stack: Stack) -> None:
    name = unique("bucket")
    stack.put({"Bucket": resource("S3::Bucket", {"BucketName": name})})
    stack.world.s3.put_object(Bucket=name, Key="manual.pdf", Body=b"x")
    assert stack.delete() == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in stack.why()
    stack.world.s3.delete_object(Bucket=name, Key="manual.pdf")
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_bucket_policy_is_shown_and_goes_with_its_stack(stack: Stack) -> None:
    name = unique("bucket")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}/*"}
    policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    resources = {
        "Bucket": resource("S3::Bucket", {"BucketName": name}),
        "Policy": resource("S3::BucketPolicy", policy),
    }
    assert stack.put(resources) == "CREATE_COMPLETE"
    found = json.loads(stack.world.s3.get_bucket_policy(Bucket=name)["Policy"])
    assert found["Statement"] == [statement]
    stack.put({"Bucket": resources["Bucket"]})
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        stack.world.s3.get_bucket_policy(Bucket=name)


def test_a_functions_reserved_concurrency_is_set_and_taken_away(stack: Stack) -> None:
    def function(**properties: Any) -> Resources:
        code = {"ZipFile": "def handler(event, context):\n    return 1\n"}
        base = {"Runtime": "python3.13", "Handler": "index.handler", "Role": ROLE, "Code": code}
        return {"Fn": resource("Lambda::Function", {**base, **properties})}

    stack.put(function(ReservedConcurrentExecutions="7"), {"Fn": {"Ref": "Fn"}})
    found = stack.world.lambda_.get_function_concurrency(FunctionName=stack.output("Fn"))
    assert found["ReservedConcurrentExecutions"] == 7
    stack.put(function(), {"Fn": {"Ref": "Fn"}})
    found = stack.world.lambda_.get_function_concurrency(FunctionName=stack.output("Fn"))
    assert "ReservedConcurrentExecutions" not in found


def test_a_topics_key_is_shown_and_follows_the_template(stack: Stack) -> None:
    def key() -> str | None:
        found = stack.world.sns.get_topic_attributes(TopicArn=stack.output("Topic"))["Attributes"]
        return found.get("KmsMasterKeyId")

    outputs = {"Topic": {"Ref": "Topic"}}
    stack.put({"Topic": resource("SNS::Topic", {"KmsMasterKeyId": "alias/aws/sns"})}, outputs)
    assert key() == "alias/aws/sns"
    stack.put({"Topic": resource("SNS::Topic", {"DisplayName": "plain"})}, outputs)
    assert key() is None
