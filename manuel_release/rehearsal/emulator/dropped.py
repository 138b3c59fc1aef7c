"""Properties that ministack's CloudFormation reads past, applied through the service, so that describe calls show them.

DynamoDB: point-in-time recovery, TTL, encryption at create, deletion protection, and that a table whose key changes is
a new table, so that UpdateReplacePolicy can keep the old one. S3: lifecycle, encryption, ownership, tags, and that a
bucket which is not empty is not deleted. Lambda: reserved concurrency. SNS: the key.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from ministack.services import dynamodb, lambda_svc, s3, sns
from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator.resources import Properties, as_flag, checked

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRES = {
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES": None,
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._STACK_TAG_PROPERTY": None,
    "ministack.services.cloudformation.provisioners._tag_map": ("tags",),
    "ministack.services.dynamodb._pitr_settings": None,
    "ministack.services.dynamodb._sse_description_from_spec": ("spec",),
    "ministack.services.dynamodb._tables": None,
    "ministack.services.dynamodb._ttl_settings": None,
    "ministack.services.dynamodb._update_continuous_backups": ("data",),
    "ministack.services.dynamodb._update_ttl": ("data",),
    "ministack.services.lambda_svc._delete_function_concurrency": ("func_name",),
    "ministack.services.lambda_svc._put_function_concurrency": ("func_name", "data"),
    "ministack.services.s3._bucket_has_versions": ("name",),
    "ministack.services.s3._bucket_lifecycle": None,
    "ministack.services.s3._bucket_tags": None,
    "ministack.services.s3._buckets": None,
    "ministack.services.s3._delete_bucket_encryption": ("name",),
    "ministack.services.s3._delete_bucket_ownership_controls": ("name",),
    "ministack.services.s3._lifecycle_rules_error": ("rules",),
    "ministack.services.s3._put_bucket_encryption": ("name", "body"),
    "ministack.services.s3._put_bucket_ownership_controls": ("name", "body"),
    "ministack.services.sns._topics": None,
}


def also(resource_type: str, apply: Callable[[str, Properties, Properties], None]) -> None:
    """After ministack created or updated such a resource, call apply(physical_id, old properties, new properties).

    A create whose `apply` fails is undone, as CloudFormation does.
    """
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def creating(logical_id: str, properties: Properties, stack_name: str) -> Any:
        made = create(logical_id, properties, stack_name)
        try:
            apply(made[0], {}, properties)
        except Exception:
            delete(made[0], properties)
            raise
        return made

    def updating(physical_id: str, old: Properties, new: Properties, stack_name: str, *logical_id: str) -> Any:
        made = update(physical_id, old, new, stack_name, *logical_id)
        apply(made[0], old if made[0] == physical_id else {}, new)
        return made

    handlers["create"], handlers["update"] = creating, updating


def first(resource_type: str, before: Callable[[str, Properties], None]) -> None:
    """Before ministack deletes such a resource, call before(physical_id, properties), which may raise ValueError."""
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    delete = handlers["delete"]

    def deleting(physical_id: str, properties: Properties, *rest: Any) -> None:
        before(physical_id, properties)
        delete(physical_id, properties, *rest)

    handlers["delete"] = deleting


def table(name: str, old: Properties, new: Properties) -> None:
    """Recovery, TTL and encryption of a DynamoDB table."""
    recovery = new.get("PointInTimeRecoverySpecification") or {}
    wanted = {"PointInTimeRecoveryEnabled": as_flag(recovery.get("PointInTimeRecoveryEnabled", False))}
    checked(dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": wanted}))
    ttl, before = new.get("TimeToLiveSpecification"), old.get("TimeToLiveSpecification")
    if ttl:
        ttl = {**ttl, "Enabled": as_flag(ttl.get("Enabled", True))}
    elif before:
        ttl = {**before, "Enabled": False}
    if ttl:
        checked(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": ttl}))
    record = dynamodb._tables[name]
    record["DeletionProtectionEnabled"] = as_flag(new.get("DeletionProtectionEnabled", False))
    encryption = new.get("SSESpecification")
    if encryption:
        api = {**encryption, "Enabled": as_flag(encryption.get("SSEEnabled", False))}
        record["SSEDescription"] = dynamodb._sse_description_from_spec(api)
    elif old.get("SSESpecification"):
        record["SSEDescription"] = None


def table_unprotected(name: str, _properties: Properties) -> None:
    """Refuse to delete a protected table; forget the settings that would show on the next table of that name."""
    record = dynamodb._tables.get(name) or {}
    if record.get("DeletionProtectionEnabled"):
        raise ValueError(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    dynamodb._pitr_settings.pop(name, None)
    dynamodb._ttl_settings.pop(name, None)


def _element(name: str, *children: ET.Element, text: str = "") -> ET.Element:
    made = ET.Element(name)
    made.text = text
    made.extend(children)
    return made


def _xml(root: ET.Element) -> bytes:
    root.set("xmlns", s3.S3_NS)
    return bytes(ET.tostring(root))


def _encryption(configuration: Properties) -> bytes:
    rules = []
    for rule in configuration.get("ServerSideEncryptionConfiguration") or []:
        default = rule.get("ServerSideEncryptionByDefault") or {}
        algorithm = _element("ApplyServerSideEncryptionByDefault")
        for member in ("SSEAlgorithm", "KMSMasterKeyID"):
            if default.get(member):
                algorithm.append(_element(member, text=str(default[member])))
        key = _element("BucketKeyEnabled", text=str(as_flag(rule.get("BucketKeyEnabled", False))).lower())
        rules.append(_element("Rule", algorithm, key))
    return _xml(_element("ServerSideEncryptionConfiguration", *rules))


def _ownership(configuration: Properties) -> bytes:
    rules = [
        _element("Rule", _element("ObjectOwnership", text=str(rule["ObjectOwnership"])))
        for rule in configuration.get("Rules") or []
    ]
    return _xml(_element("OwnershipControls", *rules))


def _renamed(source: Properties, names: dict[str, str]) -> Properties:
    return {
        new: int(source[old]) if str(source[old]).isdigit() else source[old]
        for old, new in names.items()
        if source.get(old) is not None
    }


def _filter(rule: Properties) -> Properties:
    parts = _renamed(rule, {"Prefix": "Prefix"})
    parts |= _renamed(
        rule, {"ObjectSizeGreaterThan": "ObjectSizeGreaterThan", "ObjectSizeLessThan": "ObjectSizeLessThan"}
    )
    tags = rule.get("TagFilters") or []
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    return {**parts, **({"Tag": tags[0]} if tags else {})} or {"Prefix": ""}


_TRANSITION = {"StorageClass": "StorageClass", "TransitionInDays": "Days", "TransitionDate": "Date"}
_NONCURRENT = {
    "StorageClass": "StorageClass",
    "TransitionInDays": "NoncurrentDays",
    "NewerNoncurrentVersions": "NewerNoncurrentVersions",
}
_EXPIRATION = {
    "ExpirationInDays": "Days",
    "ExpirationDate": "Date",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}


def _lifecycle_rule(rule: Properties) -> Properties:
    """One rule as GetBucketLifecycleConfiguration shows it."""
    made: Properties = {"Status": rule.get("Status"), "Filter": _filter(rule)}
    if rule.get("Id"):
        made["ID"] = rule["Id"]
    for member, names in (("Transition", _TRANSITION), ("NoncurrentVersionTransition", _NONCURRENT)):
        given = [*(rule.get(member + "s") or []), *([rule[member]] if rule.get(member) else [])]
        if given:
            made[member + "s"] = [_renamed(item, names) for item in given]
    expiration = _renamed(rule, _EXPIRATION)
    if expiration:
        made["Expiration"] = expiration
    noncurrent = dict(rule.get("NoncurrentVersionExpiration") or {})
    if rule.get("NoncurrentVersionExpirationInDays") is not None:
        noncurrent["NoncurrentDays"] = rule["NoncurrentVersionExpirationInDays"]
    if noncurrent:
        made["NoncurrentVersionExpiration"] = {member: int(value) for member, value in noncurrent.items()}
    if rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = _renamed(
            rule["AbortIncompleteMultipartUpload"], {"DaysAfterInitiation": "DaysAfterInitiation"}
        )
    return made


def bucket(name: str, old: Properties, new: Properties) -> None:
    """Encryption, ownership, lifecycle and tags of a bucket; what the template dropped goes back to S3's default."""
    if new.get("BucketEncryption"):
        checked(s3._put_bucket_encryption(name, _encryption(new["BucketEncryption"])))
    elif old.get("BucketEncryption"):
        checked(s3._delete_bucket_encryption(name))
    if new.get("OwnershipControls"):
        checked(s3._put_bucket_ownership_controls(name, _ownership(new["OwnershipControls"])))
    elif old.get("OwnershipControls"):
        checked(s3._delete_bucket_ownership_controls(name))
    if new.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in new["LifecycleConfiguration"].get("Rules") or []]
        wrong = s3._lifecycle_rules_error(rules)
        if wrong is not None:
            checked(wrong)
        s3._bucket_lifecycle[name] = rules
    elif old.get("LifecycleConfiguration"):
        s3._bucket_lifecycle.pop(name, None)
    before, after = provisioners._tag_map(old.get("Tags")), provisioners._tag_map(new.get("Tags"))
    kept = {key: value for key, value in (s3._bucket_tags.get(name) or {}).items() if key not in before}
    s3._bucket_tags[name] = {**kept, **after}


def bucket_empty(name: str, _properties: Properties) -> None:
    """Refuse to delete a bucket that holds something."""
    record = s3._buckets.get(name)
    if record is not None and (record["objects"] or s3._bucket_has_versions(name)):
        raise ValueError("The bucket you tried to delete is not empty")


def function(name: str, old: Properties, new: Properties) -> None:
    """Reserved concurrency of a function."""
    reserved = new.get("ReservedConcurrentExecutions")
    if reserved is not None:
        checked(lambda_svc._put_function_concurrency(name, {"ReservedConcurrentExecutions": int(reserved)}))
    elif old.get("ReservedConcurrentExecutions") is not None:
        checked(lambda_svc._delete_function_concurrency(name))


def topic(arn: str, _old: Properties, new: Properties) -> None:
    """Key of a topic."""
    attributes = sns._topics[arn]["attributes"]
    if new.get("KmsMasterKeyId"):
        attributes["KmsMasterKeyId"] = str(new["KmsMasterKeyId"])
    else:
        attributes.pop("KmsMasterKeyId", None)


def install() -> None:
    """Apply these properties from now on."""
    also("AWS::DynamoDB::Table", table)
    first("AWS::DynamoDB::Table", table_unprotected)
    also("AWS::S3::Bucket", bucket)
    first("AWS::S3::Bucket", bucket_empty)
    provisioners._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")
    # ministack deletes such a table and makes it anew under its old name, whatever UpdateReplacePolicy says
    provisioners._REPLACING_PROPERTIES["AWS::DynamoDB::Table"] += ("KeySchema", "LocalSecondaryIndexes")
    also("AWS::Lambda::Function", function)
    also("AWS::SNS::Topic", topic)
