"""Whether the dependencies answer, asked with as little permission and as little time as possible."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions

from manuel.models import Probe
from manuel.store.clients import config

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = "health-probe"  # the only partition that the health function's role may read


def dynamodb(table: str, *, seconds: float) -> Probe:
    """Read an item that does not exist; at most about `seconds`."""
    client = boto3.client("dynamodb", config=config(seconds=seconds, attempts=1))
    key: Any = {"user_id": {"S": NOBODY}, "period": {"S": NOBODY}}
    return _probe("dynamodb", lambda: client.get_item(TableName=table, Key=key))


def s3(bucket: str, *, seconds: float) -> Probe:
    """Ask where the bucket is: the one question about it that gives nothing of its contents away."""
    client = boto3.client("s3", config=config(seconds=seconds, attempts=1))
    return _probe("s3", lambda: client.get_bucket_location(Bucket=bucket))


def bedrock(knowledge_base: str, *, seconds: float) -> Probe:
    """Ask what the knowledge base is; nothing is searched and no model is run."""
    client = boto3.client("bedrock-agent", config=config(seconds=seconds, attempts=1))
    return _probe("bedrock", lambda: client.get_knowledge_base(knowledgeBaseId=knowledge_base))


def _probe(name: str, question: Callable[[], object]) -> Probe:
    started = time.perf_counter()
    try:
        question()
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return Probe(name, up=False, seconds=time.perf_counter() - started)
    return Probe(name, up=True, seconds=time.perf_counter() - started)
