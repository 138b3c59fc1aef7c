"""The functions run here with moto's DynamoDB and S3; each test has sandboxes of its own."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from functions.ai_world import Ai, ai_services
from functions.backing import APP, AUDIO_BUCKET, BUCKET, RATE_TABLE, TABLE, create_table
from moto import mock_aws

sys.path.insert(0, str(APP))  # what Lambda does with the package

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = itertools.count()
SESSION = boto3.Session(region_name="eu-west-1")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that the template gives a function; the function has another name in every test."""
    values = {
        "AWS_LAMBDA_FUNCTION_NAME": f"manuel-test-{next(NUMBERS)}",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "MANUEL_RELEASE": "r-7",
        "MANUEL_ENVIRONMENT": "dev",
        "MANUEL_LOG_LEVEL": "INFO",
        "MANUEL_USAGE_TABLE": TABLE,
        "MANUEL_MANUALS_BUCKET": BUCKET,
        "MANUEL_AUDIO_BUCKET": AUDIO_BUCKET,
        "MANUEL_RATE_LIMIT_TABLE": RATE_TABLE,
        "MANUEL_TEXT_MODEL": "eu.amazon.nova-lite-v1:0",
        "MANUEL_KNOWLEDGE_BASE": "",
        "MANUEL_DATA_SOURCE": "",
        "MANUEL_DAILY_QUOTA": "3",
        "MANUEL_MONTHLY_QUOTA": "5",
        "MANUEL_ADVANCED_SECURITY": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB and S3 with the service's table and bucket, empty."""
    with mock_aws():
        # moto forgets the default session each time, and a new one reads all service models again.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", SESSION)
        create_table(boto3.client("dynamodb"), TABLE)
        create_table(boto3.client("dynamodb"), RATE_TABLE, keys=("caller",))
        for bucket in (BUCKET, AUDIO_BUCKET):
            place: Any = {"LocationConstraint": "eu-west-1"}
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        yield


@pytest.fixture
def ai(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ai]:
    """Bedrock, with a knowledge base over the manuals bucket, and Transcribe."""
    with ai_services(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def _cold_sandboxes() -> None:
    from manuel import health, manuals, process_manual, query, transcribe, usage  # noqa: PLC0415 - needs the path above

    for module in (health, manuals, query, transcribe, usage):
        module.service.cache_clear()
    process_manual.parts.cache_clear()
